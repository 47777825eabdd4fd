/** Start-up order, token, server away (spec 01 §7.1, 4.1). */
import assert from "node:assert/strict";
import { onStage } from "../../helpers/engine_stage.ts";
import type { AgentScript } from "../../helpers/task_world.ts";

const RENEW = "POST /api/tokens/current/renew";
const LIST = "GET /api/workspaces";

Deno.test("engine [R8] renews the token before anything else", async () => {
  await onStage({}, (stage) => {
    const [first, second] = stage.plane.requests();
    assert.equal(`${first!.method} ${first!.path}`, RENEW);
    assert.match(first!.headers.authorization ?? "", /^Bearer mul_/);
    assert.match(second!.path, /workspaces$/);
    return Promise.resolve();
  });
});

Deno.test("engine [R9] warns of a refused token with the login command, and of no other failure above debug", async () => {
  await onStage({ start: false, config: { profile: "staging" } }, async (stage) => {
    stage.plane.faults.script(RENEW, [{ status: 401, body: { error: "invalid token" } }]);
    stage.start();
    await stage.running();
    const warnings = stage.logs.filter((line) => line.startsWith("warn"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /multica-host login --profile staging/);
  });
  await onStage({ start: false }, async (stage) => {
    stage.plane.faults.script(RENEW, [{ status: 503 }]);
    stage.start();
    await stage.running();
    assert.deepEqual(stage.logs.filter((line) => !line.startsWith("info")), []);
  });
});

Deno.test("engine [R10] ends with the list's error when renewal and list are refused, after the hint", async () => {
  await onStage({ start: false }, async (stage) => {
    stage.plane.revokeToken(stage.plane.token);
    stage.start();
    const end = await stage.ended();
    assert.equal(end.exitCode, 3);
    assert.match(end.error!.message, /token/);
    const hint = stage.logs.findIndex((line) => line.includes("multica-host login"));
    const ended = stage.logs.findIndex((line) => line.includes("engine ends"));
    assert.ok(hint >= 0 && hint < ended);
    assert.equal(stage.plane.requests("deregister").length, 0);
  });
});

Deno.test("engine [R11] cuts a hanging renewal by its time limit and starts", async () => {
  await onStage({ start: false }, async (stage) => {
    stage.plane.faults.script(RENEW, [{ delayMs: 600_000 }]);
    stage.start();
    await stage.running(16_000);
  });
});

Deno.test("engine starts when the first workspace list fails, for as long as it takes", async () => {
  await onStage({ start: false }, async (stage) => {
    const away = stage.plane.faults.always(LIST, { status: 503 });
    stage.start();
    await stage.advance(10 * 60_000);
    const tries = stage.plane.requests(LIST).length;
    assert.ok(tries >= 10 && tries <= 25, `${tries} tries in ten minutes`);
    assert.equal(stage.health?.status, "starting");
    assert.match(stage.health!.claiming!.why, /503/);
    away.clear();
    await stage.running(75_000);
  });
});

Deno.test("engine [R33] ends its pollers before it waits for tasks, and deregisters last", async () => {
  await onStage({}, async (stage) => {
    const work = Promise.withResolvers<void>();
    stage.script = () => work.promise;
    const agent = stage.agent();
    const id = stage.task(agent);
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    const since = stage.mark();
    stage.handle.drain(600_000);
    await stage.settle();
    const second = stage.task(agent);
    await stage.advance(60_000);
    assert.equal(since("/tasks/claim").length, 0);
    assert.equal(stage.plane.task(second)?.status, "queued");
    assert.equal(stage.health?.status, "stopping");
    work.resolve();
    assert.equal((await stage.ended()).exitCode, 0);
    assert.equal(stage.plane.task(id)?.status, "completed");
    assert.equal(since().at(-1)?.path, "/api/daemon/deregister");
  });
});

Deno.test("engine a claim that is answered during the drain is still run or handed back, never lost", async () => {
  await onStage({}, async (stage) => {
    stage.plane.faults.script("POST /api/daemon/runtimes/:id/tasks/claim", [{ lateMs: 5_000 }]);
    const id = stage.task(stage.agent());
    await stage.until("dispatched", () => stage.plane.task(id)?.status === "dispatched");
    await stage.stop(60_000);
    assert.equal(stage.plane.task(id)?.status, "completed");
  });
});

Deno.test("engine reports a task that a stop interrupts, instead of leaving it running", async () => {
  await onStage({}, async (stage) => {
    stage.script = async ({ stopped }) => {
      await stopped;
      return { status: "aborted", output: "" };
    };
    const id = stage.task(stage.agent());
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    await stage.stop(1_000);
    const task = stage.plane.task(id)!;
    assert.equal(task.status, "failed");
    assert.equal(task.failure_reason, "runtime_recovery");
    assert.equal(stage.plane.tasks().length, 2, "a second attempt waits");
  });
});

Deno.test("engine takes over a new token: refused before, claiming after", async () => {
  await onStage({}, async (stage) => {
    const fresh = stage.plane.mintToken("mul", { userId: stage.plane.userId });
    stage.plane.revokeToken(stage.plane.token);
    stage.plane.hub.closeAll();
    await stage.until("paused", () => stage.health?.claiming?.state === "paused");
    assert.match(stage.health!.claiming!.why, /refuses the token; log in again/);
    const id = stage.task(stage.agent());
    stage.handle.token(fresh);
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
    await stage.advance(1_000);
    assert.equal(stage.health?.claiming?.state, "claiming");
  });
});

Deno.test("engine masks a new token in tasks that run and in those to come, and asks whether it must be renewed", async () => {
  const go = Promise.withResolvers<void>();
  let fresh = "";
  const script: AgentScript = async ({ emit }) => {
    await go.promise;
    emit({ type: "text", text: `I found ${btoa(fresh)} in a file.` });
    return { output: `It was ${btoa(fresh)}.` };
  };
  await onStage({ script }, async (stage) => {
    fresh = stage.plane.mintToken("mul", { userId: stage.plane.userId });
    const ids = [stage.task(stage.agent())];
    await stage.until("running", () => stage.plane.task(ids[0]!)?.status === "running");
    const since = stage.mark();
    stage.handle.token(fresh);
    await stage.until("renewed", () => since(RENEW).length === 1);
    go.resolve();
    ids.push(stage.task(stage.agent()));
    for (const id of ids) {
      await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
      const kept = JSON.stringify([stage.plane.messages(id), stage.plane.task(id)]);
      assert.ok(kept.includes("[REDACTED]") && !kept.includes(btoa(fresh).slice(4, 40)), kept);
    }
  });
});

Deno.test("engine poll-only: a refused token pauses claims and says so, and claims go on when it is taken again", async () => {
  await onStage({ start: false }, async (stage) => {
    stage.plane.faults.always("GET /api/daemon/ws", { status: 503 });
    stage.start();
    await stage.running();
    const refused = stage.plane.faults.always("* /api/daemon/*", { status: 401 });
    await stage.until("paused", () => stage.health?.claiming?.state === "paused");
    const since = stage.mark();
    await stage.advance(120_000);
    assert.equal(since("/tasks/claim").length, 0);
    refused.clear();
    await stage.until("claiming", () => stage.health?.claiming?.state === "claiming", 16_000);
    assert.ok(since("/tasks/claim").length > 0);
  });
});

for (
  const [era, asking] of [["baseline", "for each runtime apart"], [
    "later",
    "for all runtimes at once",
  ]] as const
) {
  Deno.test(`every loop of the engine says in a sentence what it does, against a ${era} server`, async () => {
    await onStage({ plane: { era } }, async (stage) => {
      await stage.advance(1_000);
      const sentences = stage.health!.status_sentences!;
      for (
        const loop of ["token", "sync", "socket", "heartbeat", "claims", "discovery", "sleep", "reports"]
      ) {
        assert.ok((sentences[loop] ?? "") !== "", loop);
      }
      assert.match(sentences["claims"]!, new RegExp(`^asking ${asking}, at a hint and every 30 s$`));
    });
  });
}
