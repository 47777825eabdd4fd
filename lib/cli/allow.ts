/** `multica-host allow NAME`: programs the server may name for custom runtimes (decisions: server-named executables). */
import { allowedCommands, changeAllowed, configFile, readProfileFile } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { findCommand } from "../runtimes/finding/mod.ts";
import { type CliContext, refuseInsideTask } from "./context.ts";

/** Without a name: lists. With one: allows it, or takes it back with `--remove`. */
export function allow(
  context: CliContext,
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
): number {
  const { machine, profile, out, note } = context;
  const path = configFile(machine.home, profile);
  const [name] = args;
  if (name === undefined) {
    const list = allowedCommands(readProfileFile(machine.files, path));
    for (const item of list) out(item);
    if (list.length === 0) note("No program is allowed beyond the agents found here");
    return 0;
  }
  refuseInsideTask(context, "allow");
  if (name.trim() === "" || name.includes(",") || name.includes("/") && !name.startsWith("/")) {
    throw new HostError(`"${name}" is neither a command name nor an absolute path`, {
      code: "bad_command_name",
      hint: "multica-host allow my-agent   or   multica-host allow /opt/tools/my-agent",
    });
  }
  const remove = options["remove"] === true;
  changeAllowed({ files: machine.files, home: machine.home, cwd: machine.cwd, profile }, name, !remove);
  note(remove ? `${name} may not be named by the server any more` : allowedText(context, name));
  if ((machine.env["MULTICA_ALLOW_COMMANDS"] ?? "") !== "") {
    note("MULTICA_ALLOW_COMMANDS is set here and wins over the file");
  }
  note("A running host takes it at its next start");
  return 0;
}

function allowedText({ machine }: CliContext, name: string): string {
  if (name === "*") {
    return "The server may now start ANY program of this machine as an agent, with your rights";
  }
  const found = findCommand(name, { env: machine.env, home: machine.home, os: Deno.build.os });
  return `The server may now name ${name} for custom runtimes: ` +
    (found === undefined ? "it is not on PATH yet" : `${found}, with your rights`);
}
