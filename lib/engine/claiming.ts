/** Whether this host claims, and in words why or why not: for `/health` and `status`. */
import type { HealthSnapshot } from "../api/mod.ts";
import { errorText } from "../core/mod.ts";

/** Who asked: one runtime's poller, or the machine-wide claimer. */
export const EVERYBODY = "";

/** Whether the server can be asked for tasks. Written by pollers and claimer, nobody else. */
export class ClaimTrouble {
  readonly #failing = new Map<string, string>();
  #rest = "";

  constructor(private readonly changed: () => void = () => {}) {}

  /** A claim failed; true when the one before it did not. */
  failed(who: string, error: unknown): boolean {
    this.#rest = "";
    const isNew = !this.#failing.has(who);
    this.#failing.delete(who); // the newest stands last
    this.#failing.set(who, errorText(error));
    this.changed();
    return isNew;
  }

  /** A claim was answered. */
  worked(who: string): void {
    if (this.#rest === "" && this.#failing.size === 0) return;
    this.#rest = "";
    if (who === EVERYBODY) this.#failing.clear();
    else for (const key of [who, EVERYBODY]) this.#failing.delete(key);
    this.changed();
  }

  /** A poller has ended. */
  forget(who: string): void {
    if (this.#failing.delete(who)) this.changed();
  }

  /** Claims rest although nothing is wrong here. */
  rests(sentence: string): void {
    this.#rest = sentence;
    this.changed();
  }

  /** "" while somebody is answered, else what keeps claims from being answered. */
  sentence(runtimes: number): string {
    if (this.#rest !== "") return this.#rest;
    const isAll = this.#failing.has(EVERYBODY) || this.#failing.size >= Math.max(1, runtimes);
    return isAll ? `the server cannot be asked for tasks, trying again: ${this.#newest()}` : "";
  }

  #newest(): string {
    return [...this.#failing.values()].at(-1) ?? "";
  }
}

/** What {@link claimingNow} is told. */
export interface ClaimingFacts {
  /** Why the gate is closed, "" when it is open. */
  readonly gate: string;
  /** Agent CLIs that can be launched. */
  readonly agents: number;
  readonly workspaces: number;
  readonly runtimes: number;
  /** Why no workspace could be joined, "" when none failed. */
  readonly unjoined: string;
  readonly slots: { readonly size: number; readonly occupied: number };
  /** See {@link ClaimTrouble.sentence}. */
  readonly trouble: string;
}

/** The first of the reasons that holds. Pure. */
export function claimingNow(facts: ClaimingFacts): HealthSnapshot["claiming"] {
  const { gate, runtimes, slots: { size, occupied }, trouble } = facts;
  if (gate !== "") return { state: "paused", why: gate };
  if (runtimes === 0) return { state: "idle", why: `no runtime is registered: ${noRuntime(facts)}` };
  if (occupied >= size) return { state: "full", why: `all ${size} task slots are taken` };
  if (trouble !== "") return { state: "failing", why: trouble };
  return { state: "claiming", why: `${size - occupied} of ${size} task slots are free` };
}

function noRuntime({ agents, workspaces, unjoined }: ClaimingFacts): string {
  if (agents === 0) return "no agent CLI is usable on this machine";
  if (unjoined !== "") return unjoined;
  if (workspaces === 0) return "the account of this host is a member of no workspace";
  return "the server has deleted them, or their profiles are disabled; the next look registers what can be offered";
}
