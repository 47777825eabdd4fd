/** `/health` says in words why the host claims or not: each case against a real plane, or as a pure decision. */
import assert from "node:assert/strict";
import { type ClaimingFacts, claimingNow, ClaimTrouble } from "../../../lib/engine/claiming.ts";
import { onStage } from "../../helpers/engine_stage.ts";

const FACTS: ClaimingFacts = {
  gate: "",
  agents: 1,
  workspaces: 1,
  runtimes: 2,
  unjoined: "",
  slots: { size: 4, occupied: 1 },
  trouble: "",
};

Deno.test("claimingNow() gives the first reason that holds", () => {
  const said = (more: Partial<ClaimingFacts>) => {
    const { state, why } = claimingNow({ ...FACTS, ...more });
    return `${state}: ${why}`;
  };
  const none = { runtimes: 0, workspaces: 0, agents: 0 };
  assert.equal(said({}), "claiming: 3 of 4 task slots are free");
  assert.equal(said({ trouble: "no answer" }), "failing: no answer");
  assert.equal(
    said({ trouble: "no answer", slots: { size: 4, occupied: 4 } }),
    "full: all 4 task slots are taken",
  );
  assert.equal(said({ ...none, gate: "the host is stopping" }), "paused: the host is stopping");
  assert.match(said(none), /^idle: no runtime is registered: no agent CLI is usable on this machine$/);
  assert.match(said({ ...none, agents: 1 }), /a member of no workspace$/);
  assert.match(said({ ...none, agents: 1, unjoined: "Acme: 503" }), /no runtime is registered: Acme: 503$/);
  assert.match(
    said({ ...none, agents: 1, workspaces: 1 }),
    /has deleted them, or their profiles are disabled/,
  );
});

Deno.test("ClaimTrouble speaks when nobody is answered, with the newest error", () => {
  let heard = 0;
  const trouble = new ClaimTrouble(() => heard++);
  assert.equal(trouble.failed("a", new Error("refused")), true);
  assert.equal(trouble.sentence(2), "");
  assert.equal(trouble.failed("b", new Error("no answer")), true);
  assert.equal(trouble.failed("a", new Error("refused again")), false);
  assert.match(trouble.sentence(2), /^the server cannot be asked for tasks, trying again: refused again$/);
  trouble.worked("b");
  assert.equal(trouble.sentence(2), "");
  trouble.forget("a");
  trouble.failed("", new Error("batch"));
  assert.match(trouble.sentence(9), /batch$/);
  trouble.worked("b");
  assert.equal(trouble.sentence(9), "");
  trouble.rests("resting");
  assert.equal(trouble.sentence(9), "resting");
  trouble.worked("");
  assert.equal(trouble.sentence(9), "");
  assert.equal(heard, 9);
});

for (const era of ["baseline", "later"] as const) {
  Deno.test(`a ${era} server that goes away while the host runs: /health says so, and that it is back`, async () => {
    await onStage({ providers: ["claude", "codex"], plane: { era } }, async (stage) => {
      const claiming = () => stage.health!.claiming;
      await stage.until("claiming", () => claiming().state === "claiming");
      const back = stage.plane.faults.outage({ mode: "refuse" });
      stage.plane.hub.closeAll();
      await stage.until("failing", () => claiming().state === "failing", 60_000);
      assert.match(
        claiming().why,
        /^the server (takes no heartbeats|cannot be asked for tasks), trying again: /,
      );
      (await back)();
      await stage.until("claiming again", () => claiming().state === "claiming", 60_000);
      await stage.until(
        "heartbeats",
        () => stage.health!.status_sentences["heartbeat"] === "beating for 2 runtimes",
        60_000,
      );
    });
  });
}

Deno.test("a server that answers everything but claims: /health names the claim's error", async () => {
  await onStage({}, async (stage) => {
    const bad = stage.plane.faults.always("POST /api/daemon/runtimes/:id/tasks/claim", {
      status: 500,
      body: { error: "failed to claim task: no database" },
    });
    await stage.until("failing", () => stage.health!.claiming.state === "failing", 60_000);
    assert.match(stage.health!.claiming.why, /tasks\/claim returned 500: .*no database/);
    bad.clear();
    await stage.until("claiming", () => stage.health!.claiming.state === "claiming", 60_000);
  });
});

Deno.test("a host whose workspaces cannot be joined says which and why", async () => {
  await onStage({ start: false }, async (stage) => {
    stage.plane.faults.always("POST /api/daemon/register", { status: 500, body: { error: "no room" } });
    stage.plane.createWorkspace({ name: "Second" });
    stage.start();
    await stage.until("idle or starting", () => /no room/.test(stage.health?.claiming.why ?? ""), 60_000);
  });
});

Deno.test("a host without a workspace says that, and claims when one appears", async () => {
  await onStage({ workspaces: 0 }, async (stage) => {
    assert.match(stage.health!.claiming.why, /a member of no workspace/);
    stage.plane.createWorkspace({ name: "First" });
    await stage.until("claiming", () => stage.health!.claiming.state === "claiming", 60_000);
  });
});
