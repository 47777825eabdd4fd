/** What a call to the server can end in: an HTTP status, or no answer at all (spec 01 §1.4, 03 §13.2). */
import { HostError } from "../core/mod.ts";

/** Facts of a {@link RequestError}. */
export interface RequestFailure {
  readonly method: string;
  /** Path below the base URL, with its query. */
  readonly path: string;
  readonly status: number;
  /** The first 4096 bytes of the answer, trimmed. */
  readonly body: string;
  /** How long the server asked to wait (`Retry-After`), ms. */
  readonly retryAfterMs?: number | undefined;
}

/** The server answered with a status of 400 or more. Text: `POST /api/… returned 409: <body>`. */
export class RequestError extends HostError {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | undefined;

  constructor({ method, path, status, body, retryAfterMs }: RequestFailure) {
    const { code, exitCode, hint } = statusClass(status);
    super(`${method} ${path} returned ${status}: ${body}`, {
      code,
      exitCode,
      facts: { method, path, status },
      ...(hint === undefined ? {} : { hint }),
    });
    this.method = method;
    this.path = path;
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Classes of failures without an HTTP status (spec 03 §13.2). */
export type TransportKind =
  | "network_timeout"
  | "network_dns"
  | "network_refused"
  | "network_tls"
  | "network_offline"
  /** An answer came and could not be understood. */
  | "bad_response";

/** No usable answer: DNS, connect, TLS, I/O, time-out, or a body that is not what the call promises. Transient. */
export class TransportError extends HostError {
  constructor(
    readonly kind: TransportKind,
    readonly method: string,
    readonly path: string,
    /** Why, without URLs. */
    readonly reason: string,
    cause?: unknown,
  ) {
    super(`${method} ${path} failed: ${reason}`, {
      code: kind,
      exitCode: kind === "bad_response" ? 1 : 2,
      facts: { method, path },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

function statusClass(status: number): { code: string; exitCode: number; hint?: string } {
  switch (status) {
    case 401:
      return { code: "auth_required", exitCode: 3, hint: "multica-host login" };
    case 403:
      return { code: "forbidden", exitCode: 3 };
    case 404:
      return { code: "not_found", exitCode: 4 };
    case 409:
      return { code: "conflict", exitCode: 1 };
    case 400:
    case 422:
      return { code: "validation", exitCode: 5 };
    case 429:
      return { code: "rate_limited", exitCode: 1 };
  }
  return { code: status >= 500 ? "server_error" : "unknown", exitCode: 1 };
}

const TIMEOUT = ["context deadline exceeded", "timeout", "timed out"];
const DNS = [
  "dns error",
  "no such host",
  "server misbehaving",
  "name resolution",
  "failed to lookup address",
];
const REFUSED = ["connection refused"];
const TLS = ["x509", "certificate", "tls", "ssl", "corrupt message"];

/** The class of a failure by its text, in the order of spec 03 §13.2. */
export function transportKind(text: string): TransportKind {
  const lower = text.toLowerCase();
  const has = (words: readonly string[]) => words.some((word) => lower.includes(word));
  if (has(TIMEOUT)) return "network_timeout";
  if (has(DNS)) return "network_dns";
  if (has(REFUSED)) return "network_refused";
  if (has(TLS)) return "network_tls";
  return "network_offline";
}
