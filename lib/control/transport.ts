/** One HTTP exchange with the server: headers, time limit, redirects, size limits, errors (spec 01 §1.2–1.4). */
import { type Clock, errorText, type Timer } from "../core/mod.ts";
import { onceOnly, readBody } from "./bodies.ts";
import { RequestError, TransportError, transportKind } from "./errors.ts";
import { CLIENT_CAPABILITIES, clientHeaders, type ClientIdentity } from "./identity_headers.ts";

/** What a {@link Transport} is made of. */
export interface TransportOptions {
  /** Normalised, without trailing slash (spec 01 §1.1). */
  readonly baseUrl: string;
  /** Read before every request, so that a new login takes effect. "" = none. */
  readonly token: () => string;
  readonly identity: ClientIdentity;
  readonly clock: Clock;
  /** Default {@link CLIENT_CAPABILITIES}. */
  readonly capabilities?: readonly string[];
  /** Longest answer in bytes. Default 64 MiB. */
  readonly maxResponseBytes?: number;
}

/** One request. */
export interface Exchange {
  readonly method: "GET" | "POST";
  /** Below the base URL, ids already escaped. */
  readonly path: string;
  /** JSON of a POST, as text or UTF-8. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /**
   * Sent at most once ({@link onceOnly}): what is not idempotent must not be repeated (spec 01 §4.9, §4.15).
   */
  readonly once?: boolean;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly ifNoneMatch?: string;
  /** The answer can be megabytes: take it compressed. Small ones cost more to unpack than to send. */
  readonly large?: boolean;
}

/** An answer below 400. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string;
}

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
/** How much of an error body is read before the rest is dropped, and how much of it is kept. */
const MAX_ERROR_READ = 64 * 1024;
const MAX_ERROR_KEPT = 4096;
const MAX_REDIRECTS = 10;

/** Owns the connection pool. */
export class Transport {
  #client = Deno.createHttpClient({});
  #headersToken: string | undefined;
  #getHeaders: Readonly<Record<string, string>> = {};
  #postHeaders: Readonly<Record<string, string>> = {};
  readonly #origin: string;
  readonly #base: string;

  constructor(private readonly options: TransportOptions) {
    const { origin, pathname } = new URL(options.baseUrl);
    this.#origin = origin;
    this.#base = origin + (pathname === "/" ? "" : pathname.replace(/\/+$/, ""));
  }

  /**
   * One exchange; the answer's body has been read to its end.
   * @throws {RequestError} for a status of 400 or more, {TransportError} for everything else that fails, and the
   * signal's reason when the caller gave up.
   */
  async exchange(call: Exchange): Promise<Answer> {
    const { signal, limitMs } = call;
    signal?.throwIfAborted();
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    let late = false;
    const timer: Timer = this.options.clock.timer(limitMs, () => {
      late = true;
      abort.abort();
    });
    try {
      return await this.#follow(call, abort.signal);
    } catch (error) {
      if (error instanceof RequestError || error instanceof TransportError) throw error;
      if (signal?.aborted) throw signal.reason;
      if (late) {
        throw new TransportError("network_timeout", call.method, call.path, `no answer in ${limitMs} ms`);
      }
      throw this.#failure(call, error);
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Forgets pooled connections that may be dead; requests under way go on (measured). */
  dropConnections(): void {
    const old = this.#client;
    this.#client = Deno.createHttpClient({});
    old.close();
  }

  /** Ends the pool; nothing can be sent afterwards. */
  close(): void {
    this.#client.close();
  }

  async #follow(call: Exchange, signal: AbortSignal): Promise<Answer> {
    let { method, body } = call;
    let url = this.#base + call.path;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await fetch(url, {
        method,
        headers: this.#headers(method, call),
        redirect: "manual",
        client: this.#client,
        signal,
        ...(body === undefined ? {} : { body: call.once === true ? onceOnly(body) : body }),
      });
      const { status } = response;
      const location = status > 300 && status < 400 && status !== 304
        ? response.headers.get("location")
        : null;
      if (location === null) return await this.#answer(call, response);
      await response.body?.cancel();
      url = this.#redirected(call, url, location);
      if (method === "POST" && status !== 307 && status !== 308) {
        method = "GET";
        body = undefined;
      }
    }
    throw new TransportError(
      "network_offline",
      call.method,
      call.path,
      `more than ${MAX_REDIRECTS} redirects`,
    );
  }

  /** The next URL, only below the same origin: the bearer goes nowhere else. */
  #redirected(call: Exchange, from: string, location: string): string {
    const next = URL.parse(location, from);
    if (next?.origin === this.#origin) return next.href;
    const target = next === null ? "an invalid address" : next.origin;
    throw new TransportError(
      "network_offline",
      call.method,
      call.path,
      `redirected to ${target}, which is not the configured server; set the server URL to it if it is yours`,
    );
  }

  async #answer({ method, path }: Exchange, response: Response): Promise<Answer> {
    const { status, headers } = response;
    if (status >= 400) {
      const { bytes } = await readBody(response, MAX_ERROR_READ);
      const body = decoder.decode(bytes.subarray(0, MAX_ERROR_KEPT)).trim();
      const retryAfterMs = parseRetryAfter(headers.get("retry-after"), this.options.clock.now());
      throw new RequestError({ method, path, status, body, retryAfterMs });
    }
    const max = this.options.maxResponseBytes ?? MAX_RESPONSE_BYTES;
    const length = headers.get("content-length");
    if (response.body === null) return { status, text: "", etag: headers.get("etag") ?? "" };
    if (length !== null && Number(length) <= max) {
      return { status, text: await response.text(), etag: headers.get("etag") ?? "" };
    }
    const { bytes, cut } = await readBody(response, max);
    if (cut) throw new TransportError("bad_response", method, path, `answer is longer than ${max} bytes`);
    return { status, text: decoder.decode(bytes), etag: headers.get("etag") ?? "" };
  }

  /** Built once a token; plain objects, which fetch takes faster than Headers. */
  #headers(method: "GET" | "POST", { ifNoneMatch, large }: Exchange): Record<string, string> {
    const token = this.options.token();
    if (token !== this.#headersToken) {
      const { identity, capabilities = CLIENT_CAPABILITIES } = this.options;
      this.#getHeaders = { ...clientHeaders(identity, token, capabilities), "Accept-Encoding": "identity" };
      this.#postHeaders = { ...this.#getHeaders, "Content-Type": "application/json" };
      this.#headersToken = token;
    }
    const headers = method === "POST" ? this.#postHeaders : this.#getHeaders;
    if (ifNoneMatch === undefined && !large) return headers;
    return {
      ...headers,
      ...(ifNoneMatch === undefined ? {} : { "If-None-Match": ifNoneMatch }),
      ...(large ? { "Accept-Encoding": "gzip, br" } : {}),
    };
  }

  #failure({ method, path }: Exchange, error: unknown): TransportError {
    const reason = errorText(error).replace(/^error sending request for url \(.*?\): /, "")
      .replace(/\b[a-z]+:\/\/\S+/gi, "…");
    return new TransportError(transportKind(reason), method, path, reason, error);
  }
}

const decoder = new TextDecoder();

/** `Retry-After` in seconds or as a date → ms from now, at most an hour; undefined when absent or unreadable. */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 3_600_000) : undefined;
}
