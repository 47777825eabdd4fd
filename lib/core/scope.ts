/** Scopes: everything that runs (loops, requests, children) ends with its parent, and is waited for. */
import { errorText, isAbort, ScopeClosed } from "./errors.ts";
import { getLog } from "./log.ts";

const log = getLog("core");

/**
 * A lifetime. Work started in it gets its signal; closing aborts the signal and waits for all of it.
 * A failure of one job is logged and does not end its siblings: who needs the outcome awaits {@link Scope.run}.
 */
export class Scope {
  readonly #abort = new AbortController();
  readonly #jobs = new Set<Promise<unknown>>();
  readonly #children = new Set<Scope>();
  #detach: () => void = () => {};

  constructor(readonly name: string, parent?: Scope | AbortSignal) {
    if (parent instanceof Scope) {
      parent.#children.add(this);
      if (parent.signal.aborted) this.#abort.abort(parent.signal.reason);
      this.#detach = () => parent.#children.delete(this);
    } else if (parent !== undefined) {
      const onAbort = () => this.#abort.abort(parent.reason);
      if (parent.aborted) onAbort();
      else parent.addEventListener("abort", onAbort, { once: true });
      this.#detach = () => parent.removeEventListener("abort", onAbort);
    }
  }

  /** Aborted when the scope closes. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** How many jobs run in this scope itself. */
  get size(): number {
    return this.#jobs.size;
  }

  /** A scope that ends with this one. */
  child(name: string): Scope {
    return new Scope(`${this.name}/${name}`, this);
  }

  /** Starts `work` and returns its outcome; the scope waits for it on close. Rejects once the scope is closed. */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.signal.aborted) return Promise.reject(this.signal.reason);
    const job = work(this.signal);
    const tracked: Promise<unknown> = job.then(() => {}, () => {}).finally(() => this.#jobs.delete(tracked));
    this.#jobs.add(tracked);
    return job;
  }

  /** Starts background work; an error that is not the scope's own end is logged with the job's name. */
  spawn(job: string, work: (signal: AbortSignal) => Promise<unknown>): void {
    if (this.signal.aborted) return;
    this.run(work).catch((error: unknown) => {
      if (isAbort(error) && this.signal.aborted) return;
      log.error("background job failed", { scope: this.name, job, error: errorText(error) });
    });
  }

  /** Aborts everything in the scope, without waiting. Idempotent; the first reason stays. */
  abort(reason: unknown = new ScopeClosed(`${this.name} closed`)): void {
    if (!this.signal.aborted) this.#abort.abort(reason);
    for (const child of this.#children) child.abort(this.signal.reason);
  }

  /** Waits until nothing runs in the scope or its children. */
  async join(): Promise<void> {
    while (this.#jobs.size > 0 || this.#children.size > 0) {
      await Promise.all([...this.#jobs, ...[...this.#children].map((child) => child.close())]);
    }
  }

  /** Aborts and waits for everything. Idempotent. */
  async close(reason?: unknown): Promise<void> {
    this.abort(reason);
    await Promise.all([...this.#children].map((child) => child.close(this.signal.reason)));
    await Promise.all([...this.#jobs]);
    this.#detach();
  }
}
