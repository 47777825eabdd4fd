/** `multica-host status`: is it running, what does it do, and why is it not claiming (spec 03 §7.9, §17.3). */
import { type Health, type HealthAnswer, readHealth } from "../api/mod.ts";
import { healthPort } from "../config/mod.ts";
import { type CliContext, profileFlag } from "./context.ts";
import { knownProfiles, profileExists, requireProfile } from "./known_profiles.ts";
import { localRuns } from "./local_running.ts";
import { labelled, plural } from "./table.ts";

/** Prints the state; exit code 0 whatever it is, 1 for a profile that does not exist. */
export async function status(
  context: CliContext,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  const json = options["output"] === "json";
  const { machine, profile } = context;
  if (!profileExists(context) && json) {
    const known = knownProfiles(machine.files, machine.home);
    context.out(JSON.stringify({ status: "unknown_profile", profile, known_profiles: known }, null, 2));
    return 1;
  }
  requireProfile(context);
  const port = healthPort(profile);
  const answer = await readHealth(port, { clock: machine.clock });
  if (json) context.out(JSON.stringify(asJson(answer, profile, port), null, 2));
  else for (const line of await asTable(context, answer, port)) context.out(line);
  return 0;
}

function asJson(answer: HealthAnswer, profile: string, port: number): unknown {
  if (answer.kind !== "up") return { status: "stopped" };
  const theirs = answer.health.profile;
  if (theirs === undefined || theirs === profile) return answer.health;
  const conflict = theirs === null ? { port, unreadable_identity: true } : { port, profile: theirs };
  return { status: "stopped", port_conflict: conflict };
}

async function asTable(context: CliContext, answer: HealthAnswer, port: number): Promise<string[]> {
  const { profile } = context;
  const label = profile === "" ? "Host" : `Host [${profile}]`;
  if (answer.kind === "foreign") {
    return labelled([[label, `stopped, and its port ${port} is in use by another program (${answer.why})`]]);
  }
  if (answer.kind === "down") return [...labelled([[label, "stopped"]]), ...await elsewhere(context)];
  const { health } = answer;
  if (health.profile !== undefined && health.profile !== profile) {
    return labelled([[label, `stopped; its port ${port} is held by profile "${health.profile ?? "?"}"`]]);
  }
  return labelled(runningRows(label, health));
}

function runningRows(label: string, health: Health): [string, string][] {
  const rows: [string, string][] = [[label, `${health.status} (pid ${health.pid}, uptime ${health.uptime})`]];
  if (health.cli_version !== "") rows.push(["Version", health.cli_version]);
  if (health.server_url !== "") rows.push(["Server", health.server_url]);
  if (health.claiming !== undefined) {
    rows.push(["Claiming", `${health.claiming.state === "claiming" ? "yes" : "no"}: ${health.claiming.why}`]);
  }
  rows.push(["Tasks", plural(health.active_task_count, "active task")]);
  if (health.agents.length > 0) rows.push(["Agents", health.agents.join(", ")]);
  for (const [agent, why] of Object.entries(health.skipped_agents ?? {})) {
    rows.push([`Not offered`, `${agent}: ${why}`]);
  }
  if (health.workspaces !== null) {
    const runtimes = health.workspaces.reduce((sum, workspace) => sum + workspace.runtimes.length, 0);
    rows.push(["Workspaces", `${health.workspaces.length} (${plural(runtimes, "runtime")})`]);
  }
  for (const [loop, sentence] of Object.entries(health.status_sentences ?? {})) {
    rows.push([`  ${loop}`, sentence]);
  }
  return rows;
}

/** What to do about a stopped host. */
async function elsewhere(context: CliContext): Promise<string[]> {
  if (context.profile === "local") return ["start it with: multica-host local"];
  if (await localRuns(context)) return ["a local host runs: multica-host status --profile local"];
  return [`start it with: multica-host${profileFlag(context.profile)}`];
}
