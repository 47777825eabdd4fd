/**
 * Start programs for agents: one small script an executable, which makes a session of its own and becomes the agent.
 *
 * A child that leads its own session can only be forked, and a fork copies the page tables of the whole host: 8 ms of
 * CPU and more of waiting each, measured at 200 MB. A plain child costs a third of a millisecond; the script and
 * `setsid` make the session instead, under the same pid. The scripts lie where the engine may not write.
 */
import { join } from "node:path";
import {
  type Child,
  errorText,
  FUNCTION_VARIABLE,
  getLog,
  launch,
  type LaunchSpec,
  SHELL_FUNCTION,
} from "../core/mod.ts";

const log = getLog("supervisor", "launchers");

const SETSID = "/usr/bin/setsid";

/** Owner of the scripts of one host. */
export class Launchers {
  readonly #scripts = new Map<string, { readonly path: string; target: string }>();

  /** `dir` is private to the supervisor. */
  constructor(private readonly dir: string) {}

  /** True where the system has what the scripts need. */
  static supported(os: string = Deno.build.os): boolean {
    if (os !== "linux") return false;
    try {
      return Deno.statSync(SETSID).isFile;
    } catch {
      return false;
    }
  }

  /** True when a script in this directory really starts: a temporary directory may be mounted without that right. */
  async works(): Promise<boolean> {
    try {
      const child = launch({ executable: this.#script("/bin/true"), args: [], env: {}, detached: false });
      const [{ code }] = await Promise.all([child.status, child.stdout.cancel(), child.stderr.cancel()]);
      return code === 0;
    } catch (error) {
      log.info("agents are started directly", { reason: errorText(error) });
      return false;
    }
  }

  /** Executable → script, written where it is missing. */
  for(executables: readonly string[]): Readonly<Record<string, string>> {
    return Object.fromEntries(executables.map((path) => [path, this.#script(path)]));
  }

  /** Starts a child that leads a session of its own, without a fork of the host. @throws {LaunchError} */
  launch(spec: LaunchSpec): Child {
    return launch({ ...spec, executable: this.#script(spec.executable), detached: false });
  }

  /** What an executable's script starts: itself, or where it has moved to. */
  target(executable: string): string {
    return this.#scripts.get(executable)?.target ?? executable;
  }

  /** From now on the script of `executable` starts `target`: a program that moved. False without a script. */
  repoint(executable: string, target: string): boolean {
    const script = this.#scripts.get(executable);
    if (script === undefined) return false;
    const temporary = `${script.path}.tmp`;
    Deno.writeTextFileSync(temporary, launcherText(target, true), { mode: 0o700 });
    Deno.renameSync(temporary, script.path);
    script.target = target;
    return true;
  }

  #script(executable: string): string {
    const known = this.#scripts.get(executable);
    if (known !== undefined) return known.path;
    const path = join(this.dir, String(this.#scripts.size));
    Deno.writeTextFileSync(path, launcherText(executable), { mode: 0o700 });
    this.#scripts.set(executable, { path, target: executable });
    return path;
  }
}

/**
 * The script. A program that has vanished is named in the words the failure classifier knows; one that has moved finds its
 * interpreter beside it, as its environment was made for where it was.
 */
export function launcherText(executable: string, moved = false): string {
  const quoted = `'${executable.replaceAll("'", `'\\''`)}'`;
  return [
    "#!/bin/sh",
    `[ -x ${quoted} ] || { printf 'executable not found at "%s"\\n' ${quoted} >&2; exit 127; }`,
    ...(moved ? [`PATH="$PATH":${quoted}; PATH="\${PATH%/*}"; export PATH`] : []),
    // dash drops variables whose names are no identifiers; the shell function that finds multica has such a name.
    `if [ -n "\${${FUNCTION_VARIABLE}+x}" ]; then`,
    `  text=$${FUNCTION_VARIABLE}; unset ${FUNCTION_VARIABLE}`,
    `  exec ${SETSID} /usr/bin/env "${SHELL_FUNCTION}=$text" ${quoted} "$@"`,
    "fi",
    `exec ${SETSID} ${quoted} "$@"`,
    "",
  ].join("\n");
}
