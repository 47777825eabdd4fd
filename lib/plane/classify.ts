/** The server's own reading of an error text when the host sends no reason (spec 01 §4.20.1). A small list is enough here. */

const MARKERS: readonly (readonly [string, readonly string[]])[] = [
  ["agent_error.provider_quota_limit", [
    "session limit",
    "usage limit",
    "quota",
    "insufficient credit",
    "billing",
  ]],
  ["agent_error.provider_capacity_or_rate_limit", ["rate limit", "429", "overloaded", "529"]],
  ["agent_error.provider_auth_or_access", ["401", "403", "unauthorized", "invalid api key", "not logged in"]],
  ["agent_error.model_not_found_or_unavailable", ["model not found", "unknown model", "model_not_found"]],
  ["agent_error.context_overflow", ["prompt is too long", "context length"]],
  ["agent_error.provider_server_error", ["internal server error", "502", "503", "504"]],
  ["agent_error.provider_network", ["econnreset", "enotfound", "network error", "connection refused"]],
  ["agent_error.runtime_missing_executable", ["executable file not found", "no such file or directory"]],
  ["agent_error.agent_timeout", ["timed out"]],
  ["agent_error.process_failure", ["exit status", "exit code", "signal: killed"]],
];

/** The failure reason of an error text; `agent_error.unknown` when nothing matches. */
export function classifyError(text: string): string {
  const lower = text.toLowerCase();
  for (const [reason, markers] of MARKERS) {
    if (markers.some((marker) => lower.includes(marker))) return reason;
  }
  return "agent_error.unknown";
}
