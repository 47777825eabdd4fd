/**
 * `deno task bench [--quick] [--only NAME]`: the host's figures as medians over several rounds, with the binary named by
 * MULTICA_HOST_BINARY, else dist/multica-host when it is there, else the sources. Nothing here is asserted.
 */
import { hostCommand } from "../helpers/host_process.ts";
import { agentTimes, median, percentile, resetPeak, usage, wallMs } from "./figures.ts";
import { buildAgent, Stage, versionTime } from "./stage.ts";

const quick = Deno.args.includes("--quick");
const only = Deno.args[Deno.args.indexOf("--only") + 1];
const ROUNDS = quick ? 2 : 5;

if (!Deno.env.get("MULTICA_HOST_BINARY")) {
  const binary = new URL("../../dist/multica-host", import.meta.url).pathname;
  if (await Deno.stat(binary).then(() => true, () => false)) Deno.env.set("MULTICA_HOST_BINARY", binary);
}
const agent = await buildAgent();

function row(name: string, value: string): void {
  console.log(`${name.padEnd(58)} ${value}`);
}

function ms(values: readonly number[]): string {
  return `${median(values).toFixed(1)} ms  (${values.map((value) => value.toFixed(1)).join(", ")})`;
}

async function version(): Promise<void> {
  const values: number[] = [];
  for (let n = 0; n < ROUNDS * 2; n++) values.push(await versionTime());
  row("version, wall", ms(values));
}

async function start(): Promise<void> {
  const ready: number[] = [];
  const claim: number[] = [];
  const home = [];
  for (let n = 0; n < ROUNDS; n++) {
    const stage = await Stage.open({ agent }, (plane, workspaceId) => {
      // Queued before the host exists: its agent is bound once the runtime registers.
      plane.createAgent({ workspaceId, name: "bench", provider: "claude" });
    });
    home.push(stage);
    await stage.host.ready();
    ready.push(wallMs() - stage.spawnedAt);
    const first = await stage.plane.waitForRequest((entry) => entry.path.endsWith("/tasks/claim"));
    claim.push(first.at - stage.spawnedAt);
    await stage.close();
  }
  row("start to ready (/health says running)", ms(ready));
  row("start to first claim", ms(claim));
}

async function dispatch(): Promise<void> {
  const stage = await Stage.open({ agent });
  await stage.host.ready();
  const tasks = quick ? 20 : 100;
  const bench = stage.agent("instant");
  const total: number[] = [];
  const parts: Record<string, number[]> = { "to claim": [], "claim to start": [], "start to agent": [] };
  const known: number[] = [];
  for (let n = 0; n < tasks + 5; n++) {
    const added = wallMs();
    const id = stage.task(bench);
    await stage.completed([id]);
    if (n < 5) continue;
    const { start: first, end } = agentTimes(resultOf(stage, id));
    const at = (test: (path: string, body: string) => boolean) =>
      stage.plane.requests((entry) => entry.at >= added && test(entry.path, entry.body))[0]?.at ?? NaN;
    const claimed = at((path) => path.endsWith("/tasks/claim"));
    const started = at((path) => path.endsWith(`/${id}/start`));
    total.push(first - added);
    parts["to claim"]!.push(claimed - added);
    parts["claim to start"]!.push(started - claimed);
    parts["start to agent"]!.push(first - started);
    known.push(at((path) => path.endsWith(`/${id}/complete`)) - end);
  }
  const p = (values: readonly number[]) =>
    `p50 ${percentile(values, 50).toFixed(1)} ms, p95 ${percentile(values, 95).toFixed(1)} ms`;
  row(`wake-up to the agent's first instruction, ${tasks} tasks`, p(total));
  for (const [name, values] of Object.entries(parts)) row(`  ${name}`, p(values));
  const disk = [...stage.host.output.matchAll(/resultToDiskMs=([\d.]+)/g)].map((match) => Number(match[1]));
  row("agent's result line to the result on disk", disk.length === 0 ? "not logged" : p(disk.slice(-tasks)));
  row("agent's result line to complete at the server", p(known));
  await stage.close();
}

function resultOf(stage: Stage, id: string): string {
  const complete = stage.plane.requests((entry) => entry.path.endsWith(`/${id}/complete`))[0];
  return complete?.body ?? "";
}

async function throughput(): Promise<void> {
  const rates: number[] = [];
  const cpu: number[] = [];
  const tasks = quick ? 60 : 200;
  for (let n = 0; n < Math.min(ROUNDS, 3); n++) {
    const stage = await Stage.open({ agent, slots: 8 });
    await stage.host.ready();
    const bench = stage.agent("instant", 1000);
    await stage.completed([stage.task(bench)]);
    const before = await usage(stage.pid);
    const began = wallMs();
    const ids = Array.from({ length: tasks }, () => stage.task(bench));
    await stage.completed(ids);
    const seconds = (wallMs() - began) / 1000;
    const after = await usage(stage.pid);
    rates.push(tasks / seconds);
    cpu.push((after.cpuMs - before.cpuMs) / tasks);
    await stage.close();
  }
  row(
    `tasks a second, ${tasks} at once, 8 slots`,
    `${median(rates).toFixed(0)}  (${rates.map((r) => r.toFixed(0)).join(", ")})`,
  );
  row("  host CPU a task", ms(cpu));
}

async function flood(): Promise<void> {
  const events = quick ? 20_000 : 200_000;
  const walls: number[] = [];
  const cpu: number[] = [];
  const shares: number[] = [];
  for (let n = 0; n < Math.min(ROUNDS, 3); n++) {
    const stage = await Stage.open({ agent });
    await stage.host.ready();
    const bench = stage.agent(`flood:${events}`);
    const before = await usage(stage.pid);
    const began = wallMs();
    const id = stage.task(bench);
    await stage.completed([id]);
    walls.push((wallMs() - began) / 1000);
    cpu.push((await usage(stage.pid)).cpuMs / 1000 - before.cpuMs / 1000);
    const seen = new Set<string>();
    for (const message of stage.plane.messages(id)) {
      for (const match of (message.content ?? "").matchAll(/#(\d{8})/g)) seen.add(match[1]!);
    }
    shares.push(seen.size / events * 100);
    await stage.close();
  }
  row(`${events} stream-json events of 600 bytes, wall`, `${median(walls).toFixed(2)} s`);
  row("  host CPU per 100 000 events", `${(median(cpu) / events * 100_000).toFixed(2)} s`);
  row("  delivered", `${Math.min(...shares).toFixed(1)} %`);
}

async function twentyAgents(): Promise<void> {
  const seconds = quick ? 3 : 8;
  const over: number[] = [];
  const cpuPerGb: number[] = [];
  for (let n = 0; n < Math.min(ROUNDS, 3); n++) {
    const stage = await Stage.open({ agent });
    await stage.host.ready();
    await stage.completed([stage.task(stage.agent("instant"))]);
    const idle = await usage(stage.pid);
    await resetPeak(stage.pid);
    const bench = stage.agent(`rate:2500000:${seconds}`, 20);
    const ids = Array.from({ length: 20 }, () => stage.task(bench));
    await stage.completed(ids);
    const after = await usage(stage.pid);
    over.push(after.peakMb - idle.rssMb);
    const bytes = ids.reduce(
      (sum, id) =>
        sum + stage.plane.messages(id).reduce((more, message) => more + (message.content?.length ?? 0), 0),
      0,
    );
    // An event of about 600 bytes carries a text of about 402.
    cpuPerGb.push((after.cpuMs - idle.cpuMs) / 1000 / (bytes / 402 * 600 / 1e9));
    await stage.close();
  }
  row(`20 agents at 2.5 MB/s each for ${seconds} s, peak over idle`, `${median(over).toFixed(0)} MB`);
  row("  host CPU per GB", `${median(cpuPerGb).toFixed(1)} s`);
}

async function idle(): Promise<void> {
  const seconds = quick ? 10 : 60;
  const stage = await Stage.open({ agent, workspaces: 13 });
  await stage.host.ready();
  await stage.plane.waitForRequest((entry) => entry.path === "/api/daemon/register", { after: 0 });
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const before = await usage(stage.pid);
  const requests = stage.plane.requests().length;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await usage(stage.pid);
  row("idle with 13 runtimes: memory", `${after.rssMb.toFixed(0)} MB`);
  row("  CPU a minute", `${((after.cpuMs - before.cpuMs) / seconds * 60).toFixed(0)} ms`);
  row(
    "  HTTP requests a minute",
    `${((stage.plane.requests().length - requests) / seconds * 60).toFixed(0)}`,
  );
  await stage.close();
}

async function size(): Promise<void> {
  const [program] = hostCommand();
  row(
    "binary size",
    `${((await Deno.stat(program)).size / 1e6).toFixed(1)} MB (${program.split("/").pop()})`,
  );
}

const PARTS = { version, start, dispatch, throughput, flood, twentyAgents, idle, size };
for (const [name, part] of Object.entries(PARTS)) {
  if (Deno.args.includes("--only") && name !== only) continue;
  await part();
}
await Deno.remove(agent);
