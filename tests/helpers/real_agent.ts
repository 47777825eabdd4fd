/** Real agent CLIs against the scripted model: a home, a work directory, a model, and the driver under test. */
import type { AgentEvent, Driver, RunRequest } from "../../lib/agents/mod.ts";
import { type ModelServer, perPrompt, startModelServer, type Turn } from "../fixtures/model_server/server.ts";
import { agentRequest, startAgent, type Started } from "./agent_run.ts";
import { commandLines } from "./process_control.ts";

/** What one real CLI needs. */
export interface RealAgent {
  readonly driver: Driver;
  readonly provider: string;
  readonly executable: string;
  readonly version: string;
  /** Writes the CLI's configuration and says which environment it needs. */
  prepare(home: string, modelUrl: string): Promise<Readonly<Record<string, string>>>;
}

/** A home with everything a run needs. */
export interface House {
  readonly home: string;
  readonly work: string;
  readonly model: ModelServer;
  start(more?: Partial<RunRequest>): Promise<Started>;
}

/** Runs `work` in a fresh house whose model says `turns`, by how many tool rounds a prompt has had. */
export async function withRealAgent(
  agent: RealAgent,
  turns: readonly Turn[],
  work: (house: House) => Promise<void>,
): Promise<void> {
  const home = await Deno.makeTempDir();
  const model = startModelServer(perPrompt(turns));
  const runs: Started[] = [];
  try {
    for (const dir of ["work", "tmp"]) await Deno.mkdir(`${home}/${dir}`);
    const env = await agent.prepare(home, model.url);
    await work({
      home,
      work: `${home}/work`,
      model,
      async start(more = {}) {
        const started = await startAgent(
          agent.driver,
          agentRequest(agent.executable, `${home}/work`, {
            provider: agent.provider,
            cliVersion: agent.version,
            tempDir: `${home}/tmp`,
            ...more,
            env: {
              HOME: home,
              PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
              TMPDIR: `${home}/tmp`,
              ...env,
              ...more.env,
            },
          }),
        );
        runs.push(started);
        return started;
      },
    });
  } finally {
    for (const { abort } of runs) abort(); // of a test that failed half-way; the others are over
    await Promise.all(runs.map(({ run }) => run.ended));
    await model.close();
    await Deno.remove(home, { recursive: true });
  }
}

/** Events as short lines: deltas of text joined, signs of life and session ids left out. */
export function story(events: readonly AgentEvent[]): string[] {
  const lines: string[] = [];
  for (const event of events) {
    if (event.type === "activity" || event.type === "session") continue;
    const last = lines.at(-1);
    if ((event.type === "text" || event.type === "thinking") && last?.startsWith(`${event.type} `)) {
      lines[lines.length - 1] = last + event.text;
    } else if (event.type === "tool_use") lines.push(`tool_use ${event.tool}`);
    else lines.push("text" in event ? `${event.type} ${event.text}` : event.type);
  }
  return lines;
}

/** Longest wait for a CLI's tool to run, ms: a net for a busy machine (OpenCode needs 35 s to start at a load of 15). */
const PATIENCE_MS = 120_000;

/** Waits until at least `count` processes of the marked tree have `words` in their command line. */
export async function processesOf(marker: string, words: string, count: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (commandLines(marker).filter((line) => line.startsWith(words)).length < count) {
    if (performance.now() > until) {
      throw new Error(`no ${count} × "${words}": ${commandLines(marker).join(" | ")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
