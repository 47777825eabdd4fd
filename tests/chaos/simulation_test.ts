/** Two hours of a host's life on the injected clock, in bad weather: what the plane expects is what there is at the end. */
import assert from "node:assert/strict";
import { sleep } from "../../lib/core/mod.ts";
import type { PlaneEvent } from "../../lib/plane/mod.ts";
import { type EngineStage, onStage } from "../helpers/engine_stage.ts";
import { seeded } from "../helpers/seeded.ts";
import type { ScriptedRun } from "../helpers/task_world.ts";
import { Weather } from "../helpers/weather.ts";

const TICK_MS = 5_000;
const HOURS = Number(Deno.env.get("SIM_HOURS") ?? 2);
const SEED = Number(Deno.env.get("SIM_SEED") ?? 20_260_101);
const ENDED = ["completed", "failed", "cancelled"];

interface Run {
  readonly text: string;
  readonly outcome: "completed" | "failed" | "stopped" | "open";
}

/** The agents of the simulation, and what is known of every run. */
class Agents {
  readonly runs = new Map<string, Run[]>();
  readonly live = new Set<string>();
  readonly violations: string[] = [];

  constructor(private readonly random: () => number) {}

  async run({ request, ports, emit, stopped }: ScriptedRun) {
    const id = request.env.MULTICA_TASK_ID!;
    if (this.live.has(id)) this.violations.push(`${id} runs twice at the same time`);
    this.live.add(id);
    const runs = this.runs.get(id) ?? [];
    this.runs.set(id, runs);
    const index = runs.push({ text: "", outcome: "open" }) - 1;
    const note = (more: Partial<Run>) => runs[index] = { ...runs[index]!, ...more };
    const over = new AbortController();
    stopped.then(() => over.abort(new Error("stopped")));
    const fails = this.random() < 0.1;
    try {
      if (this.random() < 0.8) emit({ type: "session", sessionId: `session-${id}` });
      for (let left = 1 + Math.floor(this.random() * 12); left > 0; left--) {
        await sleep(ports.clock, 200 + this.random() * 15_000, over.signal);
        const text = `${id.slice(-4)}/${left} ${"word ".repeat(1 + Math.floor(this.random() * 30))}`;
        note({ text: runs[index]!.text + text });
        emit({ type: "text", text });
        emit({ type: "tool_use", tool: "bash", callId: `${left}`, input: { command: "ls" } });
        emit({ type: "tool_result", callId: `${left}`, output: "files" });
      }
    } catch {
      note({ outcome: "stopped" });
      return { status: "aborted", output: "" } as const;
    } finally {
      this.live.delete(id);
    }
    note({ outcome: fails ? "failed" : "completed" });
    const usage = { m: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 } };
    return fails
      ? { status: "failed", output: "", error: "the model was in a bad mood", usage } as const
      : { status: "completed", output: `done ${id}`, usage } as const;
  }
}

for (const era of ["baseline", "later"] as const) {
  Deno.test(`simulation: two hours of faults end in order (${era} server)`, async () => {
    const seed = SEED + (era === "later" ? 1 : 0);
    console.log(`simulation of ${HOURS} h against a ${era} server: SIM_SEED=${SEED} (seed ${seed})`);
    const random = seeded(seed);
    const agents = new Agents(random);
    await onStage({
      workspaces: 3,
      providers: ["claude", "codex", "gemini"],
      commands: { "team-codex": "/opt/agents/team-codex" },
      config: { maxConcurrentTasks: 8 },
      plane: { era, gate: true },
      random: seeded(seed + 1_000),
      script: (run) => agents.run(run),
      grainMs: 25,
      quietLogs: true,
    }, (stage) => simulate(stage, agents, random));
  });
}

async function simulate(stage: EngineStage, agents: Agents, random: () => number): Promise<void> {
  const { plane } = stage;
  const weather = new Weather(stage, random);
  plane.store.events.subscribe((event) => watch(event, agents));
  const ids = stage.workspaceIds.flatMap((workspaceId) =>
    ["claude", "codex", "gemini"].map((provider) => ({
      workspaceId,
      agentId: stage.agent({ workspaceId, provider, max: 2 }),
    }))
  );
  const started = performance.now();
  for (let ms = 0; ms < HOURS * 3_600_000; ms += TICK_MS) {
    await weather.tick();
    if (random() < 0.25) {
      const { workspaceId, agentId } = ids[Math.floor(random() * ids.length)]!;
      stage.task(agentId, { workspaceId });
    }
    await stage.advance(TICK_MS);
  }
  await weather.clear();
  await stage.until("every task has ended", () => open(stage).length === 0, 3 * 3_600_000)
    .catch((error) =>
      assert.fail(
        `${error.message}: ${JSON.stringify(open(stage), null, 1)}\n${stage.logs.slice(-60).join("\n")}`,
      )
    );
  await stage.until("nothing waits", () => stage.health?.active_task_count === 0 && delivered(stage), 600_000)
    .catch((error) => assert.fail(`${error.message}: ${JSON.stringify(stage.health, null, 1)}`));
  // A workspace that was left or joined a moment ago: the host hears of it, the server notices its silence.
  await stage.until("the host serves what the server shows online", () => servesAllOnline(stage), 600_000)
    .catch((error) => assert.fail(`${error.message}: ${JSON.stringify(stage.health?.workspaces)}`));
  await stage.advance(1_000);
  report(stage, agents, weather, performance.now() - started);
  verify(stage, agents);
  await allSlotsWork(stage, ids);
}

/** As many tasks as there are slots run at the same time: none was lost on the way. */
async function allSlotsWork(
  stage: EngineStage,
  places: readonly { readonly workspaceId: string; readonly agentId: string }[],
): Promise<void> {
  const work = Promise.withResolvers<void>();
  stage.script = () => work.promise;
  const ids = places.slice(0, 8).map(({ workspaceId, agentId }) => stage.task(agentId, { workspaceId }));
  const all = (status: string) => () => ids.every((id) => stage.plane.task(id)?.status === status);
  await stage.until("all slots work", all("running"));
  await stage.until("full", () => stage.health?.claiming?.state === "full", 5_000);
  work.resolve();
  await stage.until("all done", all("completed"));
}

/** A task at work on this host must never be failed as an orphan. */
function watch(event: PlaneEvent, agents: Agents): void {
  if (event.type !== "task" || event.to !== "failed") return;
  if (event.reason === "runtime_recovery" && agents.live.has(event.taskId)) {
    agents.violations.push(`${event.taskId} was failed as an orphan while it ran`);
  }
}

function open(stage: EngineStage) {
  return stage.plane.tasks().filter((task) => !ENDED.includes(task.status));
}

function delivered(stage: EngineStage): boolean {
  return stage.health?.status_sentences?.reports?.startsWith("everything delivered") ?? false;
}

function report(stage: EngineStage, agents: Agents, weather: Weather, realMs: number): void {
  const states = new Map<string, number>();
  for (const task of stage.plane.tasks()) {
    const key = task.status === "failed" ? `failed: ${task.failure_reason}` : task.status;
    states.set(key, (states.get(key) ?? 0) + 1);
  }
  const list = (map: ReadonlyMap<string, number>) =>
    [...map].sort().map(([name, n]) => `  ${n} ${name}`).join("\n");
  const requests = Object.values(stage.plane.recorder.rates()).reduce((sum, n) => sum + n, 0);
  console.log(
    `tasks\n${list(states)}\nmisfortunes\n${list(weather.counts)}\nagent runs ${agents.runs.size}, ` +
      `requests and frames ${requests}, ${Math.round(realMs / 1000)} s real`,
  );
}

function verify(stage: EngineStage, agents: Agents): void {
  assert.deepEqual(agents.violations, []);
  for (const [id, runs] of agents.runs) {
    assert.equal(runs.length, 1, `task ${id} was run ${runs.length} times`);
    const [run] = runs;
    assert.notEqual(run!.outcome, "open", id);
    const task = stage.plane.task(id);
    if (task === undefined) continue;
    if (task.status === "completed") assert.equal(run!.outcome, "completed", id);
    if (task.status === "failed" && task.error?.includes("bad mood")) {
      assert.equal(run!.outcome, "failed", id);
    }
    verifyTranscript(stage, id, run!.text);
  }
  for (const task of stage.plane.tasks()) {
    if (task.status === "completed") assert.ok(agents.runs.has(task.id), "completed without a run");
  }
  assert.equal(stage.health?.active_task_count, 0);
  assert.equal(stage.health?.claiming?.state, "claiming");
  assert.match(stage.health!.claiming!.why, /^8 of 8 task slots are free/);
}

function servesAllOnline(stage: EngineStage): boolean {
  const online = stage.plane.runtimes().filter((row) => row.status === "online").map((row) => row.id);
  const known = stage.health?.workspaces?.flatMap((workspace) => [...workspace.runtimes]) ?? [];
  return JSON.stringify(known.sort()) === JSON.stringify(online.sort());
}

/** Every word, once, in order. */
function verifyTranscript(stage: EngineStage, id: string, text: string): void {
  const rows = stage.plane.messages(id);
  const seqs = rows.map((row) => row.seq);
  const wrong = seqs.findIndex((seq, n) => seq !== n + 1);
  assert.ok(wrong < 0, `rows of ${id} twice, out of order or missing: row ${wrong} is ${seqs[wrong]}`);
  const said = rows.filter((row) => row.type === "text").map((row) => row.content).join("").replaceAll(
    /\s+/g,
    "",
  );
  const meant = text.replaceAll(/\s+/g, "");
  // Not left to assert.equal, whose comparison of long texts takes minutes.
  const at = [...meant].findIndex((char, n) => said[n] !== char);
  const shown = (whole: string) =>
    `${whole.length} characters, "…${whole.slice(Math.max(0, at - 40), at + 40)}…"`;
  assert.ok(
    said === meant,
    `transcript of ${id} differs at ${at}: ${shown(said)} instead of ${shown(meant)}`,
  );
}
