/** Registration, custom profiles, drift and convergence, over real HTTP against a plane (spec 01 §7.3–7.5). */
import assert from "node:assert/strict";
import { decideExecutable } from "../../../lib/supervisor/executable_policy.ts";
import { Hold } from "../../../lib/plane/mod.ts";
import { type EngineStage, foundAgent, onStage, type StageOptions } from "../../helpers/engine_stage.ts";

const REGISTER = "POST /api/daemon/register";

interface RegisterBody {
  readonly runtimes: readonly {
    readonly type: string;
    readonly profile_id?: string;
    readonly name: string;
  }[];
  readonly failed_profiles: readonly { readonly profile_id: string; readonly reason: string }[];
}

function bodies(requests: readonly { readonly body: string }[]): RegisterBody[] {
  return requests.map(({ body }) => JSON.parse(body));
}

function profile(
  stage: EngineStage,
  command: string,
  more: { family?: string; enabled?: boolean } = {},
): string {
  return stage.plane.createProfile({
    workspaceId: stage.workspaceIds[0]!,
    displayName: `Profile ${command}`,
    protocolFamily: more.family ?? "codex",
    commandName: command,
    fixedArgs: ["--fixed"],
    enabled: more.enabled ?? true,
  });
}

/** One sync period, with room for jitter. */
const TICK = 37_000;

Deno.test("Registrar [R12] registers a profile on PATH with family, display name and profile id", async () => {
  await onStage({ start: false, commands: { "team-codex": "/opt/team-codex" } }, async (stage) => {
    const id = profile(stage, "team-codex");
    stage.start();
    await stage.running();
    const [body] = bodies(stage.plane.requests(REGISTER));
    const offer = body!.runtimes.find((one) => one.profile_id === id);
    assert.equal(offer?.type, "codex");
    assert.match(offer!.name, /^Profile team-codex/);
    assert.deepEqual(body!.runtimes.map((one) => one.type).sort(), ["claude", "codex"]);
    assert.deepEqual(body!.failed_profiles, []);
  });
});

Deno.test("Registrar [R13] sends a missing command and an unknown family as failed profiles, built-ins beside", async () => {
  await onStage({ start: false }, async (stage) => {
    const missing = profile(stage, "nowhere");
    const strange = profile(stage, "nowhere", { family: "hal9000" });
    stage.start();
    await stage.running();
    const [body] = bodies(stage.plane.requests(REGISTER));
    assert.deepEqual(body!.runtimes.map((one) => one.type), ["claude"]);
    assert.deepEqual(
      new Map(body!.failed_profiles.map((one) => [one.profile_id, one.reason])),
      new Map([
        [missing, "command not found on PATH: nowhere"],
        [strange, "unsupported protocol_family: hal9000"],
      ]),
    );
  });
});

for (const status of [404, 500]) {
  Deno.test(`Registrar profiles endpoint ${status}: built-ins register, later ticks do not register again`, async () => {
    await onStage({ start: false }, (stage) => withoutProfiles(stage, status));
  });
}

Deno.test("Registrar [R14] registers built-ins when profiles cannot be read, and takes them up once they can", async () => {
  await onStage({ start: false, commands: { "team-codex": "/opt/team-codex" } }, async (stage) => {
    profile(stage, "team-codex");
    await withoutProfiles(stage, 500);
    stage.plane.faults.clear();
    await stage.advance(TICK);
    assert.equal(stage.plane.requests(REGISTER).length, 2);
    assert.deepEqual(stage.plane.runtimes().map((row) => row.provider).sort(), ["claude", "codex"]);
  });
});

async function withoutProfiles(stage: EngineStage, status: number): Promise<void> {
  stage.plane.faults.always("GET /api/daemon/workspaces/:id/runtime-profiles", { status });
  stage.start();
  await stage.running();
  await stage.advance(2 * TICK);
  const sent = bodies(stage.plane.requests(REGISTER));
  assert.equal(sent.length, 1);
  assert.deepEqual(sent[0]!.runtimes.map((one) => one.type), ["claude"]);
}

Deno.test("Registrar keeps custom runtimes when their profiles cannot be read at a later registration", async () => {
  await onStage(
    { start: false, commands: { "team-codex": "/opt/team-codex" }, providers: ["claude", "gemini"] },
    async (stage) => {
      const id = profile(stage, "team-codex");
      stage.start();
      await stage.running();
      const gemini = stage.plane.runtimes().find((row) => row.provider === "gemini")!.id;
      stage.plane.faults.always("GET /api/daemon/workspaces/:id/runtime-profiles", { status: 500 });
      stage.plane.deleteRuntime(gemini);
      const since = stage.mark();
      await stage.until("registered again", () => since(REGISTER).some((one) => one.status === 200));
      assert.ok(bodies(since(REGISTER))[0]!.runtimes.some((one) => one.profile_id === id));
      assert.equal(since("deregister").length, 0);
    },
  );
});

Deno.test("Registrar [R17] registers once for a new profile, not at all for an equal signature", async () => {
  await onStage({ commands: { "team-codex": "/opt/team-codex" } }, async (stage) => {
    const since = stage.mark();
    await stage.advance(3 * TICK);
    assert.equal(since(REGISTER).length, 0);
    const drift = stage.mark();
    profile(stage, "team-codex");
    await stage.advance(1_000);
    assert.equal(since(REGISTER).length, 1);
    const read = drift("runtime-profiles").filter((one) => one.n < since(REGISTER)[0]!.n);
    assert.equal(read.length, 1, "one read for comparison and registration");
    assert.equal(stage.health?.workspaces?.[0]?.runtimes.length, 2);
    await stage.advance(3 * TICK);
    assert.equal(since(REGISTER).length, 1);
  });
});

Deno.test("Registrar [R18] never recovers orphans at a drift; a sibling's task goes on", async () => {
  await onStage({ commands: { "team-codex": "/opt/team-codex" } }, async (stage) => {
    const work = Promise.withResolvers<void>();
    stage.script = () => work.promise;
    const id = stage.task(stage.agent());
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    const since = stage.mark();
    profile(stage, "team-codex");
    await stage.advance(TICK);
    assert.equal(since(REGISTER).length, 1);
    assert.equal(since("recover-orphans").length, 0);
    work.resolve();
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
  });
});

Deno.test("Registrar [R19] converges to zero once when a custom-only host loses its only profile", async () => {
  const options = { start: false, providers: [], commands: { "team-codex": "/opt/team-codex" } };
  await onStage(options, async (stage) => {
    const id = profile(stage, "team-codex");
    stage.start();
    await stage.running();
    const [old] = stage.runtimeIds();
    const since = stage.mark();
    stage.plane.updateProfile(id, { enabled: false });
    await stage.advance(TICK);
    assert.deepEqual(since("deregister").map((one) => JSON.parse(one.body).runtime_ids), [[old]]);
    assert.deepEqual(stage.health?.workspaces?.[0]?.runtimes, []);
    assert.equal(since(REGISTER).length, 0);
    await stage.advance(3 * TICK);
    assert.equal(since("deregister").length, 1);
    assert.equal(since(REGISTER).length, 0);
    stage.plane.updateProfile(id, { enabled: true });
    await stage.advance(TICK);
    assert.equal(since(REGISTER).length, 1);
    assert.equal(stage.plane.runtimes().find((row) => row.status === "online")?.profile_id, id);
  });
});

Deno.test("Registrar [R20] deregisters only the id of the one profile that was disabled", async () => {
  const options = { start: false, commands: { one: "/opt/one", two: "/opt/two" } };
  await onStage(options, async (stage) => {
    const [one] = [profile(stage, "one"), profile(stage, "two")];
    stage.start();
    await stage.running();
    const gone = stage.plane.runtimes().find((row) => row.profile_id === one)!.id;
    const since = stage.mark();
    stage.plane.updateProfile(one, { enabled: false });
    await stage.advance(TICK);
    assert.deepEqual(since("deregister").map((request) => JSON.parse(request.body).runtime_ids), [[gone]]);
    assert.equal(stage.health?.workspaces?.[0]?.runtimes.length, 2);
  });
});

Deno.test("Registrar goes on without a profile that was disabled between read and register (409)", async () => {
  const options = { start: false, commands: { one: "/opt/one", two: "/opt/two" } };
  await onStage(options, async (stage) => {
    const [one, two] = [profile(stage, "one"), profile(stage, "two")];
    const lateHold = new Hold();
    stage.plane.faults.script("GET /api/daemon/workspaces/:id/runtime-profiles", [{ lateHold }]);
    stage.start();
    await stage.until("profiles read", () => stage.plane.requests("runtime-profiles").length === 1);
    stage.plane.updateProfile(one!, { enabled: false });
    lateHold.release();
    await stage.running();
    await stage.advance(2 * TICK);
    assert.deepEqual(stage.plane.requests(REGISTER).map((request) => request.status), [409, 200]);
    const sent = bodies(stage.plane.requests(REGISTER));
    assert.deepEqual(sent[1]!.runtimes.flatMap((offer) => offer.profile_id ?? []), [two]);
    assert.equal(stage.health?.status, "running");
  });
});

Deno.test("Registrar takes up a profile's command that is installed later, without a change on the server", async () => {
  await onStage({ start: false }, async (stage) => {
    const id = profile(stage, "later-codex");
    stage.start();
    await stage.running();
    const since = stage.mark();
    await stage.advance(2 * TICK);
    assert.equal(since(REGISTER).length, 0);
    stage.commands.set("later-codex", "/opt/later-codex");
    await stage.advance(TICK);
    assert.equal(since(REGISTER).length, 1);
    assert.equal(stage.plane.runtimes().find((row) => row.profile_id === id)?.status, "online");
  });
});

Deno.test("Registrar registers a workspace with nothing but failed profiles once, and reconnects for nobody", async () => {
  await onStage({ start: false, providers: [] }, async (stage) => {
    profile(stage, "nowhere");
    stage.start();
    await stage.running();
    const since = stage.mark();
    await stage.advance(4 * TICK);
    assert.equal(stage.plane.requests(REGISTER).length, 1);
    assert.equal(since("recover-orphans").length, 0);
  });
});

Deno.test("Registrar drops a provider that is gone from the machine, but never under its running task", async () => {
  await onStage({ providers: ["claude", "gemini"] }, async (stage) => {
    const work = Promise.withResolvers<void>();
    stage.script = () => work.promise;
    const id = stage.task(stage.agent({ provider: "gemini" }));
    await stage.until("running", () => stage.plane.task(id)?.status === "running");
    const since = stage.mark();
    stage.handle.agents(stage.agents().filter((agent) => agent.provider === "claude"));
    await stage.advance(2 * TICK);
    assert.equal(since("deregister").length, 0);
    work.resolve();
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
    await stage.advance(2 * TICK);
    assert.equal(since("deregister").length, 1);
    assert.deepEqual(stage.health?.workspaces?.[0]?.runtimes.length, 1);
  });
});

Deno.test("Registrar [C11.3] a hint whose refresh fails is made good within a minute, also where changes are pushed", async () => {
  await onStage({ plane: { era: "later" }, commands: { mine: "/opt/mine" } }, async (stage) => {
    const profiles = "GET /api/daemon/workspaces/:id/runtime-profiles";
    const create = (name: string) =>
      stage.plane.createProfile({
        workspaceId: stage.workspaceIds[0]!,
        displayName: name,
        protocolFamily: "claude",
        commandName: "mine",
      });
    const runtimes = (count: number) => () => stage.health?.workspaces?.[0]?.runtimes.length === count;
    await stage.advance(60_000);
    stage.plane.faults.script(REGISTER, [{ status: 500 }]);
    create("first");
    await stage.until("registered after all", runtimes(2), 60_000);
    stage.plane.faults.script(profiles, [{ status: 503 }]);
    create("second");
    await stage.until("read after all", runtimes(3), 60_000);
    await stage.advance(5_000); // the new socket stands, and all was looked at
    const since = stage.mark();
    await stage.advance(10 * 60_000);
    const again = since().filter(({ path }) => path.endsWith("/register") || path.endsWith("-profiles"));
    assert.equal(again.length, 0);
  });
});

Deno.test("Registrar [C11.4] says why a runtime goes offline: program, version, profile, shutdown", async () => {
  const providers = ["claude", "codex", "opencode"];
  const commands = { mine: "/opt/mine", other: "/opt/other" };
  await onStage({ providers, commands, plane: { era: "later" }, start: false }, async (stage) => {
    const profile = (command: string) =>
      stage.plane.createProfile({
        workspaceId: stage.workspaceIds[0]!,
        displayName: command,
        protocolFamily: "claude",
        commandName: command,
      });
    const [mine, other] = [profile("mine"), profile("other")];
    stage.start();
    await stage.running();
    const reasons = () =>
      Object.fromEntries(
        stage.plane.runtimes().flatMap(({ provider, profile_id, metadata }) => {
          const name = profile_id === null ? provider : profile_id === mine ? "mine" : "other";
          const { offline_reason: reason } = JSON.parse(metadata);
          return reason === undefined ? [] : [[name, reason]];
        }),
      );
    stage.plane.updateProfile(mine, { enabled: false });
    await stage.until("first", () => reasons()["mine"]);
    stage.commands.delete("other");
    stage.plane.updateProfile(other, { fixedArgs: ["--x"] });
    assert.deepEqual(await stage.until("second", () => reasons()["other"]), {
      code: "command_unavailable",
      detail: "command not found on PATH: other",
    });
    const [claude] = stage.agents();
    const fault = { problem: "codex version 0.1.0 is below minimum", fault: "below_minimum" } as const;
    const repair = { packageName: "p", command: "cd '/p' && npm x", shell: "sh" } as const;
    stage.handle.agents([
      claude!,
      foundAgent("codex", { ...fault, fix: "npm i codex" }),
      foundAgent("opencode", { path: "", problem: "gone", fault: "not_found", repair }),
    ]);
    await stage.until("third", () => reasons()["opencode"]);
    assert.deepEqual(reasons(), {
      mine: { code: "profile_disabled", detail: "the runtime profile was disabled or deleted" },
      codex: { code: "below_minimum", detail: `${fault.problem}; to do: npm i codex` },
      opencode: {
        code: "not_found",
        detail: "gone",
        repair: { package: "p", command: "cd '/p' && npm x", shell: "sh" },
      },
    });
    await stage.stop();
    assert.deepEqual(reasons()["claude"], { code: "host_stopped", detail: "the host was stopped" });
  });
});

Deno.test("Registrar [C11.4] a probe that hangs once neither deregisters nor hides the agent, and /health says so", async () => {
  await onStage({}, async (stage) => {
    const since = stage.mark();
    const problem = "detect version for /opt/agents/claude: did not end within 10 s";
    stage.handle.agents([foundAgent("claude", { probedAt: 1 })]);
    stage.handle.agents([foundAgent("claude", { version: "", problem, fault: "unavailable" })]);
    const id = stage.task(stage.agent());
    await stage.until("completed", () => stage.plane.task(id)?.status === "completed");
    await stage.advance(2 * TICK);
    assert.equal(since("deregister").length + since(REGISTER).length, 0);
    assert.equal(
      stage.health?.status_sentences?.["agents"],
      `offered all the same for now: claude: ${problem}`,
    );
    assert.deepEqual(stage.health?.skipped_agents, {});
  });
});

Deno.test("Registrar a new version of an agent is registered at the next look, once", async () => {
  await onStage({}, async (stage) => {
    const since = stage.mark();
    stage.handle.agents(stage.agents().map((agent) => ({ ...agent, version: "2.0.0" })));
    await stage.advance(3 * TICK);
    assert.equal(since(REGISTER).length, 1);
    assert.match(since(REGISTER)[0]!.body, /"version":"2\.0\.0"/);
    assert.equal(since("recover-orphans").length, 0);
  });
});

Deno.test("Registrar [R15] an executable override wins, a broken one falls back to PATH with a note when that fails too", async () => {
  const dir = await Deno.makeTempDir({ prefix: "override_" });
  for (const name of ["on-path", "override"]) {
    await Deno.writeTextFile(`${dir}/${name}`, "#!/bin/sh\n", { mode: 0o755 });
  }
  await Deno.writeTextFile(`${dir}/broken`, "", { mode: 0o644 });
  const overrides: Record<string, string> = {};
  const launched: string[] = [];
  const policy: NonNullable<StageOptions["policy"]> = (request) => {
    const verdict = decideExecutable(request, {
      env: { PATH: dir },
      home: dir,
      os: "linux",
      overrides,
      allowCommands: ["*"],
      agentPaths: [],
    });
    if (verdict.allowed) launched.push(verdict.path);
    return verdict;
  };
  await onStage({ start: false, policy }, async (stage) => {
    overrides[profile(stage, "on-path")] = `${dir}/override`;
    overrides[profile(stage, "on-path")] = `${dir}/broken`;
    const failing = profile(stage, "nowhere");
    overrides[failing] = `${dir}/broken`;
    stage.start();
    await stage.running();
    const [body] = bodies(stage.plane.requests(REGISTER));
    assert.deepEqual(launched.sort(), [`${dir}/on-path`, `${dir}/override`]);
    assert.equal(body!.runtimes.filter((offer) => offer.profile_id !== undefined).length, 2);
    assert.deepEqual(body!.failed_profiles.map((one) => [one.profile_id, one.reason]), [[
      failing,
      `Configured path override is not executable: ${dir}/broken; command not found on PATH: nowhere`,
    ]]);
  });
  await Deno.remove(dir, { recursive: true });
});
