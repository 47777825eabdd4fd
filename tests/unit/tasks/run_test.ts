import assert from "node:assert/strict";
import { HostError, type ProcessControl } from "../../../lib/core/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { FakeSlot, inWorld } from "../../helpers/task_world.ts";

const USAGE = { m1: { inputTokens: 5, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 } };

/** One turn of the event loop. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

async function until(fact: () => boolean): Promise<void> {
  for (let i = 0; i < 5_000 && !fact(); i++) await turn();
  assert.ok(fact(), "never came true");
}

/** Moves time until `done`. */
async function drive(clock: FakeClock, done: Promise<unknown>, stepMs = 1_000): Promise<void> {
  let finished = false;
  void done.then(() => finished = true);
  for (let i = 0; i < 2_000 && !finished; i++) {
    await turn();
    if (!finished) await clock.advance(stepMs, { io: true });
  }
  assert.ok(finished, "not done in time");
}

Deno.test("TaskRunner reports a failed run with session, work directory and reason [R41][HD-7]", () =>
  inWorld({}, async (world) => {
    world.script = () => ({ status: "failed", error: "rate limit reached", sessionId: "s1" });
    const task = await world.claimed();
    assert.equal((await world.run(task)).kind, "failed");
    const view = world.plane.task(task.id)!;
    assert.deepEqual([view.status, view.failure_reason, view.session_id, view.work_dir], [
      "failed",
      "agent_error.provider_capacity_or_rate_limit",
      "s1",
      world.dir,
    ]);
  }));

Deno.test("TaskRunner refuses claims without a task token, with a foreign agent or nothing to launch [R45][HD-11]", () =>
  inWorld({}, async (world) => {
    const cases: [Record<string, unknown>, string, RegExp][] = [
      [{ auth_token: "  " }, "agent_error.missing_config", /did not provide task-scoped auth token/],
      [{ auth_token: "mul_x" }, "agent_error.missing_config", /non-task-scoped auth token/],
      [{ agent_id: "someone-else" }, "invalid_task_identity", /is not the agent it carries/],
      [{ workspace_id: "" }, "agent_error.unknown", /task has no workspace_id/],
      [{ malformed: ["agent.custom_env"] }, "agent_error.runtime_version_unsupported", /cannot read fields/],
    ];
    for (const [change, reason, text] of cases) {
      const task = await world.claimed();
      await world.run({ ...task, ...change });
      const view = world.plane.task(task.id)!;
      assert.equal(view.failure_reason, reason);
      assert.match(view.error, text);
    }
    const task = await world.claimed();
    await world.run(task, new FakeSlot(), world.target({ executable: "", problem: "not allowed" }));
    assert.equal(world.plane.task(task.id)!.error, 'no agent configured for provider "claude": not allowed');
    assert.equal(world.plane.requests("/start").length, 0);
  }));

Deno.test("TaskRunner trims the task token [R45]", () =>
  inWorld({}, async (world) => {
    let seen = "";
    world.script = ({ request }) => void (seen = request.env["MULTICA_TOKEN"]!);
    const task = await world.claimed();
    await world.run({ ...task, auth_token: ` ${task.auth_token}\n` });
    assert.equal(seen, task.auth_token);
  }));

Deno.test("TaskRunner gives the agent its environment: own PATH, no host token, no nested Claude [HD-11]", () =>
  inWorld({
    settings: { inheritedEnv: { PATH: "/usr/bin", CLAUDECODE: "1", MULTICA_SERVER_URL: "x", LANG: "C" } },
  }, async (world) => {
    let env: Readonly<Record<string, string>> = {};
    world.script = ({ request }) => void (env = request.env);
    const task = await world.claimed();
    const agent = {
      ...task.agent!,
      custom_env: { ANTHROPIC_API_KEY: "k", home: "/x", multica_token: "y", "a b": "z" },
    };
    await world.run({ ...task, agent });
    assert.equal(env["PATH"], "/opt/shim:/usr/bin");
    assert.equal(env["MULTICA_SERVER_URL"], world.plane.url);
    assert.equal(env["MULTICA_TASK_SLOT"], "0");
    assert.equal(env["ANTHROPIC_API_KEY"], "k");
    assert.equal(env["LANG"], "C");
    for (const key of ["CLAUDECODE", "home", "multica_token", "a b", "MULTICA_AUTOPILOT_ID"]) {
      assert.ok(!(key in env), key);
    }
    assert.ok(!Object.values(env).includes(world.plane.token));
  }));

Deno.test("TaskRunner fails with the reason of the preparation's error and leaves the slot", () =>
  inWorld({}, async (world) => {
    world.workdir.prepareError = new HostError("skill bundle unavailable: x", {
      code: "skill_bundle_unavailable",
    });
    const task = await world.claimed();
    const slot = new FakeSlot();
    await world.run(task, slot);
    assert.equal(world.plane.task(task.id)!.failure_reason, "skill_bundle_unavailable");
    assert.ok(slot.calls.includes("release"));
    assert.equal(world.workdir.reserved, 0);
  }));

Deno.test("TaskRunner stops the agent when the task is cancelled: no report, usage and tail delivered [R39][R40][HD-3][HD-9][N-25]", () => {
  const clock = new FakeClock();
  return inWorld({ clock, plane: { era: "later" } }, async (world) => {
    let started = false;
    world.script = async ({ emit, stopped }) => {
      emit({ type: "text", text: "working." });
      started = true;
      await stopped;
      emit({ type: "text", text: "last words." });
      return { status: "aborted", error: "execution cancelled", usage: USAGE };
    };
    const task = await world.claimed();
    const run = world.run(task);
    await until(() => started);
    world.plane.cancelTask(task.id);
    await drive(clock, run);
    assert.deepEqual(await run, { taskId: task.id, kind: "interrupted", reason: "cancelled" });
    await world.outbox.idle();
    const view = world.plane.task(task.id)!;
    assert.equal(view.status, "cancelled");
    assert.equal(view.cancel_acked, true);
    assert.equal(world.plane.usage(task.id).length, 1);
    assert.match(world.plane.messages(task.id).map((row) => row.content).join(""), /working\.last words\./);
    assert.equal(world.plane.requests((r) => /\/(complete|fail)$/.test(r.path)).length, 0);
  });
});

Deno.test("TaskRunner.recheck() finds a cancelled task at once, a deleted one too [R39][HD-10]", () =>
  inWorld({}, async (world) => {
    for (const end of ["cancelTask", "deleteTask"] as const) {
      let started = false;
      world.script = async ({ stopped }) => {
        started = true;
        await stopped;
        return { status: "aborted" };
      };
      const task = await world.claimed();
      const run = world.run(task);
      await until(() => started);
      world.plane[end](task.id);
      await world.runner.recheck();
      assert.equal((await run).kind, "interrupted");
    }
  }));

Deno.test("TaskRunner goes on when the status cannot be read or says running [R39]", () =>
  inWorld({}, async (world) => {
    let go = () => {};
    world.script = () => new Promise<void>((resolve) => go = resolve);
    const task = await world.claimed();
    const run = world.run(task);
    await until(() => world.runner.active()[0]?.phase === "running");
    for (const status of [500, 404, 502]) {
      world.plane.faults.script("GET /api/daemon/tasks/:id/status", [{
        status,
        body: "<html>not found</html>",
      }]);
      await world.runner.recheck();
    }
    await world.runner.recheck();
    go();
    assert.equal((await run).kind, "completed");
  }));

Deno.test("TaskRunner retries a fresh session once on evidence and keeps usage and numbers [R43][HD-2][HD-6]", () =>
  inWorld({}, async (world) => {
    world.workdir.prior = true;
    const resumes: string[] = [];
    const prompts: string[] = [];
    world.script = ({ request, emit }) => {
      resumes.push(request.resumeSessionId);
      prompts.push(request.prompt);
      emit({ type: "text", text: `try ${resumes.length}.` });
      return resumes.length === 1
        ? { status: "failed", error: "no conversation found", resumeRejected: true, usage: USAGE }
        : { sessionId: "new", usage: { m1: { ...USAGE.m1, inputTokens: 10, outputTokens: 20 } } };
    };
    const task = await world.claimed();
    await world.run({ ...task, prior_session_id: "old" });
    assert.deepEqual(resumes, ["old", ""]);
    assert.deepEqual(prompts, ["prompt resumed", "prompt fresh lost"]);
    const view = world.plane.task(task.id)!;
    assert.deepEqual([view.status, view.session_id], ["completed", "new"]);
    assert.deepEqual([
      world.plane.usage(task.id)[0]!.input_tokens,
      world.plane.usage(task.id)[0]!.output_tokens,
    ], [15, 21]);
    assert.deepEqual(world.plane.messages(task.id).map((row) => [row.seq, row.content]), [[1, "try 1."], [
      2,
      "try 2.",
    ]]);
    const body = JSON.parse(world.plane.requests("/complete")[0]!.body);
    assert.equal(body.retired_session_id, "old");
  }));

Deno.test("TaskRunner does not retry after a tool ran, nor without a resume [R43][N-28]", () =>
  inWorld({}, async (world) => {
    world.workdir.prior = true;
    let runs = 0;
    world.script = ({ emit }) => {
      runs++;
      emit({ type: "tool_use", tool: "Bash", callId: "1" });
      emit({ type: "tool_result", callId: "1", output: "" });
      return { status: "failed", error: "x", resumeRejected: true };
    };
    const one = await world.claimed();
    await world.run({ ...one, prior_session_id: "old" });
    assert.equal(runs, 1);
    assert.deepEqual(world.plane.messages(one.id).map((row) => row.type), ["tool_use", "tool_result"]);
  }));

Deno.test("TaskRunner drops the session when the work directory is another one, and tells the agent [R44][HD-1]", () =>
  inWorld({}, async (world) => {
    let resume = "?";
    world.script = ({ request }) => void (resume = request.resumeSessionId);
    const task = await world.claimed();
    await world.run({ ...task, prior_session_id: "old", prior_work_dir: "/elsewhere" });
    assert.equal(resume, "");
    assert.deepEqual(world.workdir.facts[0], { resumed: false, sessionLost: true, slot: 0 });
    const again = await world.claimed();
    world.workdir.prior = true;
    await world.run({ ...again, prior_session_id: "old" });
    assert.equal(resume, "old");
  }));

Deno.test("TaskRunner writes the result to disk at once and reports it when the processes are gone", () =>
  inWorld({}, async (world) => {
    const exit = Promise.withResolvers<void>();
    const end = Promise.withResolvers<{ empty: boolean; leftovers: number[]; killed: boolean }>();
    world.script = (run) => {
      run.exited = exit.promise;
      run.ended = end.promise;
      return { output: "x" };
    };
    const task = await world.claimed();
    const slot = new FakeSlot();
    const run = world.run(task, slot);
    await until(() => world.journal.ofTask(task.id)?.state === "ended");
    assert.equal(world.plane.requests("/complete").length, 0);
    exit.resolve();
    await world.plane.taskState(task.id, "completed");
    assert.deepEqual(slot.calls, []);
    end.resolve({ empty: true, leftovers: [], killed: false });
    await slot.released.promise;
    await run;
  }));

Deno.test("TaskRunner keeps the slot while processes of the agent survive", () => {
  const clock = new FakeClock();
  let ends = 0;
  const processes: ProcessControl = {
    started: () => {},
    end: () => Promise.resolve({ empty: ++ends === 2, leftovers: [7], killed: true }),
    groupEmpty: () => Promise.resolve(false),
    cpuTime: () => Promise.resolve(undefined),
  };
  return inWorld({ clock, processes }, async (world) => {
    world.script = (run) => {
      run.ended = Promise.resolve({ empty: false, leftovers: [7], killed: true });
      return {};
    };
    const slot = new FakeSlot();
    const run = world.run(await world.claimed(), slot);
    await until(() => world.runner.active()[0]?.sentence.includes("do not end") === true);
    assert.deepEqual(slot.calls, []);
    await drive(clock, run);
    assert.equal(ends, 2);
  });
});

Deno.test("TaskRunner.stop() reports a running task so that the server makes a new attempt [N-27]", () =>
  inWorld({}, async (world) => {
    world.script = async ({ emit, stopped }) => {
      emit({ type: "session", sessionId: "s9" });
      await stopped;
      return { status: "aborted", sessionId: "s9" };
    };
    const task = await world.claimed();
    const run = world.run(task);
    await until(() => world.plane.task(task.id)!.session_id === "s9");
    world.runner.stop("shutting down");
    assert.equal((await run).kind, "stopped");
    const view = world.plane.task(task.id)!;
    assert.deepEqual([view.status, view.failure_reason, view.session_id], [
      "failed",
      "runtime_recovery",
      "s9",
    ]);
    assert.match(view.error, /host stopped while the task was running: shutting down/);
  }));

Deno.test("TaskRunner acknowledges a second claim of a live task and takes its newer token before the spawn", () =>
  inWorld({}, async (world) => {
    const prepared = Promise.withResolvers<void>();
    world.workdir.onPrepare = () => prepared.promise;
    let token = "";
    let runs = 0;
    world.script = ({ request }) => {
      runs++;
      token = request.env["MULTICA_TOKEN"]!;
      return { output: `using ${token}` };
    };
    const task = await world.claimed();
    const first = world.run(task);
    await until(() => world.runner.has(task.id));
    const slot = new FakeSlot();
    const second = await world.run({ ...task, auth_token: "mat_newer" }, slot);
    assert.equal(second.kind, "duplicate");
    assert.deepEqual(slot.calls, ["release"]);
    prepared.resolve();
    await first;
    assert.equal(runs, 1);
    assert.equal(token, "mat_newer");
    assert.equal(world.plane.task(task.id)!.output, "using [REDACTED]");
  }));

Deno.test("TaskRunner does not run a claim whose report waits in the journal", () =>
  inWorld({}, async (world) => {
    const task = await world.claimed();
    const hold = world.plane.faults.always("POST /api/daemon/tasks/:id/complete", { status: 401 });
    const first = world.run(task);
    await until(() => world.outbox.status().held !== "");
    world.runner.stop("x");
    assert.equal(world.journal.ofTask(task.id)!.state, "ended");
    const again = world.runner.has(task.id) ? undefined : await world.run(task);
    assert.ok(again === undefined || again.kind === "duplicate");
    hold.clear();
    world.outbox.kick();
    await first;
  }));

Deno.test("startTask repeats a transient failure, believes the status after a lost answer [R36]", () => {
  const clock = new FakeClock();
  return inWorld({ clock, plane: { gate: true } }, async (world) => {
    world.plane.faults.script("POST /api/daemon/tasks/:id/start", [{ status: 503 }, { status: 429 }]);
    const one = await world.claimed();
    const run = world.run(one);
    await drive(clock, run);
    assert.equal((await run).kind, "completed");
    world.plane.faults.script("POST /api/daemon/tasks/:id/start", [{ reset: "after" }]);
    const two = await world.claimed();
    const again = world.run(two);
    await drive(clock, again);
    assert.equal((await again).kind, "completed");
  });
});

Deno.test("startTask fails the task on a refusal and ends silently when the task is over [R36]", () =>
  inWorld({}, async (world) => {
    world.plane.faults.script("POST /api/daemon/tasks/:id/start", [{ status: 409, body: { error: "no" } }]);
    const one = await world.claimed();
    await world.run(one);
    assert.match(world.plane.task(one.id)!.error, /^start task failed: /);
    const two = await world.claimed();
    world.workdir.onPrepare = () => {
      world.plane.cancelTask(two.id);
      return Promise.resolve();
    };
    assert.deepEqual(await world.run(two), { taskId: two.id, kind: "interrupted", reason: "cancelled" });
    assert.equal(world.plane.requests("/fail").length, 1);
  }));

Deno.test("TaskRunner extends the lease while it prepares and while start is slow [R37]", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    const prepared = Promise.withResolvers<void>();
    world.workdir.onPrepare = () => prepared.promise;
    const task = await world.claimed();
    const run = world.run(task);
    await until(() => world.runner.active()[0]?.phase === "preparing");
    await clock.advance(31_000, { io: true });
    await until(() => world.plane.requests("prepare-lease").length === 2);
    prepared.resolve();
    await drive(clock, run);
    assert.equal(world.plane.requests("prepare-lease").length, 2);
  });
});

Deno.test("TaskRunner gives up a preparation after five minutes with reason timeout [C11.2]", () => {
  const clock = new FakeClock();
  return inWorld({ clock }, async (world) => {
    world.workdir.onPrepare = () => new Promise(() => {});
    const task = await world.claimed();
    const slot = new FakeSlot();
    const run = world.run(task, slot);
    await until(() => world.runner.active()[0]?.phase === "preparing");
    await drive(clock, run, 10_000);
    assert.equal(world.plane.task(task.id)!.failure_reason, "timeout");
    assert.ok(slot.calls.includes("release"));
  });
});

Deno.test("TaskRunner lends its slot while another task holds its directory [R46]", () =>
  inWorld({}, async (world) => {
    const free = Promise.withResolvers<void>();
    world.workdir.local = { path: "/repo", label: "my repo" };
    world.workdir.holder = "0a1b2c3d-0000-7000-8000-000000000000";
    world.workdir.lockFree = free.promise;
    const slot = new FakeSlot();
    const task = {
      ...await world.claimed(),
      project_resources: [{ id: "r", resource_type: "local_directory", resource_ref: {}, label: "" }],
    };
    const run = world.run(task, slot);
    await world.plane.taskState(task.id, "waiting_local_directory");
    assert.equal(world.plane.task(task.id)!.wait_reason, "local_directory my repo (held by task 0a1b2c3d)");
    assert.deepEqual(slot.calls, ["lend"]);
    assert.equal(world.runner.active()[0]!.phase, "waiting for a directory");
    free.resolve();
    assert.equal((await run).kind, "completed");
    assert.deepEqual(slot.calls.slice(0, 3), ["lend", "reclaim", "release"]);
    assert.ok(world.workdir.cleaned >= 1);
  }));

Deno.test("TaskRunner ends a wait silently when the server cancels, and as cancelled when the host stops [R46]", () =>
  inWorld({}, async (world) => {
    world.workdir.local = { path: "/repo", label: "repo" };
    world.workdir.holder = "x";
    world.workdir.lockFree = new Promise(() => {});
    const resources = [{ id: "r", resource_type: "local_directory", resource_ref: {}, label: "" }];
    const one = { ...await world.claimed(), project_resources: resources };
    const first = world.run(one);
    await world.plane.taskState(one.id, "waiting_local_directory");
    world.plane.cancelTask(one.id);
    await world.runner.recheck();
    assert.equal((await first).kind, "interrupted");
    const two = { ...await world.claimed(), project_resources: resources };
    const second = world.run(two);
    await world.plane.taskState(two.id, "waiting_local_directory");
    world.runner.stop("bye");
    await second;
    const view = world.plane.task(two.id)!;
    assert.deepEqual([view.failure_reason, view.error], ["cancelled", "local_directory wait cancelled: bye"]);
  }));

Deno.test("TaskRunner stops a silent agent by its watchdog, usage and session kept [HD-4]", () => {
  const clock = new FakeClock();
  return inWorld(
    { clock, settings: { idleWatchdogMs: 1_800_000, toolWatchdogMs: 7_200_000 } },
    async (world) => {
      world.script = async ({ emit, stopped }) => {
        emit({ type: "text", text: "hello." });
        await stopped;
        return { status: "aborted", usage: USAGE, sessionId: "s" };
      };
      const task = await world.claimed();
      const run = world.run(task);
      await until(() => world.runner.active()[0]?.phase === "running");
      await drive(clock, run, 30_000);
      const view = world.plane.task(task.id)!;
      assert.equal(view.failure_reason, "idle_watchdog");
      assert.match(view.error, /no new messages for 30m0s and message queue was empty/);
      assert.equal(world.plane.usage(task.id).length, 1);
    },
  );
});

Deno.test("TaskRunner [f14] finishes a run although the token was revoked, and reports it after a new login", () =>
  inWorld({}, async (world) => {
    let go = () => {};
    world.script = () => new Promise<void>((resolve) => go = resolve);
    const task = await world.claimed();
    const run = world.run(task);
    await until(() => world.runner.active()[0]?.phase === "running");
    const revoked = world.plane.faults.always("* /api/daemon/*", {
      status: 401,
      body: { error: "invalid token" },
    });
    go();
    await until(() => world.outbox.status().held !== "");
    assert.match(world.outbox.status().sentence, /refuses our login/);
    revoked.clear();
    world.outbox.kick();
    assert.equal((await run).kind, "completed");
    assert.equal(world.plane.task(task.id)!.status, "completed");
  }));

Deno.test("TaskRunner [f07] finishes and reports a task although the disk has no room", () =>
  inWorld({}, async (world) => {
    const task = await world.claimed();
    world.script = ({ emit }) => {
      world.journal.limitPages(1);
      for (let i = 0; i < 50; i++) {
        emit({ type: "tool_result", callId: "", output: `${i} ${"x".repeat(8_000)}` });
      }
      return { output: "y" };
    };
    const outcome = await world.run(task);
    assert.equal(outcome.kind, "completed");
    assert.equal(world.plane.task(task.id)!.status, "completed");
    assert.equal(world.plane.messages(task.id).length, 50);
    assert.equal(world.journal.canClaim(), false);
    world.journal.limitPages(1_000_000);
    assert.equal(world.journal.canClaim(), true);
  }));

Deno.test("TaskRunner [f17] masks a secret split over events, in results, inputs and errors", () =>
  inWorld({}, async (world) => {
    const secret = "very/secret+value=42";
    world.script = ({ emit }) => {
      for (const part of ["it is very/sec", "ret+val", "ue=42 indeed."]) emit({ type: "text", text: part });
      emit({
        type: "tool_use",
        tool: "Bash",
        callId: "1",
        input: { a: { b: [JSON.stringify({ secret })] } },
      });
      emit({ type: "tool_result", callId: "1", output: btoa(`x:${secret}`) });
      emit({ type: "error", text: encodeURIComponent(secret) });
      return { status: "failed", error: `boom ${secret}` };
    };
    const task = await world.claimed();
    await world.run({ ...task, agent: { ...task.agent!, custom_env: { DEPLOY_KEY: secret } } });
    const bodies = world.plane.requests((r) => r.method === "POST").map((r) => r.body).join("\n");
    for (const form of [secret, encodeURIComponent(secret), btoa(secret).slice(4, 16)]) {
      assert.ok(!bodies.includes(form), form);
    }
    assert.ok(bodies.includes("boom [REDACTED]"));
  }));

Deno.test("TaskRunner.refuse() fails a claim whose runtime is gone", () =>
  inWorld({}, async (world) => {
    const task = await world.claimed();
    world.runner.refuse(
      task,
      { provider: "claude" },
      "runtime went offline before the task started",
      "runtime_offline",
    );
    await world.outbox.idle();
    assert.equal(world.plane.task(task.id)!.failure_reason, "runtime_offline");
  }));

Deno.test("TaskRunner keeps the directory reserved while complete is being sent [R38]", () =>
  inWorld({}, async (world) => {
    let reserved = -1;
    world.outbox.settled.subscribe(() => reserved = world.workdir.reserved);
    await world.run(await world.claimed());
    assert.equal(reserved, 1);
    assert.equal(world.workdir.reserved, 0);
  }));
