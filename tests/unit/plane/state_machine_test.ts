import assert from "node:assert/strict";
import fc from "fast-check";
import { Plane, type PlaneEvent, TASK_TRANSITIONS } from "../../../lib/plane/mod.ts";
import { Refusal } from "../../../lib/plane/types.ts";
import { findRuntime, findTask } from "../../../lib/plane/access.ts";
import { claim } from "../../../lib/plane/claim.ts";
import { CompleteBody, FailBody } from "../../../lib/plane/requests.ts";
import { recoverOrphans, register } from "../../../lib/plane/runtimes.ts";
import { extendLease, startTask, waitLocalDirectory } from "../../../lib/plane/tasks.ts";
import { completeTask, failByHost } from "../../../lib/plane/terminal.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const REASONS = [
  "timeout",
  "runtime_offline",
  "codex_semantic_inactivity",
  "iteration_limit",
  "",
  "agent_error.provider_network",
];

/** One random operation, on the n-th task where it needs one. */
const operation = fc.record({
  what: fc.constantFrom(
    "add",
    "claim",
    "claim",
    "start",
    "start",
    "wait",
    "lease",
    "complete",
    "fail",
    "cancel",
    "delete",
    "rerun",
    "recover",
    "sweep",
    "time",
    "beat",
  ),
  n: fc.nat(30),
  ms: fc.constantFrom(1_000, 46_000, 91_000, 160_000, 301_000, 7_300_000),
  reason: fc.constantFrom(...REASONS),
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** A plane without HTTP traffic: the rules alone, driven directly. */
async function world(era: "baseline" | "later") {
  const clock = new FakeClock();
  const plane = await Plane.open({ clock, era, sweeper: false, record: false });
  const workspaceId = plane.createWorkspace({ name: "W" });
  const who = { kind: "user", tokenKind: "mul", userId: plane.userId } as Parameters<typeof register>[1];
  const offer = { name: "c", type: "claude", version: "1", status: "online", profile_id: "" };
  const body = {
    workspace_id: workspaceId,
    daemon_id: "d",
    legacy_daemon_ids: [],
    device_name: "",
    cli_version: "",
    launched_by: "",
    runtimes: [offer],
    failed_profiles: [],
  };
  plane.store.db.tx(() => register(plane.store, who, body, []));
  const runtimeId = plane.runtimes()[0]!.id;
  const agentId = plane.createAgent({ workspaceId, name: "a", provider: "claude", maxConcurrentTasks: 3 });
  return { clock, plane, workspaceId, runtimeId, agentId };
}

type World = Awaited<ReturnType<typeof world>>;

async function apply(w: World, op: Operation): Promise<void> {
  const { plane, workspaceId, runtimeId, agentId } = w;
  const { store } = plane;
  const tasks = plane.tasks();
  const target = tasks[op.n % Math.max(1, tasks.length)];
  const row = target === undefined ? undefined : findTask(store, target.id);
  if (op.what === "time") return await w.clock.advance(op.ms);
  store.db.tx(() => {
    if (op.what === "add") {
      const issueId = target?.issue_id;
      const again = op.n % 3 === 0 && issueId !== undefined && issueId !== "";
      plane.addTask({ workspaceId, agentId, prompt: "x", ...(again ? { issueId } : {}) });
    } else if (op.what === "claim") claim(store, findRuntime(store, runtimeId)!, []);
    else if (op.what === "recover") recoverOrphans(store, runtimeId);
    else if (op.what === "sweep") plane.sweep();
    else if (op.what === "beat") {
      store.db.run("UPDATE runtimes SET status = 'online', last_seen_at = ?", store.now());
    } else if (row === undefined) return;
    else if (op.what === "start") startTask(store, row);
    else if (op.what === "wait") waitLocalDirectory(store, row, "x");
    else if (op.what === "lease") extendLease(store, row);
    else if (op.what === "complete") {
      completeTask(store, row, CompleteBody.parse({ output: "o", session_id: "s" }));
    } else if (op.what === "fail") {
      failByHost(store, row, FailBody.parse({ error: "e", failure_reason: op.reason }));
    } else if (op.what === "cancel") plane.cancelTask(row.id);
    else if (op.what === "delete") plane.deleteTask(row.id);
    else if (op.what === "rerun") plane.rerunTask(row.id);
  });
}

/** What must hold after every operation. */
function check(w: World): void {
  const active = w.plane.tasks().filter((task) =>
    ["dispatched", "running", "waiting_local_directory"].includes(task.status)
  );
  assert(active.length <= 3, "more active tasks than the agent may have");
  const issues = active.map((task) => task.issue_id);
  assert.equal(new Set(issues).size, issues.length, "two active tasks of one agent on one issue");
  for (const task of w.plane.tasks()) {
    const ended = ["completed", "failed", "cancelled"].includes(task.status);
    assert.equal(task.completed_at !== null, ended, `completed_at of a ${task.status} task`);
    assert(task.attempt <= 3);
    if (task.status === "completed") assert(task.started_at !== null, "completed without a start");
  }
}

for (const era of ["baseline", "later"] as const) {
  Deno.test(`task state machine (${era}) never leaves the allowed transitions under random operations`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 60 }), async (operations) => {
        const w = await world(era);
        const states = new Map<string, string>();
        const wrong: string[] = [];
        w.plane.store.events.subscribe((event: PlaneEvent) => {
          if (event.type !== "task") return;
          const before = states.get(event.taskId) ?? "";
          const legal = before === event.from && TASK_TRANSITIONS[event.from]?.includes(event.to) === true;
          if (!legal) wrong.push(`${before}: ${event.from} -> ${event.to}`);
          states.set(event.taskId, event.to);
        });
        try {
          for (const op of operations) {
            try {
              await apply(w, op);
            } catch (error) {
              if (!(error instanceof Refusal)) throw error;
            }
            check(w);
          }
          assert.deepEqual(wrong, []);
          for (const task of w.plane.tasks()) assert.equal(states.get(task.id), task.status);
        } finally {
          await w.plane.close();
        }
      }),
      { numRuns: 60 },
    );
  });
}
