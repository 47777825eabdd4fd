/** `multica-host stop`: asks the running host to drain and end (spec 03 §7.8). */
import { type Health, readCredential, readHealth, requestShutdown } from "../api/mod.ts";
import { healthPort, profilePaths } from "../config/mod.ts";
import { HostError, sleep } from "../core/mod.ts";
import { type CliContext, refuseInsideTask } from "./context.ts";
import { localRuns } from "./local_running.ts";
import { requireProfile } from "./known_profiles.ts";
import { plural } from "./table.ts";

/** Time the command itself watches the host end, ms; with `--wait` as long as it takes. */
const WATCH_MS = 5000;
const STEP_MS = 250;

/** Asks, then watches for a few seconds. */
export async function stop(context: CliContext, options: Readonly<Record<string, unknown>>): Promise<number> {
  refuseInsideTask(context, "stop");
  requireProfile(context);
  const { machine, profile, note } = context;
  const port = healthPort(profile);
  const health = await running(context, port);
  if (health === undefined) {
    note("The host is not running");
    if (await localRuns(context)) note("a local host runs: multica-host stop --profile local");
    return 0;
  }
  const credential = await readCredential(profilePaths(machine.home, profile).credentialFile);
  const { status, body } = await requestShutdown(port, credential, { clock: machine.clock });
  if (status < 200 || status > 299) throw refused(health, status, body);
  const until = options["wait"] === true ? Infinity : machine.clock.monotonic() + WATCH_MS;
  let now: Health | undefined = health;
  while (now !== undefined && machine.clock.monotonic() < until) {
    await sleep(machine.clock, STEP_MS);
    now = await running(context, port);
  }
  if (now === undefined) note(`The host has stopped (pid ${health.pid})`);
  else {note(
      `The host is stopping; it waits for ${plural(now.active_task_count, "task")} (pid ${health.pid})`,
    );}
  return 0;
}

/** The live host of this very profile. @throws when the port belongs to somebody else. */
async function running({ machine, profile }: CliContext, port: number): Promise<Health | undefined> {
  const answer = await readHealth(port, { clock: machine.clock });
  if (answer.kind !== "up") return undefined;
  const theirs = answer.health.profile;
  if (theirs === undefined || theirs === profile) return answer.health;
  throw new HostError(
    `Port ${port} is held by profile "${theirs ?? "?"}", not by this one: nothing was stopped`,
    {
      code: "port_conflict",
      facts: { port, profile, holder: theirs },
    },
  );
}

function refused(health: Health, status: number, body: string): HostError {
  return new HostError(
    status === 401
      ? `The host (pid ${health.pid}) does not accept this user's credential`
      : `The host (pid ${health.pid}) does not stop: ${body || `status ${status}`}`,
    {
      code: "stop_refused",
      hint: `if it is yours and hangs: kill ${health.pid}`,
      facts: { pid: health.pid, status },
    },
  );
}
