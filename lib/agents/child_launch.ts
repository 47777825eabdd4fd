/** Starting an agent CLI: the launch with its stable error texts (spec 06 §1.7, §2.1). */
import { type Child, errorText, getLog, LaunchError, type LaunchSpec } from "../core/mod.ts";
import { loggableArgs } from "./args.ts";
import type { RunRequest } from "./contract.ts";

const log = getLog("agents");

/** One line about a launch: flag names and counts, never texts or values (spec 06 §11.8). */
export function logLaunch(
  request: RunRequest,
  args: readonly string[],
  subCommands?: readonly string[],
): void {
  log.info("agent launch", {
    provider: request.provider,
    executable: request.executable,
    argumentCount: args.length,
    arguments: loggableArgs(args, subCommands),
    resume: request.resumeSessionId !== "",
  });
}

/**
 * Launches through `launch` and words a failure the way the failure classifier knows it:
 * `<name> executable not found at "<path>": …` or `start <name>: …`.
 * @throws {LaunchError}
 */
export function launchAgent(name: string, spec: LaunchSpec, launch: (spec: LaunchSpec) => Child): Child {
  try {
    return launch(spec);
  } catch (error) {
    throw asAgentLaunchError(name, spec, error);
  }
}

/** The same wording for an error caught elsewhere (version probes). Idempotent. */
export function asAgentLaunchError(name: string, spec: LaunchSpec, error: unknown): LaunchError {
  const code = error instanceof LaunchError ? error.code : "launch_failed";
  const cause = error instanceof LaunchError && error.cause !== undefined ? error.cause : error;
  const reason = errorText(cause);
  const facts = { executable: spec.executable, cwd: spec.cwd };
  if (reason.includes("No such cwd")) {
    return new LaunchError(`start ${name}: working directory "${spec.cwd}" does not exist`, {
      code: "work_dir_missing",
      cause: error,
      facts,
    });
  }
  if (code === "executable_not_found") {
    const text = `${name} executable not found at "${spec.executable}": no such file or directory`;
    return new LaunchError(text, { code, cause: error, facts });
  }
  const hint = error instanceof LaunchError ? error.hint : undefined;
  return new LaunchError(`start ${name}: ${explainExecFormat(errorText(error))}`, {
    code,
    cause: error,
    facts,
    ...(hint === undefined ? {} : { hint }),
  });
}

const EXPLAINED = "the file is not a program";

/** Adds to an exec-format error what it nearly always means (spec 06 §11.6). Idempotent. */
export function explainExecFormat(text: string): string {
  if (text.includes(EXPLAINED)) return text;
  if (!/exec format error|not a valid Win32 application/i.test(text)) return text;
  return `${text}: ${EXPLAINED}; most likely an npm placeholder whose postinstall script was blocked ` +
    "(npm script allow-list, pnpm build approval, --ignore-scripts, --omit=optional)";
}
