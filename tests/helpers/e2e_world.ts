/** A plane in this process, a scripted agent, and a real host as a process of its own, in a private home. */
import { healthPort } from "../../lib/config/mod.ts";
import { Plane, type PlaneOptions, type RecordedRequest, type TaskSpec } from "../../lib/plane/mod.ts";
import { ScriptedAgent } from "./e2e_agent.ts";
import {
  type HomeOptions,
  HostProcess,
  makeHome,
  type Ran,
  runHostCommand,
  type TestHome,
} from "./host_process.ts";

/** Longest wait for anything a test waits for, ms: a net below, never the thing waited for. */
export const PATIENCE_MS = 90_000;

/** See {@link withWorld}. */
export interface WorldOptions {
  readonly plane?: PlaneOptions;
  /** @default what `SHORT_PLAY` says */
  readonly play?: string;
  /** @default a profile whose port is free */
  readonly profile?: string;
  readonly home?: HomeOptions;
}

/** A profile name whose health port nobody uses, so that tests can run side by side. */
export function freeProfile(): string {
  for (;;) {
    const name = `e2e-${crypto.randomUUID().slice(0, 8)}`;
    try {
      Deno.listen({ hostname: "127.0.0.1", port: healthPort(name) }).close();
      return name;
    } catch {
      // Taken: another name.
    }
  }
}

/** One scene; see {@link withWorld}. */
export class E2eWorld {
  #hosts: HostProcess[] = [];

  private constructor(
    readonly plane: Plane,
    readonly agent: ScriptedAgent,
    readonly home: TestHome,
    readonly profile: string,
    readonly workspaceId: string,
    /** The plane's agent, bound to this machine's runtime when it registers. */
    readonly agentId: string,
  ) {}

  static async open(options: WorldOptions = {}): Promise<E2eWorld> {
    const plane = await Plane.open(options.plane);
    const profile = options.profile ?? freeProfile();
    const agent = ScriptedAgent.make(options.play);
    const home = await makeHome({ profile, serverUrl: plane.url, token: plane.token, ...options.home });
    const workspaceId = plane.createWorkspace({ name: "Acme" });
    const agentId = plane.createAgent({ workspaceId, name: "coder", provider: "claude" });
    return new E2eWorld(plane, agent, home, profile, workspaceId, agentId);
  }

  get port(): number {
    return healthPort(this.profile);
  }

  /** Environment of the host: the scripted agent is the only agent it can find. */
  get env(): Record<string, string> {
    return {
      MULTICA_CLAUDE_PATH: this.agent.path,
      PATH: "/usr/bin:/bin",
      SHELL: "/bin/sh",
      IS_SANDBOX: "1",
      MULTICA_DRAIN_TIMEOUT: "5s",
    };
  }

  /** Starts a host; it is killed at the end if it still runs. */
  start(env: Record<string, string> = {}, args: readonly string[] = []): HostProcess {
    const host = HostProcess.start(this.home, {
      args: [...(this.profile === "" ? [] : ["--profile", this.profile]), ...args],
      port: this.port,
      env: { ...this.env, ...env },
    });
    this.#hosts.push(host);
    return host;
  }

  /** Starts a host and waits until it is up. */
  async running(env: Record<string, string> = {}): Promise<HostProcess> {
    const host = this.start(env);
    await host.ready();
    return host;
  }

  /** Runs one `multica-host` command on this profile to its end. */
  run(command: string, env: Record<string, string> = {}): Promise<Ran> {
    return this.runArgs([command], env);
  }

  /** The same with arguments. */
  runArgs(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    const profile = this.profile === "" ? [] : ["--profile", this.profile];
    return runHostCommand(this.home, [...args, ...profile], { ...this.env, ...env });
  }

  /** Adds a task for the agent; returns its id. */
  task(spec: Partial<TaskSpec> = {}): string {
    return this.plane.addTask({
      workspaceId: this.workspaceId,
      agentId: this.agentId,
      title: "Say hello",
      ...spec,
    } as TaskSpec).id;
  }

  /** Requests about one task: `POST start` … in order, with their status. */
  calls(taskId: string, what = ""): RecordedRequest[] {
    return this.plane.requests((one) => one.path.includes(taskId) && one.path.endsWith(what));
  }

  async close(): Promise<void> {
    for (const host of this.#hosts) await host[Symbol.asyncDispose]();
    await this.plane.close();
    await this.agent.dispose();
    await this.home.remove();
  }
}

/** Opens a world, runs the test, closes it; gives up after {@link PATIENCE_MS} with what the hosts said. */
export async function withWorld(
  options: WorldOptions,
  work: (world: E2eWorld) => Promise<void>,
): Promise<void> {
  const world = await E2eWorld.open(options);
  try {
    await patiently(
      work(world),
      () => world.plane.requests().slice(-10).map((one) => `${one.method} ${one.path} ${one.status}`),
    );
  } finally {
    await world.close();
  }
}

/** `work`, or an error with `facts()` when it takes too long. */
export async function patiently<T>(
  work: Promise<T>,
  facts: () => unknown = () => "",
  ms = PATIENCE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`nothing happened for ${ms} ms: ${JSON.stringify(facts(), null, 2)}`)),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** True while a process runs (zombies do not). */
export function alive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}
