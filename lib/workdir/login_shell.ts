/** How a shell that sets PATH anew still finds the agents' `multica`. Pure. */
import { join } from "node:path";

/** The variable's name: bash's own form of an exported function. */
const FUNCTION = "BASH_FUNC_multica%%";

/**
 * Lets every bash of an agent find `multica`, a login shell whose `/etc/profile` forgets PATH included: bash takes exported
 * functions from its environment before it reads any file, and no profile takes them away (measured with bash 5.2; in
 * POSIX mode too). Other shells ignore it, and dash does not hand it on; there the brief's absolute path is left.
 * Empty without a shim, and on Windows.
 */
export function loginShellEnv(shimDir: string, os: string = Deno.build.os): Readonly<Record<string, string>> {
  if (shimDir === "" || os === "windows") return {};
  const quoted = `'${join(shimDir, "multica").replaceAll("'", `'\\''`)}'`;
  return { [FUNCTION]: `() { ${quoted} "$@"; }` };
}
