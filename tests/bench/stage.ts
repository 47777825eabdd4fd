/** One host against one plane, for the length of a measurement. */
import { join } from "node:path";
import { healthPort } from "../../lib/config/mod.ts";
import { Plane } from "../../lib/plane/mod.ts";
import { systemClock } from "../../lib/core/mod.ts";
import { freeProfile } from "../helpers/e2e_world.ts";
import { hostCommand, HostProcess, makeHome, type TestHome } from "../helpers/host_process.ts";
import { wallMs } from "./figures.ts";

const here = new URL(".", import.meta.url).pathname;

/** Compiles the bench agent once. @throws when there is no C compiler */
export async function buildAgent(): Promise<string> {
  const path = join(await Deno.makeTempDir({ prefix: "multica-bench-" }), "claude");
  const { success, stderr } = await new Deno.Command("cc", {
    args: ["-O2", "-o", path, join(here, "agent.c")],
  }).output();
  if (!success) throw new Error(`cannot build the bench agent: ${new TextDecoder().decode(stderr)}`);
  return path;
}

export interface StageOptions {
  readonly agent: string;
  readonly slots?: number;
  readonly workspaces?: number;
  readonly era?: "baseline" | "later";
}

/** A plane in this process, a host in its own. */
export class Stage {
  private constructor(
    readonly plane: Plane,
    readonly home: TestHome,
    readonly host: HostProcess,
    readonly workspaceId: string,
    /** Wall ms when the host was spawned. */
    readonly spawnedAt: number,
  ) {}

  static async open(
    options: StageOptions,
    before: (plane: Plane, workspaceId: string) => void = () => {},
  ): Promise<Stage> {
    const plane = await Plane.open({
      path: ":memory:",
      port: 0,
      era: options.era ?? "baseline",
      record: true,
      clock: { ...systemClock, now: wallMs },
    });
    const workspaceId = plane.createWorkspace({ name: "Bench" });
    for (let n = 1; n < (options.workspaces ?? 1); n++) plane.createWorkspace({ name: `Bench ${n}` });
    before(plane, workspaceId);
    const profile = freeProfile();
    const home = await makeHome({ profile, serverUrl: plane.url, token: plane.token });
    const spawnedAt = wallMs();
    const host = HostProcess.start(home, {
      args: ["--profile", profile],
      port: healthPort(profile),
      env: {
        MULTICA_CLAUDE_PATH: options.agent,
        IS_SANDBOX: "1",
        MULTICA_DAEMON_MAX_CONCURRENT_TASKS: String(options.slots ?? 20),
      },
    });
    return new Stage(plane, home, host, workspaceId, spawnedAt);
  }

  get pid(): number {
    return this.host.child.pid;
  }

  /** An agent whose stand-in behaves in this way. */
  agent(mode: string, maxConcurrentTasks = 20): string {
    return this.plane.createAgent({
      workspaceId: this.workspaceId,
      name: `bench ${mode}`,
      provider: "claude",
      customEnv: { BENCH_MODE: mode, IS_SANDBOX: "1" },
      maxConcurrentTasks,
    });
  }

  task(agentId: string): string {
    return this.plane.addTask({ workspaceId: this.workspaceId, agentId, title: "bench" }).id;
  }

  /** Resolves when all these tasks are completed. @throws when one ended otherwise */
  async completed(taskIds: readonly string[]): Promise<void> {
    for (const id of taskIds) {
      const task = await this.plane.taskState(id, ["completed", "failed", "cancelled"]);
      if (task.status !== "completed") {
        throw new Error(`task ${task.status}: ${JSON.stringify(task)}\n${this.host.output}`);
      }
    }
  }

  async close(): Promise<void> {
    await this.host.stop();
    await this.plane.close();
    await this.home.remove();
  }
}

/** Wall time of `multica-host version`, ms. */
export async function versionTime(): Promise<number> {
  const [program, ...lead] = hostCommand();
  const began = performance.now();
  await new Deno.Command(program, { args: [...lead, "version"], stdout: "null", stderr: "null" }).output();
  return performance.now() - began;
}
