/** One host with 50 runtimes in 10 workspaces: no storm, at start, in peace, and when 20 runtimes are deleted at once (issue: the whole control plane). */
import assert from "node:assert/strict";
import { type EngineStage, onStage } from "../helpers/engine_stage.ts";
import type { RecordedRequest } from "../../lib/plane/mod.ts";
import { seeded } from "../helpers/seeded.ts";

const PROVIDERS = ["claude", "codex", "gemini", "opencode", "copilot"];
const WORKSPACES = 10;
const RUNTIMES = PROVIDERS.length * WORKSPACES;
const MINUTE = 60_000;

/** Requests by endpoint: how many, how many a minute, and most within one second. */
function table(title: string, requests: readonly RecordedRequest[], ms: number): Map<string, Rate> {
  const rates = ratesOf(requests, ms);
  const lines = [...rates].sort(([, a], [, b]) => b.count - a.count).map(([name, rate]) =>
    `${name.padEnd(58)} ${String(rate.count).padStart(6)} ${rate.perMinute.toFixed(1).padStart(8)} ${
      String(rate.peak).padStart(6)
    }`
  );
  const head = `${"endpoint".padEnd(58)} ${"count".padStart(6)} ${"per min".padStart(8)} ${
    "peak/s".padStart(6)
  }`;
  console.log([`\n${title} (${ms / 1000} s simulated)`, head, ...lines].join("\n"));
  return rates;
}

interface Rate {
  readonly count: number;
  readonly perMinute: number;
  /** Most within any second. */
  readonly peak: number;
}

function ratesOf(requests: readonly RecordedRequest[], ms: number): Map<string, Rate> {
  const times = new Map<string, number[]>();
  for (const { method, path, at } of requests) {
    const name = `${method} ${path.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ":id")}`;
    times.set(name, [...times.get(name) ?? [], at]);
  }
  return new Map([...times].map(([name, at]) => [name, {
    count: at.length,
    perMinute: at.length / (ms / MINUTE),
    peak: peak(at),
  }]));
}

function peak(times: readonly number[]): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while (times[to]! - times[from]! >= 1_000) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

async function fleet(era: "baseline" | "later", work: (stage: EngineStage) => Promise<void>): Promise<void> {
  await onStage({
    providers: PROVIDERS,
    workspaces: WORKSPACES,
    plane: { era },
    random: seeded(7),
    start: false,
    grainMs: 5,
  }, async (stage) => {
    stage.start();
    await work(stage);
  });
}

function count(rates: ReadonlyMap<string, Rate>, name: string): number {
  return rates.get(name)?.count ?? 0;
}

for (const era of ["baseline", "later"] as const) {
  Deno.test(`fleet: 50 runtimes in 10 workspaces start without a storm (${era} server)`, async () => {
    await fleet(era, async (stage) => {
      await stage.running();
      await stage.advance(MINUTE);
      assert.equal(stage.plane.runtimes().length, RUNTIMES);
      const rates = table(`start, ${era}`, stage.plane.requests(), MINUTE);
      assert.equal(count(rates, "POST /api/daemon/register"), WORKSPACES);
      assert.equal(count(rates, "POST /api/daemon/runtimes/:id/recover-orphans"), RUNTIMES);
      assert.equal(count(rates, "GET /api/daemon/ws"), 1);
      assert.ok(count(rates, "POST /api/daemon/heartbeat") <= 10, "only until the first acks");
      assert.ok(
        count(rates, "POST /api/daemon/runtimes/:id/tasks/claim") <= (era === "later" ? 2 : 4) * RUNTIMES,
      );
    });
  });

  Deno.test(`fleet: twenty minutes of peace costs what the chapter says and no more (${era} server)`, async () => {
    await fleet(era, async (stage) => {
      await stage.running();
      await stage.advance(2 * MINUTE);
      const since = stage.mark();
      const minutes = 20;
      await stage.advance(minutes * MINUTE);
      const rates = table(`peace, ${era}`, since(), minutes * MINUTE);
      assert.equal(count(rates, "WS daemon:heartbeat"), RUNTIMES * 4 * minutes);
      assert.ok(rates.get("WS daemon:heartbeat")!.peak <= 10, "beats come in groups the server can queue");
      assert.equal(count(rates, "POST /api/daemon/register"), 0);
      assert.equal(count(rates, "GET /api/daemon/ws"), 0);
      const claims = count(rates, "POST /api/daemon/runtimes/:id/tasks/claim");
      if (era === "later") {
        assert.equal(claims, 0);
        assert.ok(count(rates, "RPC tasks.claim") <= 2 * minutes + 1, "one claim a machine and 30 s");
        assert.ok(count(rates, "GET /api/daemon/workspaces") <= 3);
      } else {
        assert.ok(Math.abs(claims - RUNTIMES * 2 * minutes) <= RUNTIMES, `${claims} claims`);
        assert.ok(
          rates.get("POST /api/daemon/runtimes/:id/tasks/claim")!.peak <= 15,
          "offsets by id spread them",
        );
        assert.ok(count(rates, "GET /api/workspaces") <= 2.6 * minutes);
        assert.ok(
          count(rates, "GET /api/daemon/workspaces/:id/runtime-profiles") <= 2.6 * minutes * WORKSPACES,
        );
      }
    });
  });
}

Deno.test("fleet: 20 runtimes deleted at once cost one register a workspace, and the rest go on", async () => {
  await fleet("baseline", async (stage) => {
    await stage.running();
    await stage.advance(MINUTE);
    const work = Promise.withResolvers<void>();
    stage.script = () => work.promise;
    const survivor = stage.task(stage.agent({ provider: "copilot" }));
    await stage.until("running", () => stage.plane.task(survivor)?.status === "running");
    const rows = stage.plane.runtimes();
    const lost = stage.workspaceIds.slice(0, 5).flatMap((workspace) =>
      rows.filter((row) => row.workspace_id === workspace && row.provider !== "copilot")
    );
    assert.equal(lost.length, 20);
    const since = stage.mark();
    for (const row of lost) stage.plane.deleteRuntime(row.id);
    await stage.advance(MINUTE);
    const rates = table("20 runtimes deleted at once", since(), MINUTE);
    const registered = since("POST /api/daemon/register").map((one) => JSON.parse(one.body).workspace_id);
    assert.deepEqual(registered.sort(), stage.workspaceIds.slice(0, 5).sort(), "one register a workspace");
    assert.equal(count(rates, "POST /api/daemon/runtimes/:id/recover-orphans"), 20, "none for survivors");
    assert.equal(stage.plane.runtimes().length, RUNTIMES);
    assert.equal(stage.plane.runtimes().filter((row) => row.status === "online").length, RUNTIMES);
    assert.ok(count(rates, "GET /api/daemon/ws") <= 12, "reconnects");
    assert.ok(rates.get("GET /api/daemon/ws")!.peak <= 12);
    assert.equal(stage.plane.task(survivor)?.status, "running");
    work.resolve();
    await stage.until("completed", () => stage.plane.task(survivor)?.status === "completed");
  });
});

Deno.test("fleet: poll-only, heartbeats are jittered and no runtime goes silent", async () => {
  await onStage({
    providers: PROVIDERS,
    workspaces: WORKSPACES,
    random: seeded(11),
    start: false,
    grainMs: 5,
  }, async (stage) => {
    stage.plane.faults.always("GET /api/daemon/ws", { status: 503 });
    stage.start();
    await stage.running();
    await stage.advance(MINUTE);
    const since = stage.mark();
    await stage.advance(5 * MINUTE);
    const rates = table("poll-only", since(), 5 * MINUTE);
    const beats = since("POST /api/daemon/heartbeat");
    assert.equal(beats.length, RUNTIMES * 20);
    assert.ok(rates.get("POST /api/daemon/heartbeat")!.peak <= 15, "spread over the 15 s");
    for (const row of stage.plane.runtimes()) assert.equal(row.status, "online");
    assert.ok(count(rates, "GET /api/daemon/ws") <= 13, "back-off up to 30 s");
  });
});
