/**
 * A scripted `codex app-server`: one JSON-RPC peer per process, driven by FAKE_CODEX (a file with a script).
 * Not a test; started through the wrapper that `fakeCodex()` writes.
 */

/** What the fake does when it gets a request of some method, in order. */
export type FakeStep =
  | { readonly reply: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }
  | { readonly notify: readonly [string, unknown] }
  | { readonly ask: readonly [string | number, string, unknown] }
  | { readonly raw: string }
  | { readonly bytes: number }
  | { readonly stderr: string }
  | { readonly write: readonly [string, string] }
  | { readonly child: string }
  | { readonly exit: number };

/** Steps by method; `start` at launch, `response` for answers, `eof` at the end of stdin. */
export type FakeScript = Readonly<Record<string, readonly FakeStep[]>>;

const encoder = new TextEncoder();

const DEFAULTS: FakeScript = {
  "initialize": [{ reply: { userAgent: "fake" } }],
  "thread/start": [{ reply: { thread: { id: "th1" } } }],
  "thread/resume": [{ reply: { thread: { id: "th0" } } }],
  "thread/name/set": [{ reply: {} }],
  "turn/start": [
    { reply: { turn: { id: "tu1" } } },
    { notify: ["turn/started", { threadId: "th1", turn: { id: "tu1" } }] },
  ],
  "turn/interrupt": [
    { reply: {} },
    { notify: ["turn/completed", { threadId: "th1", turn: { id: "tu1", status: "interrupted" } }] },
  ],
  "eof": [{ exit: 0 }],
};

function write(text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

function say(message: unknown): void {
  write(JSON.stringify(message) + "\n");
}

function play(steps: readonly FakeStep[], id: unknown): void {
  for (const step of steps) {
    if ("reply" in step) say({ id, result: step.reply });
    else if ("error" in step) say({ id, error: step.error });
    else if ("notify" in step) say({ method: step.notify[0], params: step.notify[1] });
    else if ("ask" in step) say({ id: step.ask[0], method: step.ask[1], params: step.ask[2] });
    else if ("raw" in step) write(step.raw);
    else if ("bytes" in step) write(`{"id":${id},"result":{"x":"${"x".repeat(step.bytes)}"}}\n`);
    else if ("stderr" in step) Deno.stderr.writeSync(encoder.encode(step.stderr));
    else if ("write" in step) Deno.writeTextFileSync(step.write[0], step.write[1]);
    else if ("child" in step) spawn(step.child);
    else Deno.exit(step.exit);
  }
}

/** A grandchild that keeps our stdout open. */
function spawn(command: string): void {
  new Deno.Command("/bin/sh", { args: ["-c", command], stdin: "null", stdout: "inherit", stderr: "inherit" })
    .spawn().unref();
}

async function main(dir: string): Promise<void> {
  const counter = `${dir}/launches`;
  const launch = readNumber(counter) + 1;
  Deno.writeTextFileSync(counter, String(launch));
  Deno.writeTextFileSync(`${dir}/args-${launch}`, JSON.stringify(Deno.args.slice(1)));
  const scripts = JSON.parse(Deno.readTextFileSync(`${dir}/script.json`)) as FakeScript[];
  const script: FakeScript = { ...DEFAULTS, ...scripts[Math.min(launch, scripts.length) - 1] };
  play(script.start ?? [], 0);
  let buffer = "";
  const decoder = new TextDecoder();
  for await (const chunk of Deno.stdin.readable) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf("\n"); end >= 0; end = buffer.indexOf("\n")) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 1);
      Deno.writeTextFileSync(`${dir}/received-${launch}`, line + "\n", { append: true });
      const message = JSON.parse(line);
      play(script[message.method ?? "response"] ?? [], message.id);
    }
  }
  play(script.eof ?? [], 0);
}

function readNumber(path: string): number {
  try {
    return Number(Deno.readTextFileSync(path));
  } catch {
    return 0;
  }
}

if (import.meta.main) await main(Deno.args[0]!);
