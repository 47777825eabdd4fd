/** A real CLI under the whole host: plane, host process and scripted model, in a home of its own. */
import { healthPort } from "../../lib/config/mod.ts";
import { Plane } from "../../lib/plane/mod.ts";
import { type ModelServer, perPrompt, startModelServer } from "../fixtures/model_server/server.ts";
import type { AgentCliName } from "./agent_clis.ts";
import { freeProfile } from "./e2e_world.ts";
import { HostProcess, makeHome, type TestHome } from "./host_process.ts";
import { realCli } from "./real_clis.ts";

const ENDED = ["completed", "failed", "cancelled"];

/** One scene; see {@link withRealHost}. */
export interface RealHost {
  readonly plane: Plane;
  readonly model: ModelServer;
  readonly host: HostProcess;
  readonly home: TestHome;
  /** Adds a task; returns its id. */
  add(issueId?: string): string;
  /** Adds a task and waits for its end. */
  run(issueId?: string): Promise<NonNullable<ReturnType<Plane["task"]>>>;
}

/** Runs `work` with a host whose one agent is the real CLI. `env` is added to the host's. */
export async function withRealHost(
  name: AgentCliName,
  work: (world: RealHost) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const cli = await realCli(name);
  const plane = await Plane.open({ port: 0 });
  const model = startModelServer(perPrompt([{ text: "ok" }]));
  const workspaceId = plane.createWorkspace({ name: "Acme" });
  const profile = freeProfile();
  const home = await makeHome({
    profile,
    serverUrl: plane.url,
    token: plane.token,
    env: { [`MULTICA_${name.toUpperCase()}_PATH`]: cli.executable, IS_SANDBOX: "1", ...env },
  });
  const prepared = await cli.prepare(home.dir, model.url);
  const agentId = plane.createAgent({ workspaceId, name, provider: name });
  const host = HostProcess.start(home, {
    args: ["--profile", profile],
    port: healthPort(profile),
    env: { ...prepared },
  });
  const add = (issueId?: string) =>
    plane.addTask({
      workspaceId,
      agentId,
      title: "Leave a file",
      ...(issueId === undefined ? {} : { issueId }),
    }).id;
  try {
    await host.ready();
    await work({
      plane,
      model,
      host,
      home,
      add,
      run: (issueId) => plane.taskState(add(issueId), ENDED),
    });
  } finally {
    await host.stop();
    await model.close();
    await plane.close();
    await home.remove();
  }
}
