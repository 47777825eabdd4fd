/**
 * Who may use an env root (spec 04 §20.1). Inside this host a table excludes two runs from one root; between hosts the
 * health port does, which only one host of a profile can hold. The owner file protects a root from other tasks, also
 * across restarts. `.task_lock` is there for tools that look for it; runtimes before 2.8 cannot try a lock.
 */
import { basename } from "node:path";
import { Broadcast, type Clock, HostError, type WorkFiles } from "../core/mod.ts";
import type { EnvPaths } from "./layout.ts";

/** A root that another run or task has. */
export class EnvRootTaken extends HostError {
  constructor(root: string, why: string) {
    super(`Cannot use the task directory "${root}": ${why}`, {
      code: "env_root_taken",
      hint: "remove the directory if nothing in it is needed any more",
      facts: { root },
    });
  }
}

/** Table of the roots in use by runs of this host. */
export class EnvClaims {
  readonly #held = new Set<string>();
  readonly #freed = new Broadcast<string>();

  /** Takes a root; undefined when a run has it. The returned function gives it back, once. */
  take(root: string): (() => void) | undefined {
    if (this.#held.has(root)) return undefined;
    this.#held.add(root);
    return () => {
      if (this.#held.delete(root)) this.#freed.publish(root);
    };
  }

  /**
   * Takes a root, or waits until the run that has it is out of it: a follow-up is claimed the moment its predecessor is
   * reported, when that one's processes and bookkeeping may still be ending. Undefined after `limitMs`; rejects with the signal.
   */
  async takeSoon(
    root: string,
    { clock, limitMs, signal }: {
      readonly clock: Clock;
      readonly limitMs: number;
      readonly signal: AbortSignal;
    },
  ): Promise<(() => void) | undefined> {
    signal.throwIfAborted();
    const now = this.take(root);
    if (now !== undefined) return now;
    return await new Promise((resolve, reject) => {
      const end = () => {
        timer.cancel();
        unsubscribe();
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        end();
        reject(signal.reason);
      };
      const timer = clock.timer(limitMs, () => {
        end();
        resolve(undefined);
      });
      const unsubscribe = this.#freed.subscribe((freed) => {
        const release = freed === root ? this.take(root) : undefined;
        if (release === undefined) return;
        end();
        resolve(release);
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/**
 * Makes an existing root this task's own and empty: a rerun clears its own leftovers, anybody else's are kept.
 * @throws {EnvRootTaken} when it belongs to another task, or to nobody knows whom
 */
export async function ownRoot(files: WorkFiles, paths: EnvPaths, taskId: string): Promise<void> {
  const bookkeeping = new Set([basename(paths.owner), basename(paths.lock)]);
  const content = (await files.list(paths.root) ?? []).filter(({ name }) => !bookkeeping.has(name));
  const owner = (await files.read(paths.owner) ?? "").trim();
  if (owner !== "" && owner !== taskId) throw new EnvRootTaken(paths.root, `it belongs to task ${owner}`);
  if (owner === "" && content.length > 0) {
    throw new EnvRootTaken(paths.root, "it is not empty and has no owner");
  }
  for (const { name } of content) await files.remove(`${paths.root}/${name}`, { recursive: true });
  if (owner === "") await writeOwner(files, paths, taskId);
}

/** Marks a root that was made a moment ago. */
export async function writeOwner(files: WorkFiles, paths: EnvPaths, taskId: string): Promise<void> {
  const [written] = await Promise.all([files.create(paths.owner, taskId), files.create(paths.lock, "")]);
  if (!written) await files.writeAtomic(paths.owner, taskId, { durable: false });
}
