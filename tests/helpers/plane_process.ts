/** A plane in its own process, steered from the test: the same methods as {@link Plane}, over `/api/test/*`. */
import type { Plane, PlaneEvent, RecordedRequest, TaskView } from "../../lib/plane/mod.ts";
import type { WireBehaviour } from "./plane_test_routes.ts";

/** See {@link PlaneProcess.start}. */
export interface PlaneProcessOptions {
  readonly port?: number;
  /** SQLite file. @default in memory */
  readonly db?: string;
  readonly era?: "baseline" | "later";
  readonly token?: string;
  readonly gate?: boolean;
  readonly record?: boolean;
  /** With the workspace "Local" and agents made at registration. */
  readonly local?: boolean;
  readonly sync?: "OFF" | "NORMAL" | "FULL";
}

type Methods = {
  // deno-lint-ignore no-explicit-any
  [K in keyof Plane]: Plane[K] extends (...args: any[]) => any ? K : never;
}[keyof Plane];

/** A running plane process. */
export class PlaneProcess {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, line: { url: string; token: string; pid: number }) {
    this.#child = child;
    this.url = line.url;
    this.token = line.token;
    this.pid = line.pid;
  }

  /** Starts `plane_main.ts` and waits for its line. It ends with this process. */
  static async start(options: PlaneProcessOptions = {}): Promise<PlaneProcess> {
    const main = new URL("./plane_main.ts", import.meta.url).pathname;
    const flags = Object.entries(options).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : value === false ? [] : [`--${name}`, String(value)]
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", main, "--tied", ...flags],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return new PlaneProcess(child, JSON.parse(await firstLine(child.stdout)));
  }

  /** Calls an administration method of the plane. */
  call<K extends Methods>(
    method: K,
    // deno-lint-ignore no-explicit-any
    ...args: Plane[K] extends (...args: infer A) => any ? A : never
    // deno-lint-ignore no-explicit-any
  ): Promise<Plane[K] extends (...args: any[]) => infer R ? Awaited<R> : never> {
    return this.#post("call", { method, args });
  }

  /** Scripts a fault; returns an id for {@link used} and {@link clear}. */
  async script(pattern: string, behaviours: readonly WireBehaviour[]): Promise<number> {
    return (await this.#post<{ id: number }>("script", { pattern, behaviours })).id;
  }

  /** A standing fault. */
  async always(pattern: string, behaviour: WireBehaviour): Promise<number> {
    return (await this.#post<{ id: number }>("script", { pattern, always: behaviour })).id;
  }

  /** How many requests a fault has met. */
  async used(id: number): Promise<number> {
    return (await this.#post<{ used: number }>("script/used", { id })).used;
  }

  /** Ends one fault, or all. */
  async clear(id?: number): Promise<void> {
    await this.#post("script/clear", id === undefined ? {} : { id });
  }

  /** Lets requests at a named hold go on. */
  async release(hold: string): Promise<void> {
    await this.#post("release", { hold });
  }

  /** Resolves when a request waits at a named hold. */
  async reached(hold: string): Promise<void> {
    await this.#post("reached", { hold });
  }

  /** Any other test route with a body. */
  post<T = unknown>(route: string, body: unknown = {}): Promise<T> {
    return this.#post<T>(route, body);
  }

  /** Requests so far; needs `record`. */
  requests(filter?: string): Promise<RecordedRequest[]> {
    return this.#get(filter === undefined ? "requests" : `requests?filter=${encodeURIComponent(filter)}`);
  }

  /** Calls per endpoint. */
  rates(): Promise<Record<string, number>> {
    return this.#get("rates");
  }

  /** Every event after number `after`, waiting for the next when there is none yet; ends with the signal. */
  async *events(after = 0, signal?: AbortSignal): AsyncGenerator<{ n: number; event: PlaneEvent }> {
    for (let n = after; !signal?.aborted;) {
      for (const one of await this.#get<{ n: number; event: PlaneEvent }[]>(`events?after=${n}`, signal)) {
        n = one.n;
        yield one;
      }
    }
  }

  /** Resolves with the task once it is in one of these states. */
  async taskState(id: string, states: string | readonly string[], signal?: AbortSignal): Promise<TaskView> {
    const wanted = typeof states === "string" ? [states] : states;
    for await (const { event } of this.events(0, signal)) {
      if (event.type !== "task" || event.taskId !== id || !wanted.includes(event.to)) continue;
      const task = await this.call("task", id);
      if (task !== undefined && task !== null) return task;
    }
    throw signal?.reason ?? new Error(`task ${id} did not reach ${wanted.join(", ")}`);
  }

  /** Ends the process and waits for it. */
  async stop(): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }

  /** Kills it without a word, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
  }

  async #post<T>(route: string, body: unknown): Promise<T> {
    const response = await fetch(`${this.url}/api/test/${route}`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.token}` },
      body: JSON.stringify(body),
    });
    return await decode<T>(response, route);
  }

  async #get<T>(route: string, signal?: AbortSignal): Promise<T> {
    const response = await fetch(`${this.url}/api/test/${route}`, {
      headers: { authorization: `Bearer ${this.token}` },
      ...(signal === undefined ? {} : { signal }),
    });
    return await decode<T>(response, route);
  }
}

async function decode<T>(response: Response, route: string): Promise<T> {
  const value = await response.json();
  if (!response.ok) throw new Error(`plane ${route}: ${value.error ?? response.status}`);
  return value as T;
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`plane process ended before its first line: ${text}`);
    text += value;
    const end = text.indexOf("\n");
    if (end < 0) continue;
    await reader.cancel();
    return text.slice(0, end);
  }
}
