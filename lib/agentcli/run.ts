/** Runs one `multica` command line: finds the command, runs it, shows an error, gives the exit code. */
import { HostError } from "../core/mod.ts";
import { COMMANDS } from "./commands.ts";
import { asksDebug, isChinese, presentFailure, UsageError } from "./failures.ts";
import { argBounds, type ParsedLine, parseLine } from "./grammar.ts";
import { commandHelp, groupHelp } from "./help.ts";
import { findSignals, openSession, type Session } from "./session.ts";
import type { AgentIo, CommandSpec, Env } from "./types.ts";

/**
 * Runs `args` (without the program's name). Never throws: errors become one line on stderr and the exit code
 * 0 success, 1 local or other, 2 transport, 3 not allowed, 4 not found, 5 invalid (spec 05 §17.3).
 */
export async function runAgentCli(args: readonly string[], env: Env, io: AgentIo): Promise<number> {
  try {
    return await run(args, env, io);
  } catch (error) {
    const debug = asksDebug(env["MULTICA_DEBUG"]) || args.includes("--debug");
    const { text, exitCode } = presentFailure(error, { debug, chinese: isChinese(env) });
    io.err(`Error: ${text}\n`);
    if (!(error instanceof HostError) && debug && error instanceof Error) io.err(`[debug] ${error.stack}\n`);
    return exitCode;
  }
}

async function run(args: readonly string[], env: Env, io: AgentIo): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-v")) {
    io.out((await import("./version_command.ts")).versionLine());
    return 0;
  }
  if (args[0] === "help") return await run([...args.slice(1), "--help"], env, io);
  await refuseHumanOnly(args, env, io);
  const line = parseLine(args, COMMANDS);
  if (line.command === undefined) return group(line, io);
  if (line.given.bool("help")) {
    io.out(commandHelp(line.command));
    return 0;
  }
  if (!fits(line.command, line.args, io)) return 1;
  const action = await line.command.load();
  let session: Promise<Session> | undefined;
  return await action({
    given: line.given,
    args: line.args,
    env,
    io,
    session: () => session ??= openSession(line.given, env, io),
  });
}

/** The human's commands are refused whatever their flags. @throws {UsageError} */
async function refuseHumanOnly(args: readonly string[], env: Env, io: AgentIo): Promise<void> {
  const asked = args.filter((word) => !word.startsWith("-")).slice(0, 3).join(" ");
  const refused = HUMAN_ONLY.exec(asked);
  if (refused === null) return;
  const { strong } = await findSignals(env, io.cwd);
  throw new UsageError(
    `multica ${refused[0]} belongs to the human at this machine and is refused here` +
      (strong === "" ? "" : ` (inside a task: ${strong})`),
  );
}

/** No command: help of the group, or an error that says whether the word is a slip or something not offered here. */
function group({ words, args, given }: ParsedLine, io: AgentIo): number {
  const [word] = args;
  if (word === undefined) {
    io.out(groupHelp(words, COMMANDS));
    return 0;
  }
  const asked = [...words, ...args.slice(0, 2)].join(" ");
  if (words.length === 0 && ELSEWHERE.includes(word) || words.length > 0 && NOT_HERE.test(asked)) {
    throw new UsageError(`multica ${asked} is not offered by this host. multica --help shows what there is`);
  }
  if (given.bool("help")) io.out(groupHelp(words, COMMANDS));
  throw new UsageError(
    `unknown command "${word}" for "${["multica", ...words].join(" ")}". multica ${
      [...words, "--help"].join(" ")
    } shows the commands`,
  );
}

const HUMAN_ONLY =
  /^(?:login|logout|setup|config|update|daemon|auth|workspace switch|runtime profile (?:set|unset)-path|runtime profile)\b/;

/** Groups of the server's own tool that an agent has no use for inside its task. */
const ELSEWHERE = ["label", "skill", "runtime", "user", "property"];
const NOT_HERE =
  /^(?:issue (?:search|pull-requests|prs|rerun|cancel-task|usage|label|subscriber|timeline|reorder|comment (?:delete|resolve|unresolve))|squad|repo|attachment|agent|autopilot|workspace|project|chat)\b/;

/** Too many or too few words: the error, a blank line, then the help. */
function fits(command: CommandSpec, args: readonly string[], io: AgentIo): boolean {
  const { least, most } = argBounds(command);
  if (args.length >= least && args.length <= most) return true;
  const accepts = least === most ? `${most}` : `${least} to ${most}`;
  io.err(
    `Error: multica ${command.path.join(" ")} accepts ${accepts} arguments, received ${args.length}\n\n`,
  );
  io.out(commandHelp(command));
  return false;
}
