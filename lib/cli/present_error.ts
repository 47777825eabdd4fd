/** What people see of an error, and the exit code (spec 03 §13.2, §13.3). Results go to stdout, errors to stderr. */
import { HostError } from "../core/mod.ts";

/** What an error of the server's protocol means for people, by its class. */
const SENTENCES: Readonly<Record<string, { text: string; hint: string }>> = {
  network_timeout: {
    text: "The server did not answer in time",
    hint: "check the network, or allow more time: MULTICA_HTTP_TIMEOUT=60s",
  },
  network_dns: {
    text: "The server's name cannot be found",
    hint: "check the address (multica-host config shows it) and --server-url",
  },
  network_refused: {
    text: "Nobody answers at the server's address",
    hint: "check that the server runs, and its address: multica-host config",
  },
  network_tls: {
    text: "No secure connection to the server",
    hint: "check this machine's clock, and its CA certificates (a private one: DENO_CERT=/path/ca.pem)",
  },
  network_offline: { text: "The server cannot be reached", hint: "check the network and --server-url" },
  auth_required: { text: "The server does not accept the token", hint: "multica-host login --token mul_…" },
  forbidden: {
    text: "The server refuses this",
    hint: "check the workspace, or ask its administrator for access",
  },
  not_found: { text: "The server does not know this", hint: "check the id with the list command" },
  conflict: { text: "Somebody changed this at the same time", hint: "look at it again, then repeat" },
  validation: { text: "Invalid request", hint: "see --help" },
  rate_limited: { text: "The server asks to slow down", hint: "wait a minute, then repeat" },
  server_error: { text: "The server has a problem", hint: "try again later; --debug shows its answer" },
};

/** Prints `error` and gives the exit code. */
export function presentError(error: unknown, print: (text: string) => void, debug: boolean): number {
  const { text, hint } = wording(error);
  print(`error: ${text}`);
  if (hint !== "") print(`  → ${hint}`);
  if (debug) print(`\n${debugLines(error).join("\n")}`);
  return error instanceof HostError ? error.exitCode : 1;
}

function wording(error: unknown): { text: string; hint: string } {
  if (!(error instanceof HostError)) {
    const text = error instanceof Error ? error.message || error.name : String(error);
    return { text, hint: "this should not happen; --debug shows where it came from" };
  }
  const sentence = isExchange(error) ? SENTENCES[error.code] : undefined;
  if (sentence === undefined) return { text: error.message, hint: error.hint ?? "" };
  const said = serverText(error.message);
  return { text: said === "" ? sentence.text : `${sentence.text}: ${said}`, hint: sentence.hint };
}

/** Errors of the HTTP client start with method and path, also after they crossed from the engine. */
function isExchange(error: HostError): boolean {
  return /^(GET|POST|PUT|PATCH|DELETE) \//.test(error.message);
}

/** The server's own readable words in an error body (spec 03 §13.3, §17.10). */
function serverText(message: string): string {
  const body = /returned \d{3}: (\{.*\})$/s.exec(message)?.[1];
  if (body === undefined) return "";
  try {
    const fields = JSON.parse(body) as Record<string, unknown>;
    const words = ["error", "message", "detail", "title"].map((key) => fields[key])
      .filter((value): value is string => typeof value === "string" && value !== "");
    return words.find((value) => !/^[a-z0-9_.-]+$/.test(value)) ?? words[0] ?? "";
  } catch {
    // A body that only looks like JSON has no words for people; --debug shows it.
    return "";
  }
}

function debugLines(error: unknown): string[] {
  const lines: string[] = [];
  for (let at = error, depth = 0; at !== undefined && depth < 8; depth++) {
    const facts = at instanceof HostError ? ` code=${at.code} ${JSON.stringify(at.facts)}` : "";
    const text = at instanceof Error ? at.stack ?? at.message : String(at);
    lines.push(...`${text}${facts}`.split("\n").map((line) => `[debug] ${line}`));
    at = at instanceof Error ? at.cause : undefined;
  }
  return lines;
}
