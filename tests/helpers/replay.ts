/** Replays captured agent streams through the real driver and compares with the timeline beside them. */
import assert from "node:assert/strict";
import type { AgentEvent, AgentResult, Driver } from "../../lib/agents/mod.ts";
import { agentRequest, script, startAgent } from "./agent_run.ts";

/** `<name>.exit.json`: how the CLI ended, and what the run was asked. */
interface ReplayExit {
  readonly code: number;
  readonly stderr: string;
  readonly resume?: string;
  readonly model?: string;
}

/** `<name>.expected.json`: what the host makes of it. */
export interface Expected {
  readonly events: readonly AgentEvent[];
  readonly result: Omit<AgentResult, "durationMs">;
}

/** What the driver makes of one captured stream, as the file beside it says. For tests that look at single facts. */
export function expectedTimeline(url: URL): Expected {
  return JSON.parse(Deno.readTextFileSync(url)) as Expected;
}

/** Registers one test for each `*.jsonl` below `dir` (a URL ending in `/`). */
export function replayTests(provider: string, driver: Driver, dir: URL): void {
  for (const version of names(dir, (entry) => entry.isDirectory)) {
    const folder = new URL(`${version}/`, dir);
    for (const file of names(folder, (entry) => entry.name.endsWith(".jsonl"))) {
      const name = file.replace(".jsonl", "");
      Deno.test(`${provider} ${version} stream ${name} gives its timeline`, () =>
        replay(provider, driver, folder, name));
    }
  }
}

function names(dir: URL, fits: (entry: Deno.DirEntry) => boolean): string[] {
  return [...Deno.readDirSync(dir)].filter(fits).map((entry) => entry.name).sort();
}

async function replay(provider: string, driver: Driver, folder: URL, name: string): Promise<void> {
  const exit = JSON.parse(await Deno.readTextFile(new URL(`${name}.exit.json`, folder))) as ReplayExit;
  const dir = await Deno.makeTempDir();
  try {
    const stream = new URL(`${name}.jsonl`, folder).pathname;
    await Deno.writeTextFile(`${dir}/stderr`, exit.stderr);
    const cli = await script(
      `${dir}/cli`,
      `#!/bin/sh\nread -r prompt\ncat '${stream}'\ncat stderr >&2\nread -r rest\nexit ${exit.code}\n`,
    );
    const { run, events } = await startAgent(
      driver,
      agentRequest(cli, dir, { provider, resumeSessionId: exit.resume ?? "", model: exit.model ?? "" }),
    );
    const { durationMs: _, ...result } = await run.result;
    await run.ended;
    const seen: Expected = { events: events.filter((event) => event.type !== "activity"), result };
    await compare(new URL(`${name}.expected.json`, folder), seen);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function compare(file: URL, seen: Expected): Promise<void> {
  const plain = JSON.parse(JSON.stringify(seen)) as Expected;
  if (Deno.env.get("UPDATE_FIXTURES") === "1") {
    await Deno.writeTextFile(file, JSON.stringify(plain, null, 1) + "\n");
  }
  assert.deepEqual(plain, JSON.parse(await Deno.readTextFile(file)));
}
