/** What the plane was asked: every request and frame with its time, rates per endpoint, and waiting for one. */
import { Broadcast } from "../core/mod.ts";

/** One request, or one frame from a host (method `WS`, path = frame type) or RPC (method `RPC`). */
export interface RecordedRequest {
  /** Running number from 1. */
  readonly n: number;
  readonly method: string;
  readonly path: string;
  /** Query without "?". */
  readonly search: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Plane time, milliseconds. */
  readonly at: number;
  /** Answer's status; 0 while open or when the connection was broken. */
  status: number;
}

/** Keeps the last `cap` entries; counting goes on when keeping is off. */
export class Recorder {
  readonly #kept: RecordedRequest[] = [];
  readonly #counts = new Map<string, number>();
  readonly #arrivals = new Broadcast<RecordedRequest>();
  #n = 0;

  constructor(readonly keep: boolean, readonly cap = 50_000) {}

  /** Notes an arrival; the caller fills `status` later. */
  add(entry: Omit<RecordedRequest, "n" | "status">): RecordedRequest {
    const record = { ...entry, n: ++this.#n, status: 0 };
    const key = `${entry.method} ${shape(entry.path)}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (this.keep) {
      this.#kept.push(record);
      if (this.#kept.length > this.cap) this.#kept.splice(0, this.cap / 10);
      this.#arrivals.publish(record);
    }
    return record;
  }

  /** Entries kept, oldest first; a string keeps those whose `METHOD path` contains it. */
  requests(filter?: string | ((entry: RecordedRequest) => boolean)): RecordedRequest[] {
    if (filter === undefined) return [...this.#kept];
    const test = typeof filter === "function"
      ? filter
      : (entry: RecordedRequest) => `${entry.method} ${entry.path}`.includes(filter);
    return this.#kept.filter(test);
  }

  /** How often each endpoint was called, ids replaced by `:id`. */
  rates(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** Forgets entries and counts. */
  reset(): void {
    this.#kept.length = 0;
    this.#counts.clear();
  }

  /**
   * Resolves with the first kept or future entry that fits. `after` skips entries up to that number.
   * Needs `keep`. Rejects when the signal aborts.
   */
  waitFor(
    predicate: (entry: RecordedRequest) => boolean,
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): Promise<RecordedRequest> {
    const after = options.after ?? 0;
    const known = this.#kept.find((entry) => entry.n > after && predicate(entry));
    if (known !== undefined) return Promise.resolve(known);
    return waitOn(this.#arrivals, predicate, options.signal);
  }
}

/** Resolves with the first published value that fits. */
export function waitOn<T>(
  source: Broadcast<T>,
  predicate: (value: T) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      stop();
      signal?.removeEventListener("abort", onAbort);
    };
    const onAbort = () => {
      end();
      reject(signal?.reason);
    };
    const stop = source.subscribe((value) => {
      if (!predicate(value)) return;
      end();
      resolve(value);
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/gi;

function shape(path: string): string {
  return path.replaceAll(ID, ":id");
}
