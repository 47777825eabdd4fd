/** Requests to a local API: plain HTTP/1.0 over a loopback socket, so that no proxy setting gets in between. */
import { type Clock, errorText, withDeadline } from "../core/mod.ts";
import type { Health } from "./health_schema.ts";

/** Options of every local request. */
export interface LoopbackOptions {
  readonly clock: Clock;
  /** Default 2000. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
}

/** What was found on a health port. */
export type HealthAnswer =
  /** Nobody listens there. */
  | { readonly kind: "down" }
  | { readonly kind: "up"; readonly health: Health }
  /** Somebody listens who is no Multica host, or does not answer in time. */
  | { readonly kind: "foreign"; readonly why: string };

/**
 * A listener that ends resets the connections in its queue; so does a copy of it in a child that is just being forked.
 * The next try tells whether somebody is there.
 */
const TRIES_AFTER_RESET = 3;

/** Asks `GET /health` on `port` (spec 03 §7.9: any trouble counts as not running). */
export async function readHealth(port: number, options: LoopbackOptions): Promise<HealthAnswer> {
  return await askHealth(port, options, TRIES_AFTER_RESET);
}

async function askHealth(port: number, options: LoopbackOptions, tries: number): Promise<HealthAnswer> {
  try {
    const { status, body } = await loopbackRequest(port, "GET", "/health", {}, options);
    const { healthSchema } = await import("./health_schema.ts");
    const parsed = healthSchema.safeParse(JSON.parse(body));
    if (status === 200 && parsed.success) return { kind: "up", health: parsed.data };
    return { kind: "foreign", why: `it answers /health with status ${status}` };
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return { kind: "down" };
    if (error instanceof Deno.errors.ConnectionReset && tries > 0) {
      return await askHealth(port, options, tries - 1);
    }
    return {
      kind: "foreign",
      why: error instanceof SyntaxError ? "it speaks something else" : errorText(error),
    };
  }
}

/** Asks the host on `port` to shut down. `status` 0 = nobody there. */
export async function requestShutdown(
  port: number,
  credential: string,
  options: LoopbackOptions,
): Promise<{ status: number; body: string }> {
  try {
    return await loopbackRequest(
      port,
      "POST",
      "/shutdown",
      { authorization: `Bearer ${credential}` },
      options,
    );
  } catch (error) {
    return { status: 0, body: errorText(error) };
  }
}

/** One request, one answer, one connection. */
export function loopbackRequest(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  options: LoopbackOptions,
): Promise<{ status: number; body: string }> {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, "content-length": "0", ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const request = `${method} ${path} HTTP/1.0\r\n${lines}\r\n`;
  return withDeadline(options.clock, options.limitMs ?? 2000, `request to port ${port}`, async (signal) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const reader = connection.readable.getReader();
    // Closing a connection does not end a read in progress (measured); cancelling its stream does, and closes it.
    const cancel = () => void reader.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      signal.throwIfAborted();
      await writeAll(connection, new TextEncoder().encode(request));
      const answer = await readAll(reader);
      signal.throwIfAborted();
      return parseAnswer(answer);
    } finally {
      signal.removeEventListener("abort", cancel);
      // A connection that broke has nothing left to close; its error is on its way already.
      await reader.cancel().catch(() => {});
    }
  }, options.signal);
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

/** Longest answer read, bytes; a host's is a few KB. */
const MAX_ANSWER = 4 * 1024 * 1024;

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
    if (text.length > MAX_ANSWER) throw new SyntaxError("the answer is too long");
  }
  return text + decoder.decode();
}

function parseAnswer(text: string): { status: number; body: string } {
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(text);
  const end = text.indexOf("\r\n\r\n");
  if (match === null || end < 0) throw new SyntaxError("no HTTP answer");
  return { status: Number(match[1]), body: text.slice(end + 4) };
}
