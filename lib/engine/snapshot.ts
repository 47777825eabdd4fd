/** `/health` as the engine sees itself (spec 03 §9.1). Pure. */
import type { HealthSnapshot } from "../api/mod.ts";
import type { RuntimeRegistry } from "../runtimes/mod.ts";
import type { TaskRunner } from "../tasks/mod.ts";
import { claimingNow } from "./claiming.ts";
import type { Inventory } from "./inventory.ts";
import type { SlotPool } from "./slots.ts";

/** What a snapshot is made of. */
export interface SnapshotFacts {
  readonly stage: HealthSnapshot["status"];
  readonly active: ReturnType<TaskRunner["active"]>;
  /** Claimed tasks not finished. */
  readonly activeCount: number;
  readonly registry: Pick<RuntimeRegistry, "workspaces" | "runtimeIds">;
  readonly inventory: Pick<Inventory, "found" | "usable" | "skipped" | "ailing">;
  readonly slots: Pick<SlotPool, "size" | "occupied">;
  /** Why nothing is claimed, "" when it may be. */
  readonly paused: string;
  /** Why no workspace could be joined, "" when none failed. */
  readonly unjoined: string;
  /** What keeps claims or heartbeats from being answered, "" for nothing. */
  readonly trouble: string;
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
    agents: inventory.found().filter((agent) => agent.path !== "").map((agent) => agent.provider),
    workspaces: workspaces.length === 0
      ? null
      : workspaces.map(({ id, runtimeIds }) => ({ id, runtimes: runtimeIds })),
    skipped_agents: inventory.skipped(),
    status_sentences: {
      ...facts.sentences,
      ...ailing(facts),
      reports: facts.reports,
      ...Object.fromEntries(active.map((task) => [`task ${task.taskId.slice(-12)}`, task.sentence])),
    },
    claiming: claimingNow({
      gate: facts.paused,
      agents: inventory.usable().length,
      workspaces: workspaces.length,
      runtimes: registry.runtimeIds().length,
      unjoined: facts.unjoined,
      slots: facts.slots,
      trouble: facts.trouble,
    }),
    ...(facts.reload === "" ? {} : { reload_pending_reason: facts.reload }),
  };
}

function ailing({ inventory }: SnapshotFacts): Readonly<Record<string, string>> {
  const all = Object.entries(inventory.ailing()).map(([agent, why]) => `${agent}: ${why}`);
  return all.length === 0 ? {} : { agents: `offered all the same for now: ${all.join("; ")}` };
}
