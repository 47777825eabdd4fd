/** Bad weather for simulations: one random misfortune of the plane at a time, each with an end. */
import type { Random } from "../../lib/core/mod.ts";
import type { Behaviour } from "../../lib/plane/mod.ts";
import type { EngineStage } from "./engine_stage.ts";

const ENDPOINTS = [
  "POST /api/daemon/register",
  "POST /api/daemon/heartbeat",
  "POST /api/daemon/runtimes/:id/tasks/claim",
  "POST /api/daemon/tasks/claim",
  "RPC tasks.claim",
  "POST /api/daemon/runtimes/:id/tasks/:task/prepare-lease",
  "POST /api/daemon/runtimes/:id/recover-orphans",
  "POST /api/daemon/tasks/:id/start",
  "POST /api/daemon/tasks/:id/messages",
  "POST /api/daemon/tasks/:id/session",
  "POST /api/daemon/tasks/:id/usage",
  "POST /api/daemon/tasks/:id/complete",
  "POST /api/daemon/tasks/:id/fail",
  "GET /api/daemon/tasks/:id/status",
  "GET /api/daemon/workspaces/:id/runtime-profiles",
  "GET /api/daemon/workspaces/:id/repos",
  "GET /api/workspaces",
  "GET /api/daemon/workspaces",
];

/** Makes weather on a stage. Everything it broke is mended by {@link Weather.clear}. */
export class Weather {
  /** What happened, by name. */
  readonly counts = new Map<string, number>();
  /** Workspaces that come and go. */
  readonly guests: string[] = [];
  readonly #profiles: string[] = [];
  readonly #ends: { at: number; end: () => void | Promise<void> }[] = [];
  /** A whole-server misfortune is on. */
  #away = false;
  #version = 1;

  constructor(private readonly stage: EngineStage, private readonly random: Random) {}

  /** Ends what is due, then perhaps brings something new. */
  async tick(): Promise<void> {
    const now = this.stage.clock.monotonic();
    for (const due of this.#ends.filter((one) => one.at <= now)) {
      this.#ends.splice(this.#ends.indexOf(due), 1);
      await due.end();
    }
    if (this.random() < 0.25) await this.#strike();
  }

  /** The sun: every fault ends, everybody is back. */
  async clear(): Promise<void> {
    for (const { end } of this.#ends.splice(0)) await end();
    this.stage.plane.faults.clear();
    for (const id of this.guests) this.stage.plane.addMember(id);
    for (const id of this.#profiles) this.stage.plane.updateProfile(id, { enabled: true });
  }

  async #strike(): Promise<void> {
    const kinds = Object.entries(this.#kinds());
    const total = kinds.reduce((sum, [, [weight]]) => sum + weight, 0);
    let at = this.random() * total;
    for (const [name, [weight, work]] of kinds) {
      at -= weight;
      if (at > 0) continue;
      if (await work() !== false) this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      return;
    }
  }

  #kinds(): Record<string, [weight: number, work: () => unknown]> {
    const { plane, clock } = this.stage;
    return {
      "5xx": [6, () => this.#script({ status: this.#pick([500, 502, 503, 504]) })],
      "429": [2, () => this.#script({ status: 429, headers: { "retry-after": "3" } })],
      "reset before": [4, () => this.#script({ reset: "before" })],
      "reset after commit": [6, () => this.#script({ reset: "after" })],
      "5xx after commit": [3, () => this.#script({ lateStatus: 500 })],
      "delay": [3, () => this.#script({ delayMs: this.#between(1_000, 40_000) })],
      "late answer": [3, () => this.#script({ lateMs: this.#between(1_000, 40_000) })],
      "half stored messages": [
        2,
        () => void plane.faults.script("POST /api/daemon/tasks/:id/messages", [{ partial: 1 }]),
      ],
      "outage": [1, () => this.#outage({ mode: "status", status: 503 }, 90_000)],
      "hang": [0.5, () => this.#outage({ mode: "hang" }, 60_000)],
      "port closed": [1, () => this.#outage({ mode: "refuse" }, 90_000)],
      "long outage": [0.15, () => this.#outage({ mode: "refuse" }, 400_000)],
      "login refused": [0.7, () => this.#standing("* /api/daemon/*", { status: 401 }, 30_000)],
      "upgrade refused": [1, () => this.#standing("GET /api/daemon/ws", { status: 503 }, 240_000)],
      "half open": [1.5, () => plane.halfOpen({ all: this.random() < 0.3 })],
      "sockets closed": [2, () => plane.hub.closeAll()],
      "runtime deleted": [1.5, () => this.#deleteRuntimes()],
      "profile changed": [1, () => this.#profile()],
      "workspace joined or left": [1, () => this.#workspace()],
      "task cancelled": [3, () => this.#task((id) => void plane.cancelTask(id))],
      "task deleted": [0.7, () => this.#task((id) => plane.deleteTask(id))],
      "agent updated": [0.5, () => this.#agents()],
      "machine slept": [0.4, () => clock.jumpWall(this.#between(20_000, 140_000))],
    };
  }

  #script(behaviour: Behaviour): void {
    const times = 1 + Math.floor(this.random() * 4);
    this.stage.plane.faults.script(this.#pick(ENDPOINTS), Array.from({ length: times }, () => behaviour));
  }

  async #outage(kind: Parameters<EngineStage["plane"]["faults"]["outage"]>[0], longestMs: number) {
    if (this.#away) return false;
    this.#away = true;
    const end = await this.stage.plane.faults.outage(kind);
    this.#later(longestMs, async () => {
      await end();
      this.#away = false;
    });
    return true;
  }

  #standing(pattern: string, behaviour: Behaviour, longestMs: number): void {
    const handle = this.stage.plane.faults.always(pattern, behaviour);
    this.#later(longestMs, () => handle.clear());
  }

  #later(longestMs: number, end: () => void | Promise<void>): void {
    this.#ends.push({ at: this.stage.clock.monotonic() + this.#between(3_000, longestMs), end });
  }

  #deleteRuntimes(): void {
    const rows = this.stage.plane.runtimes().map((row) => row.id);
    const many = 1 + Math.floor(this.random() * 3);
    for (let i = 0; i < many && rows.length > 0; i++) this.stage.plane.deleteRuntime(this.#take(rows));
  }

  #profile(): void {
    const { plane, workspaceIds } = this.stage;
    if (this.#profiles.length < 2) {
      this.#profiles.push(plane.createProfile({
        workspaceId: this.#pick(workspaceIds),
        displayName: "Team Codex",
        protocolFamily: "codex",
        commandName: "team-codex",
      }));
    } else {
      plane.updateProfile(this.#pick(this.#profiles), { enabled: this.random() < 0.5 });
    }
  }

  #workspace(): void {
    const { plane } = this.stage;
    if (this.guests.length < 2) {
      this.guests.push(plane.createWorkspace({ name: `Guest ${this.guests.length}` }));
      return;
    }
    const id = this.#pick(this.guests);
    plane.removeMember(id);
    this.#later(120_000, () => plane.addMember(id));
  }

  #task(work: (id: string) => void): boolean {
    const live = this.stage.plane.tasks().filter((task) =>
      !["completed", "failed", "cancelled"].includes(task.status)
    );
    if (live.length === 0) return false;
    work(this.#pick(live).id);
    return true;
  }

  #agents(): void {
    this.#version++;
    this.stage.handle.agents(
      this.stage.agents().map((agent) => ({ ...agent, version: `1.${this.#version}.0` })),
    );
  }

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)]!;
  }

  #take<T>(values: T[]): T {
    return values.splice(Math.floor(this.random() * values.length), 1)[0]!;
  }

  #between(from: number, to: number): number {
    return Math.floor(from + this.random() * (to - from));
  }
}
