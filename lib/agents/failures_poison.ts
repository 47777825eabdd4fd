/** Predicates that say a session or a result is poisoned, beside the general classifier (spec 08 §11, §17.3). */
import { utf8Length } from "../core/mod.ts";

/** Longest output, in UTF-8 bytes, that can be a fallback message; the limit itself counts (spec 08 §11.1). */
export const POISON_MAX_BYTES = 320;

const OUTPUT_MARKERS: readonly (readonly [reason: string, ...words: string[]])[] = [
  ["iteration_limit", "i reached the iteration limit"],
  ["agent_fallback_message", "put your final update inside the content string"],
  ["agent_error.context_overflow", "prompt is too long", "cannot be compacted"],
  ["agent_error.context_overflow", "conversation too long", "press esc twice"],
  ["agent_error.context_overflow", "compaction failed", "reduced below the context limit"],
];

/** The reason a *completed* run's output is no answer at all, or undefined for a good one (spec 08 §11.1, §17.3). */
export function poisonedOutput(output: string): string | undefined {
  const text = output.trim();
  if (text === "" || utf8Length(text) > POISON_MAX_BYTES) return undefined;
  const probe = text.toLowerCase();
  return OUTPUT_MARKERS.find(([, ...words]) => words.every((word) => probe.includes(word)))?.[0];
}

/**
 * `api_invalid_request` when the provider refuses the conversation itself, else undefined. Only on the failure
 * path, and asked before the classifier (spec 08 §11.2, §17.3). The 400 must stand alone (spec 08 §16).
 */
export function poisonedError(text: string): string | undefined {
  const probe = text.toLowerCase();
  const refused = probe.includes("invalid_request_error") && /(^|[^0-9])400([^0-9]|$)/.test(probe);
  const poisoned = refused || oversizedImage(probe) || unresumableHistory(text);
  return poisoned ? "api_invalid_request" : undefined;
}

function oversizedImage(probe: string): boolean {
  return probe.includes("image dimensions exceed max allowed size") &&
    probe.includes("image.source.base64.data");
}

const EMPTY_CONTENT =
  /must not be empty|must be non-?empty|must have non-?empty|non-?empty content|cannot be empty|should not be empty/i;
const MESSAGE_LOCATOR =
  /role[^a-z0-9]{0,2}assistant|assistant message|message at position|messages\.[0-9]|messages\[[0-9]/i;

/** The stored history holds a message the provider will never take again (spec 08 §17.3). */
export function unresumableHistory(text: string): boolean {
  return EMPTY_CONTENT.test(text) && MESSAGE_LOCATOR.test(text);
}

/** The session was made with a login this run does not have (spec 08 §17.3). */
export function authMethodUnresolved(text: string): boolean {
  return text.toLowerCase().includes("could not resolve authentication method");
}

/** The provider's CLI has no model provider configured; the caller may add where it looked (spec 08 §17.3). */
export function providerUnconfigured(text: string): boolean {
  return text.toLowerCase().includes("no llm provider configured");
}

/** `codex_resume_oversized` when Codex could not hand over a thread because it is too big (spec 08 §17.3). */
export function codexResumeOversized(provider: string, text: string): string | undefined {
  const probe = text.toLowerCase();
  const oversized = isCodex(provider) && probe.includes("thread/resume failed") &&
    probe.includes("token too long");
  return oversized ? "codex_resume_oversized" : undefined;
}

/** Start of the semantic inactivity text; {@link resumeUnsafeTimeout} and the server key on it. */
export const CODEX_INACTIVITY_MARK = "codex semantic inactivity timeout";
/** Start of the first-turn text; {@link resumeUnsafeTimeout} and the server key on it. */
export const CODEX_NO_PROGRESS_MARK = "codex app-server no progress timeout";

/** `codex_semantic_inactivity` for a stalled Codex turn, else undefined: an ordinary timeout (spec 08 §11.3). */
export function resumeUnsafeTimeout(provider: string, text: string): string | undefined {
  const probe = text.toLowerCase();
  const stalled = isCodex(provider) &&
    (probe.includes(CODEX_INACTIVITY_MARK) || probe.includes(CODEX_NO_PROGRESS_MARK));
  return stalled ? "codex_semantic_inactivity" : undefined;
}

function isCodex(provider: string): boolean {
  return provider.trim().toLowerCase() === "codex";
}
