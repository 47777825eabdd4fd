/** How a shell that sets PATH anew still finds the agents' `multica`. Pure. Measured in docs/login_shells.md. */
import { join } from "node:path";
import { BASH_ENV_FILE, OWN_BASH_ENV, SHELL_FUNCTION } from "../core/mod.ts";

/**
 * Lets every bash of an agent find `multica`, a login shell whose `/etc/profile` forgets PATH included, in two ways: an
 * exported function, which bash takes from its environment before it reads any file (in POSIX mode too), and `BASH_ENV`,
 * which it reads after its profile and which survives a dash in between, as dash drops the function. `ownBashEnv` is read
 * first. Other login shells that read `/etc/profile` (dash, ksh, mksh, busybox) leave no such way: the brief names the
 * absolute path. Empty without a shim, and on Windows.
 */
export function loginShellEnv(
  shimDir: string,
  ownBashEnv = "",
  os: string = Deno.build.os,
): Readonly<Record<string, string>> {
  if (shimDir === "" || os === "windows") return {};
  const quoted = `'${join(shimDir, "multica").replaceAll("'", `'\\''`)}'`;
  return {
    [SHELL_FUNCTION]: `() { ${quoted} "$@"; }`,
    // Bash expands the value: what would be expanded is escaped.
    BASH_ENV: join(shimDir, BASH_ENV_FILE).replaceAll(/[\\$`"]/g, "\\$&"),
    ...(ownBashEnv === "" ? {} : { [OWN_BASH_ENV]: ownBashEnv }),
  };
}
