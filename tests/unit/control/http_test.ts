import assert from "node:assert/strict";
import {
  CLIENT_CAPABILITIES,
  type HttpControl,
  RequestError,
  type SkillRef,
  TransportError,
} from "../../../lib/control/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { refuse, withBoth } from "./server.ts";

const RT = "7d0f2a64-31c5-4a4e-9c1b-5a6be0a3c901";
const TASK = "5b0e7c9a-22aa-4a0e-8b9d-64cf5a5f0d11";
const ok = () => Response.json({ status: "ok" });

/** Runs one call against one answer; gives the request as it arrived. */
async function call(answer: unknown, use: (control: HttpControl) => Promise<unknown>) {
  let seen: { line: string; body: unknown } | undefined;
  let value: unknown;
  await withBoth(() => Response.json(answer), async (control, server) => {
    value = await use(control);
    const [first] = server.seen;
    assert.equal(server.seen.length, 1);
    seen = {
      line: `${first!.method} ${first!.path}`,
      body: first!.body === "" ? undefined : JSON.parse(first!.body),
    };
  });
  return { ...seen!, value };
}

Deno.test("HttpControl [R1] sends the identity headers on GET and POST alike", async () => {
  await withBoth(() => Response.json({ status: "running" }), async (control, { seen }) => {
    await control.taskStatus(TASK);
    await control.progress(TASK, "x", 1, 2);
    for (const { headers } of seen) {
      assert.equal(headers.get("authorization"), "Bearer mul_test");
      assert.equal(headers.get("x-client-platform"), "daemon");
      assert.equal(headers.get("x-client-version"), "9.9.9");
      assert.equal(headers.get("x-client-os"), "linux");
      assert.equal(headers.get("x-client-capabilities"), CLIENT_CAPABILITIES.join(","));
    }
    assert.equal(seen[0]!.headers.get("content-type"), null);
    assert.equal(seen[1]!.headers.get("content-type"), "application/json");
  });
});

Deno.test("HttpControl [R1] leaves out an unknown version and an empty token, and takes a new login at once", async () => {
  let token = "";
  await withBoth(ok, async (control, { seen }) => {
    await control.progress(TASK, "x", 1, 2);
    token = "mul_new";
    await control.progress(TASK, "x", 1, 2);
    assert.equal(seen[0]!.headers.has("authorization"), false);
    assert.equal(seen[0]!.headers.has("x-client-version"), false);
    assert.equal(seen[1]!.headers.get("authorization"), "Bearer mul_new");
  }, { identity: { version: "" }, token: () => token });
});

Deno.test("CLIENT_CAPABILITIES advertises only what is implemented [C11.1, W17.5]", () => {
  assert.deepEqual(CLIENT_CAPABILITIES, ["skill-bundles-v1", "coalesced-comments-v1"]);
});

Deno.test("renewToken() [R8] is a POST with a bearer and an empty object", async () => {
  await withBoth(
    () => Response.json({ renewed: true, expires_at: "2027-01-01T00:00:00Z" }),
    async (control, { seen }) => {
      assert.deepEqual(await control.renewToken(), { renewed: true, expires_at: "2027-01-01T00:00:00Z" });
      assert.equal(
        `${seen[0]!.method} ${seen[0]!.path} ${seen[0]!.body}`,
        "POST /api/tokens/current/renew {}",
      );
      assert.equal(seen[0]!.headers.get("authorization"), "Bearer mul_test");
    },
  );
});

Deno.test("renewToken() [R11] is cut by its own limit and by the caller", async () => {
  const clock = new FakeClock();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  await withBoth(async () => {
    await held;
    return ok();
  }, async (control) => {
    const late = assert.rejects(control.renewToken(), { code: "network_timeout" });
    await clock.advance(15_000);
    await late;
    const abort = new AbortController();
    const reason = new Error("stop");
    const cut = assert.rejects(control.renewToken({ signal: abort.signal }), (error) => error === reason);
    abort.abort(reason);
    await cut;
    assert.equal(clock.pending, 0);
    release();
  }, { clock });
});

Deno.test("HttpControl speaks each endpoint's line and body (spec 01 §3, 4)", async () => {
  const line = async (
    wanted: string,
    body: unknown,
    answer: unknown,
    use: (control: HttpControl) => Promise<unknown>,
  ) => {
    const made = await call(answer, use);
    assert.equal(made.line, wanted);
    assert.deepEqual(made.body, body, wanted);
    return made.value;
  };
  const rt = `/api/daemon/runtimes/${RT}`;
  const task = `/api/daemon/tasks/${TASK}`;
  await line("POST /api/daemon/deregister", { runtime_ids: [RT] }, {}, (c) => c.deregister([RT]));
  const reasons = { [RT]: { code: "not_executable", detail: "gone" } };
  await line(
    "POST /api/daemon/deregister",
    { runtime_ids: [RT], offline_reasons: reasons },
    {},
    (c) => c.deregister([RT], { reasons }),
  );
  await line(
    "POST /api/daemon/heartbeat",
    { runtime_id: RT, supports_batch_import: true },
    { status: "ok" },
    (c) => c.heartbeat(RT),
  );
  await line(`POST ${rt}/recover-orphans`, {}, { orphaned: 2, retried: 1 }, (c) => c.recoverOrphans(RT));
  await line(`POST ${rt}/tasks/claim`, {}, { task: null }, (c) => c.claim(RT));
  const batch = { daemon_id: "d", runtime_ids: [RT], max_tasks: 3 };
  await line("POST /api/daemon/tasks/claim", batch, { tasks: [] }, (c) => c.claimBatch(batch));
  await line(`POST ${rt}/tasks/${TASK}/prepare-lease`, {}, {}, (c) => c.extendLease(RT, TASK));
  await line(
    `POST ${task}/wait-local-directory`,
    { reason: "r" },
    {},
    (c) => c.waitLocalDirectory(TASK, "r"),
  );
  assert.deepEqual(
    await line(`POST ${task}/start`, {}, { id: TASK, status: "running", extra: 1 }, (c) => c.start(TASK)),
    { id: TASK, status: "running" },
  );
  await line(
    `POST ${task}/progress`,
    { summary: "s", step: 1, total: 2 },
    {},
    (c) => c.progress(TASK, "s", 1, 2),
  );
  const messages = [{ seq: 1, type: "text", content: "hi" }] as const;
  await line(`POST ${task}/messages`, { messages }, {}, (c) => c.messages(TASK, messages));
  await line(
    `POST ${task}/messages`,
    { messages },
    {},
    (c) => c.messagesEncoded(TASK, JSON.stringify({ messages })),
  );
  assert.deepEqual(
    await line(
      `GET ${task}/messages?since=4`,
      undefined,
      [{ seq: 5, type: "text", content: "x", task_id: TASK }, { seq: 6, type: "from_the_future" }],
      (c) => c.readMessages(TASK, 4),
    ),
    [{ seq: 5, type: "text", content: "x" }],
  );
  await line(
    `POST ${task}/session`,
    { session_id: "s" },
    {},
    (c) => c.pinSession(TASK, { session_id: "s", work_dir: "" }),
  );
  const used = {
    provider: "claude",
    model: "m",
    input_tokens: 1,
    output_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
  };
  await line(
    `POST ${task}/usage`,
    { usage: [used] },
    {},
    (c) => c.usage(TASK, [used, { ...used, model: "idle", input_tokens: 0 }]),
  );
  assert.equal(
    await line(`GET ${task}/status`, undefined, { status: "cancelled" }, (c) => c.taskStatus(TASK)),
    "cancelled",
  );
  await line(
    `POST ${task}/complete`,
    { output: "o", work_dir: "/w" },
    { id: TASK, status: "completed" },
    (c) => c.complete(TASK, { output: "o", work_dir: "/w" }),
  );
  await line(
    `POST ${task}/fail`,
    { error: "e", failure_reason: "timeout" },
    { id: TASK, status: "failed" },
    (c) => c.fail(TASK, { error: "e", failure_reason: "timeout" }),
  );
  await line(
    `POST ${task}/cancel-ack`,
    { error_message: "e" },
    {},
    (c) => c.cancelAck(TASK, { error_message: "e" }),
  );
  await line(
    `GET ${rt}/tasks/pending`,
    undefined,
    [{ id: TASK, status: "queued" }],
    (c) => c.pendingTasks(RT),
  );
  for (const parent of ["issues", "chat-sessions", "autopilot-runs", "tasks"] as const) {
    const check = await line(
      `GET /api/daemon/${parent}/${TASK}/gc-check`,
      undefined,
      { status: "done", completed_at: "0001-01-01T00:00:00Z" },
      (c) => c.gcCheck(parent, TASK),
    );
    assert.deepEqual(check, { status: "done", updated_at: "", completed_at: "" });
  }
  assert.deepEqual(
    await line(
      `POST /api/daemon/workspaces/${RT}/issues/gc-check`,
      { issue_ids: ["i"] },
      { issues: [{ id: "i", found: false }] },
      (c) => c.issuesGcCheck(RT, ["i"]),
    ),
    [{ id: "i", found: false, status: "", updated_at: "" }],
  );
});

Deno.test("HttpControl makes no call when there is nothing to say", async () => {
  await withBoth(ok, async (control, { seen }) => {
    await control.deregister([]);
    await control.messages(TASK, []);
    await control.pinSession(TASK, { session_id: "", work_dir: "" });
    await control.usage(TASK, []);
    await control.usage(TASK, [{
      provider: "p",
      model: "m",
      input_tokens: 0,
      output_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
    }]);
    assert.equal(seen.length, 0);
  });
});

Deno.test("HttpControl cuts each call at its own limit", async () => {
  const limits: [number, (control: HttpControl) => Promise<unknown>][] = [
    [15_000, (c) => c.listWorkspaces()],
    [30_000, (c) => c.register(offer([]))],
    [30_000, (c) => c.workspaceRepos("w")],
    [30_000, (c) => c.runtimeProfiles("w")],
    [30_000, (c) => c.claim(RT)],
    [5_000, (c) => c.claimBatch({ daemon_id: "d", runtime_ids: [], max_tasks: 1 })],
    [10_000, (c) => c.extendLease(RT, TASK)],
    [5_000, (c) => c.messages(TASK, [{ seq: 1, type: "text", content: "x" }])],
    [5_000, (c) => c.pinSession(TASK, { session_id: "s" })],
    [30_000, (c) => c.complete(TASK, { output: "" })],
    [5_000, (c) => c.deregister([RT], { limitMs: 5_000 })],
    [30_000, (c) => c.resolveSkills(RT, TASK, [])],
    [300_000, (c) => c.resolveSkills(RT, TASK, [{ size_bytes: 1e9 } as SkillRef])],
  ];
  const clock = new FakeClock();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  await withBoth(async () => {
    await held;
    return ok();
  }, async (control) => {
    for (const [limitMs, use] of limits) {
      const job = use(control).then(() => undefined, (error: unknown) => error);
      await clock.advance(0);
      assert.equal(clock.nextDue! - clock.monotonic(), limitMs, use.toString());
      assert.equal(clock.pending, 1);
      await clock.advance(limitMs);
      const error = await job;
      assert.ok(error instanceof TransportError && error.code === "network_timeout");
    }
    release();
  }, { clock });
});

function offer(failed: { profile_id: string; command_name: string; reason: string }[]) {
  return {
    workspace_id: "w",
    daemon_id: "d",
    legacy_daemon_ids: [],
    device_name: "box",
    cli_version: "1",
    launched_by: "",
    runtimes: [],
    failed_profiles: failed,
  };
}

Deno.test("register() tells an absent settings key from null, and refuses an empty answer", async () => {
  const row = { id: RT, name: "Claude (box)", provider: "claude", status: "online", profile_id: null };
  const read = async (answer: unknown, failed: Parameters<typeof offer>[0] = []) =>
    (await call(answer, (c) => c.register(offer(failed)))).value as {
      settings: unknown;
      runtimes: unknown[];
    };
  assert.equal((await read({ runtimes: [row], repos_version: "v" })).settings, undefined);
  assert.equal((await read({ runtimes: [row], settings: null })).settings, null);
  assert.deepEqual(
    (await read({ runtimes: [row], settings: { github_enabled: false, other: 1 } })).settings,
    {
      github_enabled: false,
      other: 1,
    },
  );
  assert.equal((await read({ runtimes: [row], settings: "broken" })).settings, null);
  assert.deepEqual((await read({ runtimes: [row] })).runtimes, [{ ...row, profile_id: "" }]);
  await assert.rejects(read({ runtimes: [] }), /register runtimes: empty response/);
  assert.deepEqual(
    (await read({ runtimes: [] }, [{ profile_id: "p", command_name: "c", reason: "r" }])).runtimes,
    [],
  );
});

Deno.test("listWorkspaces() uses the newer endpoint with its ETag and gives the list again for a 304 [C11.3]", async () => {
  const tag = 'W/"0baf6ef39018b15213c9cca1a85963cc735557203ea93a4b1a781180177bdfeb"';
  const list = [{ id: "550e8400-e29b-41d4-a716-446655440000", name: "Acme" }];
  let token = "mul_a";
  await withBoth(
    ({ headers }) =>
      headers.get("if-none-match") === tag
        ? new Response(null, { status: 304, headers: { etag: tag } })
        : Response.json(list, { headers: { etag: tag } }),
    async (control, { seen }) => {
      for (let n = 0; n < 2; n++) {
        assert.deepEqual(await control.listWorkspaces(), { workspaces: list, push: true });
      }
      assert.deepEqual(seen.map(({ headers }) => headers.get("if-none-match")), [null, tag]);
      token = "mul_b";
      await control.listWorkspaces();
      assert.equal(seen[2]!.headers.get("if-none-match"), null);
    },
    { token: () => token },
  );
});

Deno.test("listWorkspaces() keeps to the older endpoint after one 404 [C11.3]", async () => {
  const row = { id: "w", name: "Acme", slug: "acme", description: null, repos: [] };
  await withBoth(
    ({ path }) =>
      path === "/api/workspaces" ? Response.json([row]) : new Response("404 page not found", { status: 404 }),
    async (control, { seen }) => {
      for (let n = 0; n < 2; n++) {
        assert.deepEqual(await control.listWorkspaces(), {
          workspaces: [{ id: "w", name: "Acme" }],
          push: false,
        });
      }
      assert.deepEqual(seen.map(({ path }) => path), [
        "/api/daemon/workspaces",
        "/api/workspaces",
        "/api/workspaces",
      ]);
    },
  );
});

Deno.test("listWorkspaces() does not take trouble for an old server", async () => {
  await withBoth(() => refuse(503, "busy"), async (control, { seen }) => {
    for (let n = 0; n < 2; n++) await assert.rejects(control.listWorkspaces(), { status: 503 });
    assert.deepEqual(seen.map(({ path }) => path), ["/api/daemon/workspaces", "/api/daemon/workspaces"]);
  });
});

Deno.test("report() [R49] delivers after a 500 and gives up after a 4xx, on the exact paths", async () => {
  const clock = new FakeClock();
  const reports = [["models", "models"], ["local-skills", "local-skills"], [
    "local-skills/import",
    "local-skills/import",
  ], ["update", "update"]] as const;
  for (const [kind, path] of reports) {
    await withBoth((_seen, n) => n === 1 ? refuse(500, "no") : ok(), async (control, { seen }) => {
      const job = control.report(RT, "req-1", { kind, body: { status: "completed" } });
      await until(clock, () => seen.length === 1);
      await clock.advance(500);
      assert.equal(await job, true);
      assert.deepEqual(
        seen.map((entry) => entry.path),
        Array(2).fill(`/api/daemon/runtimes/${RT}/${path}/req-1/result`),
      );
      assert.equal(seen[1]!.body, '{"status":"completed"}');
    }, { clock });
  }
  for (const status of [404, 408, 429]) {
    await withBoth(() => refuse(status, "request not found"), async (control, { seen }) => {
      assert.equal(await control.report(RT, "r", { kind: "models", body: {} }), false);
      assert.equal(seen.length, 1);
    });
  }
});

Deno.test("report() [R49] ends quietly after four failures, and at once when cancelled", async () => {
  const clock = new FakeClock();
  await withBoth(() => refuse(503, "no"), async (control, { seen }) => {
    const job = control.report(RT, "r", { kind: "update", body: { status: "running" } });
    for (const [n, ms] of [500, 2_000, 4_000].entries()) {
      await until(clock, () => seen.length === n + 1);
      await clock.advance(ms);
    }
    assert.equal(await job, false);
    assert.equal(seen.length, 4);
    const abort = new AbortController();
    const cancelled = control.report(RT, "r", { kind: "update", body: {} }, { signal: abort.signal });
    await until(clock, () => seen.length === 5);
    abort.abort();
    assert.equal(await cancelled, false);
    assert.equal(seen.length, 5);
  }, { clock });
});

/** Lets real I/O run until `done`; then until the client waits on the clock again. */
async function until(clock: FakeClock, done: () => boolean): Promise<void> {
  while (!done() || clock.pending === 0 || clock.nextDue! - clock.monotonic() > 10_000) {
    await clock.advance(0, { io: true });
  }
}

Deno.test("issuesGcCheck() asks 500 at a time and knows a server without the route [C11.10]", async () => {
  const ids = Array.from({ length: 1_001 }, (_, n) => `i${n}`);
  await withBoth(({ body }) => {
    const asked = JSON.parse(body).issue_ids as string[];
    return Response.json({ issues: asked.map((id) => ({ id, found: true, status: "done" })) });
  }, async (control, { seen }) => {
    assert.equal((await control.issuesGcCheck("w", ids))?.length, 1_001);
    assert.deepEqual(seen.map(({ body }) => JSON.parse(body).issue_ids.length), [500, 500, 1]);
  });
  await withBoth(() => new Response("404 page not found", { status: 404 }), async (control) => {
    assert.equal(await control.issuesGcCheck("w", ["i"]), undefined);
  });
  await withBoth(() => refuse(404, "not found"), async (control) => {
    await assert.rejects(control.issuesGcCheck("w", ["i"]), RequestError);
  });
});

Deno.test("HttpControl refuses ids that would change the path, and escapes the rest", async () => {
  await withBoth(() => Response.json({ status: "running" }), async (control, { seen }) => {
    for (const id of ["", ".", ".."]) await assert.rejects(control.taskStatus(id), { code: "invalid_id" });
    await control.taskStatus("../a b?c#d");
    assert.deepEqual(seen.map(({ path }) => path), ["/api/daemon/tasks/..%2Fa%20b%3Fc%23d/status"]);
  });
});
