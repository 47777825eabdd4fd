/** What every command gets: the machine, the global flags, where to print. */
import { agentVariables } from "../agents/mod.ts";
import {
  checkProfileName,
  type Flags,
  InvalidTaskUse,
  keepLoopbackDirect,
  type Machine,
  readMachine,
  type Resolution,
  resolveHost,
  type ResolveOptions,
  SETTINGS,
} from "../config/mod.ts";
import { camel } from "./plain_host.ts";

/** A command's surroundings. */
export interface CliContext {
  readonly machine: Machine;
  /** "" = default profile. */
  readonly profile: string;
  /** Host flags by name without dashes. */
  readonly flags: Flags;
  readonly workspaceId: string;
  readonly debug: boolean;
  /** True when stdout is a terminal and colours are not turned off. */
  readonly colour: boolean;
  /** Prints a line of the result. */
  readonly out: (text: string) => void;
  /** Prints a line for people beside the result. */
  readonly note: (text: string) => void;
}

/** Makes the context from commander's options. @throws {HostError} for an impossible profile name. */
export function makeContext(options: Readonly<Record<string, unknown>>): CliContext {
  const machine = readMachine();
  keepLoopbackDirect();
  return {
    machine,
    profile: checkProfileName(typeof options["profile"] === "string" ? options["profile"] : ""),
    flags: hostFlags(options),
    workspaceId: typeof options["workspaceId"] === "string" ? options["workspaceId"] : "",
    debug: options["debug"] === true,
    colour: Deno.stdout.isTerminal() && (machine.env["NO_COLOR"] ?? "") === "",
    out: (text) => console.log(text),
    note: (text) => console.error(text),
  };
}

/** The resolved configuration of the context's profile. @throws {SettingsInvalid} */
export function configOf(
  context: CliContext,
  options: Partial<Pick<ResolveOptions, "fixed" | "token" | "createIdentity">> = {},
): Resolution {
  const { profile, flags, machine } = context;
  return resolveHost({
    profile,
    flags,
    machine,
    agentVariables: agentVariables(),
    createIdentity: false,
    ...options,
  });
}

/** ` --profile staging`, or "": for commands shown to people. */
export function profileFlag(profile: string): string {
  return profile === "" ? "" : ` --profile ${profile}`;
}

/** Refuses what only the human may do when the command runs inside a task (spec 03 §17.6). @throws {InvalidTaskUse} */
export function refuseInsideTask(context: CliContext, command: string): void {
  const signals = ["MULTICA_AGENT_ID", "MULTICA_TASK_ID", "MULTICA_TASK_CONFIG_ROOT"];
  const signal = signals.find((name) => (context.machine.env[name] ?? "").trim() !== "");
  if (signal !== undefined) throw new InvalidTaskUse(command, signal);
}

/** Commander's option names (`pollInterval`) as flag names (`poll-interval`). */
function hostFlags(options: Readonly<Record<string, unknown>>): Flags {
  const flags: Record<string, string | boolean> = {};
  for (const { flag } of Object.values(SETTINGS).map((setting) => ({ flag: setting.flag }))) {
    if (flag === undefined) continue;
    const negated = flag.name.startsWith("no-");
    const value = options[camel(negated ? flag.name.slice(3) : flag.name)];
    if (negated) flags[flag.name] = value === false;
    else if (typeof value === "string" || value === true) flags[flag.name] = value;
  }
  return flags;
}
