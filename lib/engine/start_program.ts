/** What is really started for an agent's launch: the supervisor's start program, or what stands behind a batch shim. */
import { FUNCTION_VARIABLE, type LaunchSpec, SHELL_FUNCTION } from "../core/mod.ts";
import type { EngineBoot } from "../supervisor/mod.ts";

/** The same launch by the program that starts it; itself where there is none. */
export function startProgram(
  spec: LaunchSpec,
  { launchers, shims }: Pick<EngineBoot, "launchers" | "shims">,
): LaunchSpec {
  const shim = shims[spec.executable];
  if (shim !== undefined) {
    return { ...spec, executable: shim.executable, args: [...shim.leadingArgs, ...spec.args] };
  }
  const launcher = launchers[spec.executable];
  if (launcher === undefined) return spec;
  const { [SHELL_FUNCTION]: text, ...env } = spec.env;
  const carried = text === undefined ? env : { ...env, [FUNCTION_VARIABLE]: text };
  return { ...spec, executable: launcher, detached: false, env: carried };
}
