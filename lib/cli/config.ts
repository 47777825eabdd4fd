/** `multica-host config [show|set]`: every setting with where it came from; changes to the profile's file (spec 03 §12.1). */
import { agentVariables } from "../agents/mod.ts";
import {
  configFile,
  fileValue,
  inspectHost,
  problemText,
  readProfileFile,
  setFileSetting,
} from "../config/mod.ts";
import { type CliContext, refuseInsideTask } from "./context.ts";
import { table } from "./table.ts";

/** Prints all resolved settings; exit code 1 when the host could not start with them. */
export function configShow(context: CliContext, options: Readonly<Record<string, unknown>>): number {
  const { profile, flags, machine } = context;
  const { settings, problems } = inspectHost({
    profile,
    flags,
    machine,
    agentVariables: agentVariables(),
    createIdentity: false,
  });
  const path = configFile(machine.home, profile);
  const file = readProfileFile(machine.files, path);
  const text = (key: string) => {
    const value = fileValue(file, key);
    return typeof value === "string" ? value : "";
  };
  if (options["output"] === "json") {
    const facts = { path, profile, app_url: text("app_url"), workspace_id: text("workspace_id") };
    context.out(JSON.stringify({ ...facts, settings, problems }, null, 2));
    return problems.length === 0 ? 0 : 1;
  }
  const rows = settings.map(({ name, value, origin, source }) => [name, value || "-", origin, source]);
  for (const key of ["app_url", "workspace_id"]) {
    if (text(key) !== "") rows.push([key, text(key), "profile file", `${key} in ${path}`]);
  }
  for (const line of table(rows, ["SETTING", "VALUE", "ORIGIN", "SOURCE"])) context.out(line);
  if (problems.length === 0) return 0;
  context.note(`\nThe host cannot start with these settings:`);
  for (const problem of problems) context.note(`  ${problemText(problem)}`);
  return 1;
}

/** Writes one setting. */
export function configSet(context: CliContext, _options: unknown, args: readonly string[]): number {
  refuseInsideTask(context, "config set");
  const [key = "", value = ""] = args;
  const { machine, profile } = context;
  const target = { files: machine.files, home: machine.home, cwd: machine.cwd, profile };
  const written = setFileSetting(target, key, value);
  const path = configFile(machine.home, profile);
  context.note(written === undefined ? `Removed ${key} from ${path}` : `Wrote ${key} to ${path}`);
  context.note("A running host takes it at its next start");
  return 0;
}
