/** `/health` as the engine sees itself (spec 03 §9.1). Pure. */
import type { HealthSnapshot } from "../api/mod.ts";
import type { RuntimeRegistry } from "../runtimes/mod.ts";
import type { TaskRunner } from "../tasks/mod.ts";
import type { Inventory } from "./inventory.ts";
import type { SlotPool } from "./slots.ts";

/** What a snapshot is made of. */
export interface SnapshotFacts {
  readonly stage: HealthSnapshot["status"];
  readonly active: ReturnType<TaskRunner["active"]>;
  /** Claimed tasks not finished. */
  readonly activeCount: number;
  readonly registry: Pick<RuntimeRegistry, "workspaces" | "runtimeIds">;
  readonly inventory: Pick<Inventory, "all" | "skipped">;
  readonly slots: Pick<SlotPool, "size" | "occupied">;
  /** Why nothing is claimed, "" when it may be. */
  readonly paused: string;
  /** Loop → its sentence. */
  readonly sentences: Readonly<Record<string, string>>;
  /** What the outbox says of itself. */
  readonly reports: string;
  /** Why the engine is to be replaced, "" for no reason. */
  readonly reload: string;
}

/** The snapshot. */
export function snapshotOf(facts: SnapshotFacts): HealthSnapshot {
  const { active, registry, inventory } = facts;
  const waiting = active.filter((task) => task.phase === "waiting for a directory").length;
  const workspaces = registry.workspaces();
  return {
    status: facts.stage,
    active_task_count: facts.activeCount,
    running_task_count: active.length - waiting,
    resource_wait_task_count: waiting,
    agents: inventory.all().filter((agent) => agent.path !== "").map((agent) => agent.provider),
    workspaces: workspaces.length === 0
      ? null
      : workspaces.map(({ id, runtimeIds }) => ({ id, runtimes: runtimeIds })),
    skipped_agents: inventory.skipped(),
    status_sentences: {
      ...facts.sentences,
      reports: facts.reports,
      ...Object.fromEntries(active.map((task) => [`task ${task.taskId.slice(-12)}`, task.sentence])),
    },
    claiming: claiming(facts),
    ...(facts.reload === "" ? {} : { reload_pending_reason: facts.reload }),
  };
}

function claiming({ paused, registry, slots }: SnapshotFacts): HealthSnapshot["claiming"] {
  if (paused !== "") return { state: "paused", why: paused };
  if (registry.runtimeIds().length === 0) {
    return {
      state: "idle",
      why: "no runtime is registered: no agent CLI is usable, or no workspace was found",
    };
  }
  const { size, occupied } = slots;
  if (occupied >= size) return { state: "full", why: `all ${size} task slots are taken` };
  return { state: "claiming", why: `${size - occupied} of ${size} task slots are free` };
}
