/* A stand-in for Claude Code that costs nothing: answers over stream-json at once, floods, or streams at a rate.
 * BENCH_MODE: "instant" (default), "flood:EVENTS", "rate:BYTES_PER_SECOND:SECONDS". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static char pad[700];

/* One assistant event of about 600 bytes that carries its number. */
static int event(long long n) {
  return printf("{\"type\":\"assistant\",\"message\":{\"id\":\"m%lld\",\"role\":\"assistant\",\"model\":\"bench\",\"content\":"
                "[{\"type\":\"text\",\"text\":\"#%08lld %s\"}],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}},"
                "\"parent_tool_use_id\":null,\"session_id\":\"bench\"}\n",
                n, n, pad);
}

int main(int argc, char **argv) {
  long long started = now_ns();
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--version") == 0) {
      puts("2.1.0 (Claude Code)");
      return 0;
    }
  }
  memset(pad, 'x', 392);
  const char *mode = getenv("BENCH_MODE");
  if (mode == NULL) mode = "instant";
  char line[65536];
  if (fgets(line, sizeof line, stdin) == NULL) return 1;
  puts("{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"bench\",\"model\":\"bench\"}");
  fflush(stdout);
  if (strncmp(mode, "flood:", 6) == 0) {
    long long events = atoll(mode + 6);
    for (long long n = 1; n <= events; n++) event(n);
  } else if (strncmp(mode, "rate:", 5) == 0) {
    long long rate = atoll(mode + 5);
    const char *rest = strchr(mode + 5, ':');
    long long seconds = rest ? atoll(rest + 1) : 5, n = 0, sent = 0;
    long long begin = now_ns(), end = begin + seconds * 1000000000LL;
    while (now_ns() < end) {
      long long due = (now_ns() - begin) / 1000 * rate / 1000000;
      while (sent < due) sent += event(++n);
      fflush(stdout);
      usleep(2000);
    }
  }
  fflush(stdout);
  printf("{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"session_id\":\"bench\","
         "\"result\":\"start=%lld end=%lld\",\"modelUsage\":{\"bench\":{\"inputTokens\":1,\"outputTokens\":1}}}\n",
         started, now_ns());
  fflush(stdout);
  return 0;
}
