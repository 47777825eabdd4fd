/** One run at a time in a user's directory, and in what lies above or below it (spec 04 §10.4, 20.17). */
import { HostError, isBelow } from "../core/mod.ts";

/** How a lock is waited for. */
export interface PathLockOptions {
  readonly signal?: AbortSignal;
  /** Hears the task that has the directory, once, before the wait begins; "" when it is only queued before us. */
  readonly onBusy?: (holderTaskId: string) => void;
}

interface Claim {
  readonly path: string;
  readonly taskId: string;
}

interface Waiter extends Claim {
  readonly grant: () => void;
}

/** Owner of all directory locks of this host. First in, first out among paths that contain each other. */
export class PathLocks {
  readonly #held = new Set<Claim>();
  #waiting: Waiter[] = [];

  /** The task at work in a directory that overlaps `path`, "" for none. */
  holder(path: string): string {
    return [...this.#held].find((claim) => overlap(claim.path, path))?.taskId ?? "";
  }

  /** Takes the directory. Rejects with the signal's reason; a waiter that gave up never holds it. */
  acquire(path: string, taskId: string, options: PathLockOptions = {}): Promise<() => void> {
    const { signal, onBusy } = options;
    if (path === "" || taskId === "") {
      throw new HostError("A directory lock needs a path and a task", { code: "path_lock_arguments" });
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const claim: Claim = { path, taskId };
    if (!this.#blocked(claim, this.#waiting)) return Promise.resolve(this.#take(claim));
    onBusy?.(this.holder(path));
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal?.reason);
        this.#advance();
      };
      const waiter: Waiter = {
        ...claim,
        grant: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve(this.#take(claim));
        },
      };
      this.#waiting.push(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #take(claim: Claim): () => void {
    this.#held.add(claim);
    return () => {
      if (this.#held.delete(claim)) this.#advance();
    };
  }

  #blocked(claim: Claim, before: readonly Claim[]): boolean {
    return [...this.#held, ...before].some((other) => overlap(other.path, claim.path));
  }

  /** Grants every waiter that neither a holder nor an earlier waiter stands in the way of. */
  #advance(): void {
    const still: Waiter[] = [];
    for (const waiter of this.#waiting) {
      if (this.#blocked(waiter, still)) still.push(waiter);
      else waiter.grant();
    }
    this.#waiting = still;
  }
}

function overlap(a: string, b: string): boolean {
  return isBelow(a, b) || isBelow(b, a);
}
