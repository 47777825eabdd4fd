/** The text classifier: one error text in, one failure reason out (spec 08 §10, §17.1; rules in order, first match wins). */
import { isUsageWindowClosed } from "./usage_window.ts";

/** Prefix of every reason that is the agent's or the provider's fault. */
export const AGENT_ERROR = "agent_error.";

/** True for reasons of the classifier's family, future ones included (spec 08 §9.1). */
export function isAgentError(reason: string): boolean {
  return reason.startsWith(AGENT_ERROR);
}

/** One rule: a reason and what it matches on the trimmed, lower-cased text. */
interface Rule {
  readonly reason: string;
  /** Any of these substrings. */
  readonly any?: readonly string[];
  /** All substrings of any one group. */
  readonly all?: readonly (readonly string[])[];
  readonly pattern?: RegExp;
}

/** The chapter's rules in their later form. */
const RULES: readonly Rule[] = [
  {
    reason: "context_overflow",
    any: [
      "context length",
      "context_length_exceeded",
      "maximum context",
      "prompt is too long",
      "context size has been exceeded",
      "context window limit",
      "model_context_window_exceeded",
      "prompt_too_long",
    ],
    all: [["token", "limit"]],
  },
  {
    reason: "missing_config",
    any: ["missing environment variable", "no llm provider configured", "no provider configured"],
    all: [["missing", "api_key"], ["api key", "required"]],
  },
  {
    reason: "provider_auth_or_access",
    any: [
      "unauthorized",
      "login required",
      "not logged in",
      "please login again",
      "refresh token",
      "invalid api key",
      "access token",
      "subscription access",
      "does not have access",
      "you may not have access",
    ],
    pattern: /(^|[^0-9])(401|403)([^0-9]|$)/,
  },
  {
    reason: "provider_quota_limit",
    any: [
      "insufficient_balance",
      "balance is too low",
      "monthly usage limit",
      "usage limit",
      "you've hit your limit",
      "you\u2019ve hit your limit",
      "credits",
      "quota",
    ],
    pattern: /(^|[^0-9])402([^0-9]|$)/,
  },
  {
    reason: "provider_capacity_or_rate_limit",
    any: ["rate limit", "overloaded", "no capacity available"],
    pattern: /(^|[^0-9])(429|529)([^0-9]|$)/,
  },
  {
    reason: "provider_server_error",
    any: [
      "server had an error",
      "provider returned error",
      "internal error",
      "service unavailable",
      "bad gateway",
    ],
    pattern: /(^|[^0-9])5[0-9][0-9]([^0-9]|$)/,
  },
  {
    reason: "provider_network",
    any: [
      "stream disconnected",
      "error sending request",
      "unable to connect",
      "dial tcp",
      "connection refused",
      "connectionrefused",
      "dns",
      "i/o timeout",
      "opencode stream ended",
      "connection closed",
      "mid-response",
      "deadline exceeded",
      "timeout exceeded while awaiting",
    ],
  },
  {
    reason: "model_not_found_or_unavailable",
    any: ["unknown model", "selected model", "http 404", "404 page not found"],
    all: [["model", "not found"]],
  },
  { reason: "empty_or_unparseable_output", any: ["returned empty output", "returned no parseable output"] },
  { reason: "agent_timeout", any: ["timed out after"] },
  { reason: "runtime_missing_executable", any: ["executable not found", "exec format error"] },
  {
    reason: "runtime_version_unsupported",
    any: ["below the minimum supported version", "requires a newer version"],
  },
  {
    reason: "process_failure",
    any: [
      "exit status",
      "signal",
      "panic",
      "sigsegv",
      "process exited",
      "pipe has been ended",
      "file already closed",
      "initialize failed",
      "start codex:",
    ],
  },
];

/** Texts of this host, of Deno and of Node-based CLIs that the chapter's rules do not know (spec 08 §15.3, reading). */
const OWN_TEXTS: readonly Rule[] = [
  {
    reason: "runtime_missing_executable",
    any: ["executable file not found", "executable not allowed", "entity not found"],
    all: [["spawn", "enoent"], ["failed to spawn", "no such file"], ["cannot start", "no such file"]],
  },
  {
    reason: "runtime_version_unsupported",
    any: ["is below minimum required"],
  },
  {
    reason: "provider_auth_or_access",
    any: [
      "no authentication information found",
      "authentication required",
      "authentication_error",
      "authentication failed",
      "authentication failure",
      "could not resolve authentication method",
      "invalid x-api-key",
      "incorrect api key",
    ],
  },
  {
    reason: "provider_network",
    any: [
      "econnrefused",
      "econnreset",
      "enotfound",
      "etimedout",
      "ehostunreach",
      "enetunreach",
      "eai_again",
      "getaddrinfo",
      "fetch failed",
      "socket hang up",
      "connection reset",
      "connection error",
      "connection timed out",
      "network error",
      "network is unreachable",
      "name resolution",
      "failed to lookup address",
      "error trying to connect",
      "handshake failure",
      "terminated early",
    ],
  },
  {
    reason: "model_not_found_or_unavailable",
    any: ["model_not_found", "providermodelnotfounderror", "model not supported", "model is not supported"],
    all: [["model", "does not exist"], ["model", "not available"]],
  },
  {
    reason: "empty_or_unparseable_output",
    any: ["ended without terminal result", "stdout read error", "returned no thread id"],
  },
  { reason: "agent_timeout", any: ["app-server handshake timeout"] },
  {
    reason: "process_failure",
    any: ["cannot start ", "epipe", "broken pipe", "exited with code", "prompt write failed"],
  },
];

const UNKNOWN = `${AGENT_ERROR}unknown`;

/**
 * The chapter's classifier to the letter, as newer servers have it (spec 08 §10 with §17.1).
 * Empty and unmatched texts are `agent_error.unknown`.
 */
export function classifyText(text: string): string {
  const probe = text.trim().toLowerCase();
  return probe === "" ? UNKNOWN : reasonOf(RULES, probe) ?? UNKNOWN;
}

/**
 * The reason this host reports. The chapter's rules, improved where it calls them weak (spec 08 §16): a closed
 * usage window and a structured rate limit are named before the free-text rules, `dns` and `signal` need word
 * borders, and texts of this host's own making have reasons (§15.3).
 */
export function classifyFailure(text: string): string {
  const probe = text.trim().toLowerCase();
  if (probe === "") return UNKNOWN;
  if (isUsageWindowClosed(probe)) return `${AGENT_ERROR}provider_quota_limit`;
  if (probe.includes("rate_limit_error")) return `${AGENT_ERROR}provider_capacity_or_rate_limit`;
  const bounded = probe.replace(/[a-z0-9]*(?:dns|signal)[a-z0-9]*/g, maskInsideWords);
  return reasonOf(RULES, bounded) ?? reasonOf(OWN_TEXTS, bounded) ?? UNKNOWN;
}

/** Hides `dns` and `signal` where they are parts of other words (`dnsmasq`, `signalr`); plurals and forms stay. */
function maskInsideWords(word: string): string {
  return /^(dns|signal(s|l?ed|l?ing)?)$/.test(word) ? word : word.replace(/dns|signal/g, "");
}

function reasonOf(rules: readonly Rule[], probe: string): string | undefined {
  const rule = rules.find((candidate) => matches(candidate, probe));
  return rule === undefined ? undefined : AGENT_ERROR + rule.reason;
}

function matches(rule: Rule, probe: string): boolean {
  return (rule.any?.some((word) => probe.includes(word)) ?? false) ||
    (rule.all?.some((group) => group.every((word) => probe.includes(word))) ?? false) ||
    (rule.pattern?.test(probe) ?? false);
}
