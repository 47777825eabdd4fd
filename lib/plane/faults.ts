/** Fault injection, a feature of the plane: per route a queue of behaviours, a standing behaviour, whole outages. */
import { type Clock, sleep } from "../core/mod.ts";

/**
 * What happens to one request. Fields combine: pause, then status or reset instead of the real answer, or the
 * real work with a pause or a reset after its commit.
 */
export interface Behaviour {
  /** Waits on the plane's clock before anything happens. */
  readonly delayMs?: number;
  /** Waits for {@link Hold.release} before anything happens. */
  readonly hold?: Hold;
  /** Answers with this status and does no work. */
  readonly status?: number;
  /** Body for `status`: text as it is, anything else as JSON. @default `{"error":"injected fault"}` */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks the connection before the work, or after its commit and before its answer. */
  readonly reset?: "before" | "after";
  /** Does the work and answers this status with `body` instead: stored, but the host is told otherwise. */
  readonly lateStatus?: number;
  /** Waits after the commit, before the answer. */
  readonly lateMs?: number;
  readonly lateHold?: Hold;
  /** Messages only: stores so many rows, then answers 500. */
  readonly partial?: number;
}

/** Stops requests until the test lets them go on. */
export class Hold {
  readonly #release = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();
  #waiting = 0;

  /** Resolves when a first request has arrived here. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  /** Requests waiting now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Lets all present and later requests pass. */
  release(): void {
    this.#release.resolve();
  }

  /** Used by the server. Ends early when the request is gone. */
  async wait(signal?: AbortSignal): Promise<void> {
    this.#waiting++;
    this.#reached.resolve();
    try {
      if (signal === undefined) return await this.#release.promise;
      const gone = Promise.withResolvers<void>();
      const onAbort = () => gone.resolve();
      if (signal.aborted) return;
      signal.addEventListener("abort", onAbort, { once: true });
      await Promise.race([this.#release.promise, gone.promise]);
      signal.removeEventListener("abort", onAbort);
    } finally {
      this.#waiting--;
    }
  }
}

/** A script or standing behaviour; `clear` ends it. */
export interface FaultHandle {
  /** Requests it has met. */
  readonly used: number;
  clear(): void;
}

interface Rule {
  readonly matches: (method: string, path: string) => boolean;
  readonly queue: Behaviour[];
  readonly standing: Behaviour | undefined;
  readonly holds: Hold[];
  used: number;
}

/** How the whole server is away. */
export type Outage =
  | { readonly mode: "status"; readonly status: number; readonly body?: unknown }
  /** Requests are accepted and never answered. */
  | { readonly mode: "hang" }
  /** Connections are closed at once (with the gate: the port is closed). */
  | { readonly mode: "refuse" };

/** The plane's faults. The first rule that matches and has something left decides. */
export class Faults {
  readonly #rules: Rule[] = [];
  #outage: Rule | undefined;
  /** Told when an outage of mode "refuse" starts and ends; the gate closes and opens the port. */
  onRefuse: (refuse: boolean) => Promise<void> = () => Promise.resolve();

  /**
   * Each request that matches takes the next behaviour; `{}` lets one pass untouched; then all pass.
   * Pattern: `POST /api/daemon/tasks/:id/complete`, `* /api/daemon/*`, `RPC tasks.claim`.
   */
  script(pattern: string, behaviours: readonly Behaviour[]): FaultHandle {
    return this.#add({
      matches: matcher(pattern),
      queue: [...behaviours],
      standing: undefined,
      holds: [],
      used: 0,
    });
  }

  /** Every request that matches, until cleared. */
  always(pattern: string, behaviour: Behaviour): FaultHandle {
    return this.#add({ matches: matcher(pattern), queue: [], standing: behaviour, holds: [], used: 0 });
  }

  /** Takes the whole server away until the returned function is called. */
  async outage(kind: Outage): Promise<() => Promise<void>> {
    const hold = new Hold();
    const standing: Behaviour = kind.mode === "status"
      ? { status: kind.status, body: kind.body ?? { error: "outage" } }
      : kind.mode === "hang"
      ? { hold, reset: "before" }
      : { reset: "before" };
    const rule: Rule = { matches: () => true, queue: [], standing, holds: [hold], used: 0 };
    this.#outage = rule;
    if (kind.mode === "refuse") await this.onRefuse(true);
    return async () => {
      hold.release();
      if (this.#outage === rule) this.#outage = undefined;
      if (kind.mode === "refuse") await this.onRefuse(false);
    };
  }

  /** Ends every fault and lets held requests go on. */
  clear(): void {
    for (const rule of this.#rules.splice(0)) release(rule);
    if (this.#outage !== undefined) release(this.#outage);
    this.#outage = undefined;
  }

  /** The behaviour for a request, if any; used by the server. */
  take(method: string, path: string): Behaviour | undefined {
    if (this.#outage?.standing !== undefined) {
      this.#outage.used++;
      return this.#outage.standing;
    }
    if (this.#rules.length === 0) return undefined;
    for (const rule of this.#rules) {
      if (!rule.matches(method, path)) continue;
      const next = rule.standing ?? rule.queue.shift();
      if (next === undefined) continue;
      rule.used++;
      return next;
    }
    return undefined;
  }

  #add(rule: Rule): FaultHandle {
    const holds = [...rule.queue, ...(rule.standing === undefined ? [] : [rule.standing])]
      .flatMap((one) => [one.hold, one.lateHold]).filter((hold) => hold !== undefined);
    const full: Rule = { ...rule, holds };
    this.#rules.push(full);
    return {
      get used() {
        return full.used;
      },
      clear: () => {
        const at = this.#rules.indexOf(full);
        if (at >= 0) this.#rules.splice(at, 1);
        release(full);
      },
    };
  }
}

/** Waits as a behaviour says, before (`delayMs`, `hold`) or after the work (`lateMs`, `lateHold`). */
export async function pause(
  clock: Clock,
  behaviour: Behaviour,
  when: "before" | "after",
  signal: AbortSignal,
): Promise<void> {
  const ms = when === "before" ? behaviour.delayMs : behaviour.lateMs;
  const hold = when === "before" ? behaviour.hold : behaviour.lateHold;
  if (ms !== undefined) await sleep(clock, ms, signal);
  if (hold !== undefined) await hold.wait(signal);
}

function release(rule: Rule): void {
  for (const hold of rule.holds) hold.release();
}

function matcher(pattern: string): (method: string, path: string) => boolean {
  const [wanted = "*", path = "*"] = pattern.split(" ");
  const source = path.split("/")
    .map((part) =>
      part.startsWith(":") ? "[^/]+" : part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")
    )
    .join("/");
  const expression = new RegExp(`^${source}$`);
  return (method, actual) => (wanted === "*" || wanted === method) && expression.test(actual);
}
