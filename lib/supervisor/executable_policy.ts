/** May the server name this program? Decided by what the operator of this machine said (decisions: server-named executables). */
import { executableAt, findCommand, type LocateContext } from "../runtimes/finding/mod.ts";
import type { ExecutableRequest } from "./protocol.ts";

/** What the decision depends on. */
export interface ExecutableFacts extends LocateContext {
  /** Profile id → path set on this machine. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Names or absolute paths; `*` = any. */
  readonly allowCommands: readonly string[];
  /** Paths of the agents discovery found. */
  readonly agentPaths: readonly string[];
}

export type ExecutableVerdict =
  | {
    readonly allowed: true;
    readonly path: string;
    readonly why: "override" | "agent" | "allowed by the operator";
  }
  | { readonly allowed: false; readonly reason: string };

/** Decides, without starting anything (spec 03 §6.5). */
export function decideExecutable(request: ExecutableRequest, facts: ExecutableFacts): ExecutableVerdict {
  const override = (facts.overrides[request.profileId] ?? "").trim();
  const overridden = override === "" ? undefined : executableAt(override, facts);
  if (overridden !== undefined) return { allowed: true, path: overridden, why: "override" };
  const note = override === "" ? "" : `Configured path override is not executable: ${override}; `;

  const path = findCommand(request.command, facts);
  if (path === undefined) {
    return { allowed: false, reason: `${note}command not found on PATH: ${request.command}` };
  }
  if (facts.agentPaths.some((agent) => sameFile(agent, path))) return { allowed: true, path, why: "agent" };
  if (isAllowed(request.command, path, facts)) return { allowed: true, path, why: "allowed by the operator" };
  return {
    allowed: false,
    reason: `${note}${request.command} (${path}) may not be started on this machine: ` +
      `its operator allows it with: multica-host allow ${request.command}`,
  };
}

/** Executables that policy allows from the start, so that they need no reload of the engine. */
export function standingExecutables(facts: Omit<ExecutableFacts, "agentPaths">): string[] {
  const commands = [...Object.values(facts.overrides), ...facts.allowCommands.filter((name) => name !== "*")];
  return commands.flatMap((command) => findCommand(command.trim(), facts) ?? []);
}

function isAllowed(command: string, path: string, facts: ExecutableFacts): boolean {
  return facts.allowCommands.some((allowed) =>
    allowed === "*" || allowed === command || findCommand(allowed, facts) === path
  );
}

/** The same file behind two paths, links included. */
function sameFile(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    const [left, right] = [Deno.statSync(a), Deno.statSync(b)];
    return left.ino !== null && left.ino === right.ino && left.dev === right.dev;
  } catch {
    return false; // one of them has vanished
  }
}
