/** A small real server for these tests: scripted answers over HTTP, and both ends of a WebSocket. */
import { HttpControl, type TransportOptions } from "../../../lib/control/mod.ts";
import { type Clock, systemClock } from "../../../lib/core/mod.ts";

/** A request as it arrived. */
export interface Seen {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

export type Handler = (seen: Seen, n: number, request: Request) => Response | Promise<Response>;

export interface TestServer {
  readonly url: string;
  readonly seen: Seen[];
}

/** Serves `handler` on loopback while `use` runs. */
export async function withServer(
  handler: Handler,
  use: (server: TestServer) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = request.headers.get("upgrade") === null ? await request.text() : "";
    const entry = { method: request.method, path: pathname + search, headers: request.headers, body };
    seen.push({ ...entry, headers: new Headers(request.headers) });
    return await handler(entry, seen.length, request);
  });
  try {
    await use({ url: `http://127.0.0.1:${server.addr.port}`, seen });
  } finally {
    await server.shutdown();
  }
}

/** A client of `url`, closed after `use`. */
export async function withControl(
  url: string,
  use: (control: HttpControl) => Promise<void>,
  options: Partial<TransportOptions> & { clock?: Clock } = {},
): Promise<void> {
  const control = new HttpControl({
    baseUrl: url,
    token: () => "mul_test",
    identity: { version: "9.9.9", os: "linux" },
    clock: systemClock,
    ...options,
  });
  try {
    await use(control);
  } finally {
    control.close();
  }
}

/** Server and client together. */
export function withBoth(
  handler: Handler,
  use: (control: HttpControl, server: TestServer) => Promise<void>,
  options: Partial<TransportOptions> = {},
): Promise<void> {
  return withServer(handler, (server) => withControl(server.url, (control) => use(control, server), options));
}

/** `{"error": …}` with a status. */
export function refuse(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers });
}

/** A promise settled from outside. */
export function gate<T = void>(): { promise: Promise<T>; open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => open = resolve);
  return { promise, open };
}
