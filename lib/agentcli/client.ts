/** HTTP of the commands: headers, time limits, redirects, size limits, errors (spec 05 §16; 03 §13.1). */
import {
  clientHeaders,
  onceOnly,
  readBody,
  RequestError,
  TransportError,
  transportKind,
} from "../control/mod.ts";
import { type Clock, errorText, VERSION } from "../core/mod.ts";

/** What an {@link ApiClient} is made of. */
export interface ClientOptions {
  /** Normalised, without trailing slash. */
  readonly baseUrl: string;
  readonly token: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly taskId: string;
  /** Limit of one request, ms. */
  readonly limitMs: number;
  readonly clock: Clock;
}

/** One request. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the base URL, parts already escaped. */
  readonly path: string;
  /** Parameters; sorted by name, as the server's own tool sends them. */
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: FormData;
  /** Least limit, ms: transfers take longer. */
  readonly leastLimitMs?: number;
  /** A redirect may lead to another server, which then gets none of our headers. */
  readonly mayLeave?: boolean;
}

/** An answer below 400. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Decoded body; undefined when there was none. */
  readonly json: unknown;
}

/** Largest file up or down, bytes. */
export const MAX_FILE = 100 * 1024 * 1024;
/** Limit of uploads and downloads, ms. */
export const TRANSFER_LIMIT_MS = 60_000;
/** The whole command may take this much longer than a request, so that the request's own limit speaks first. */
const COMMAND_EXTRA_MS = 5_000;
const MAX_ANSWER = 64 * 1024 * 1024;
const MAX_ERROR = 4096;
const MAX_REDIRECTS = 5;

/** Speaks to one server as one task. Nothing is ever sent twice. */
export class ApiClient {
  constructor(readonly options: ClientOptions) {}

  get(path: string, query: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    return this.request({ method: "GET", path, query });
  }

  /** @throws {RequestError} for a status of 400 or more, {TransportError} when no usable answer came. */
  async request(request: ApiRequest): Promise<ApiAnswer> {
    const { method, path } = request;
    return await this.#limited(method, path, request.leastLimitMs ?? 0, async (signal) => {
      const response = await this.#send(request, signal);
      const { bytes, cut } = await readBody(response, MAX_ANSWER);
      if (cut) {
        throw new TransportError("bad_response", method, path, "the answer is too long");
      }
      const text = decoder.decode(bytes);
      return { status: response.status, headers: response.headers, json: parsed(method, path, text) };
    });
  }

  /**
   * The bytes of a file. A path below the server is asked for with the task's headers, an absolute URL without any:
   * it is signed, and belongs to somebody else.
   */
  async download(url: string): Promise<Uint8Array> {
    const relative = url.startsWith("/") && !url.startsWith("//");
    const path = relative ? url : "(download)";
    return await this.#limited("GET", path, TRANSFER_LIMIT_MS, async (signal) => {
      const response = relative
        ? await this.#send({ method: "GET", path: url, mayLeave: true }, signal)
        : await checkedAnswer("GET", path, await fetch(url, { signal }));
      const { bytes, cut } = await readBody(response, MAX_FILE);
      if (cut) {
        throw new TransportError("bad_response", "GET", path, `the file is larger than ${MAX_FILE} bytes`);
      }
      return bytes;
    });
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<Response> {
    const { method, path, query = {}, form } = request;
    const search = new URLSearchParams(query);
    search.sort();
    let url = this.options.baseUrl + path + (search.size === 0 ? "" : `?${search}`);
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const body = form ?? (request.json === undefined ? undefined : onceOnly(JSON.stringify(request.json)));
      const response = await fetch(url, {
        method,
        headers: this.#headers(request.json !== undefined),
        redirect: "manual",
        signal,
        ...(body === undefined ? {} : { body }),
      });
      const location = [301, 302, 303, 307, 308].includes(response.status)
        ? response.headers.get("location")
        : null;
      if (location === null) return await checkedAnswer(method, path, response);
      await response.body?.cancel();
      const next = this.#redirected(request, url, location);
      if (!next.ours) return await checkedAnswer(method, path, await fetch(next.url, { signal }));
      url = next.url;
    }
    throw new TransportError("network_offline", method, path, `more than ${MAX_REDIRECTS} redirects`);
  }

  /** The next address: the token stays with its server, and nothing but a read may move. */
  #redirected({ method, path, mayLeave = false }: ApiRequest, from: string, location: string): {
    readonly url: string;
    readonly ours: boolean;
  } {
    const next = URL.parse(location, from);
    const ours = next?.origin === new URL(this.options.baseUrl).origin;
    if (next !== null && /^https?:$/.test(next.protocol) && method === "GET" && (ours || mayLeave)) {
      return { url: next.href, ours };
    }
    throw new TransportError(
      "network_offline",
      method,
      path,
      `redirected to ${next?.origin ?? "an invalid address"}: check the server URL`,
    );
  }

  #headers(json: boolean): Record<string, string> {
    const { token, workspaceId, agentId, taskId } = this.options;
    return {
      ...clientHeaders({ version: VERSION || "dev", platform: "cli" }, token, ["stable_attachment_urls"]),
      ...(workspaceId === "" ? {} : { "X-Workspace-ID": workspaceId }),
      ...(agentId === "" ? {} : { "X-Agent-ID": agentId }),
      ...(taskId === "" ? {} : { "X-Task-ID": taskId }),
      ...(json ? { "Content-Type": "application/json" } : {}),
    };
  }

  async #limited<T>(
    method: string,
    path: string,
    leastMs: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limitMs = leastMs === 0
      ? this.options.limitMs
      : Math.max(leastMs, this.options.limitMs + COMMAND_EXTRA_MS);
    const abort = new AbortController();
    const timer = this.options.clock.timer(limitMs, () => abort.abort());
    try {
      return await work(abort.signal);
    } catch (error) {
      if (error instanceof RequestError || error instanceof TransportError) throw error;
      if (abort.signal.aborted) {
        throw new TransportError("network_timeout", method, path, `no answer in ${limitMs} ms`, error);
      }
      const reason = errorText(error).replace(/^error sending request for url \(.*?\): /, "");
      throw new TransportError(transportKind(reason), method, path, reason, error);
    } finally {
      timer.cancel();
    }
  }
}

/** One escaped part of a path. */
export function part(text: string): string {
  return encodeURIComponent(text);
}

const decoder = new TextDecoder();

function parsed(method: string, path: string, text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TransportError("bad_response", method, path, "the answer is no JSON", error);
  }
}

async function checkedAnswer(method: string, path: string, response: Response): Promise<Response> {
  if (response.status < 400) return response;
  const { bytes } = await readBody(response, 16 * MAX_ERROR);
  const body = decoder.decode(bytes.subarray(0, MAX_ERROR)).trim();
  throw new RequestError({ method, path, status: response.status, body });
}
