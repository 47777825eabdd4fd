/** `multica-host local`: control plane and host together, for one machine and no server. */
import { mkdir } from "node:fs/promises";
import { ensurePortFree } from "../api/mod.ts";
import { providerRow } from "../agents/mod.ts";
import { healthPort, profilePaths, type Resolution } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { type LocalPlane, serveLocalPlane } from "../plane/mod.ts";
import { type CliContext, configOf, profileFlag, refuseInsideTask } from "./context.ts";
import { LOCAL_PROFILE, localContext, localToken, saveLocal } from "./local_login.ts";
import { REHEARSAL, writeRehearsalProgram } from "./rehearsal.ts";
import { runForeground } from "./run_foreground.ts";

/** Serves the plane and runs the host on it until Ctrl-C. */
export async function local(
  outer: CliContext,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  refuseInsideTask(outer, "local");
  const context = localContext(outer);
  const { machine, profile } = context;
  await ensurePortFree({ port: healthPort(profile), profile, clock: machine.clock });
  const { stateDir, planeFile } = profilePaths(machine.home, profile);
  const token = localToken(context);
  await mkdir(stateDir, { recursive: true, mode: 0o755 });
  const plane = await serveLocalPlane({
    dbPath: planeFile,
    port: portOption(options["port"]),
    clock: machine.clock,
    ...(token === "" ? {} : { token }),
  });
  try {
    saveLocal(context, plane.url, plane.token);
    const resolved = configOf(context, {
      createIdentity: true,
      token: plane.token,
      fixed: { server_url: plane.url, auto_update: "false" },
    });
    return await runForeground(context, await withRehearsal(resolved), {
      moreAgents: [providerRow(REHEARSAL)].filter((row) => row !== undefined),
      onReady: () => greet(context, plane, planeFile),
    });
  } finally {
    await plane.close();
  }
}

/** The resolution with the rehearsal agent's program, so that there is always somebody to give a task to. */
async function withRehearsal(resolution: Resolution): Promise<Resolution> {
  const { config } = resolution;
  if (Deno.build.os === "windows") return resolution;
  const program = await writeRehearsalProgram(config.paths.shimDir);
  return { ...resolution, config: { ...config, agentPaths: { ...config.agentPaths, [REHEARSAL]: program } } };
}

function greet({ note, profile }: CliContext, plane: LocalPlane, planeFile: string): void {
  const flag = profile === LOCAL_PROFILE ? "" : profileFlag(profile);
  note(`
Local control plane on ${plane.url}, tasks are kept in ${planeFile}
Give it work from another terminal:
  multica-host agents
  multica-host task add${flag} "Say what this project does" --dir . --agent claude --follow
(--agent rehearsal tries the whole way without a model)
Ctrl-C ends both.
`);
}

function portOption(value: unknown): number {
  if (value === undefined) return 0;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new HostError(`--port "${value}": no port`, { code: "bad_flag", hint: "--port 8123" });
}
