/** What is started instead of npm's batch shims on Windows, found where programs are found (spec 06 §2.8, §11.12; 07 §5.1). */
import { type WindowsLaunch, windowsLaunch } from "../agents/mod.ts";
import { findCommand, type LocateContext } from "../runtimes/mod.ts";

/** What the machine offers; the defaults ask it. */
export interface WindowsMachine {
  readonly arch?: "x64" | "arm64";
  readonly isFile?: (path: string) => boolean;
  /** Absolute path of a command, undefined when there is none. */
  readonly find?: (command: string) => string | undefined;
}

/** Agent's path → what is started for it; only where that differs, and nothing on other systems. */
export function windowsPrograms(
  agents: readonly { readonly provider: string; readonly path: string }[],
  context: LocateContext,
  machine: WindowsMachine = {},
): Readonly<Record<string, WindowsLaunch>> {
  if (context.os !== "windows") return {};
  const { isFile = isRegularFile, find = (command: string) => findCommand(command, context) } = machine;
  const facts = {
    isFile,
    powershell: powershell(context, isFile, find),
    arch: machine.arch ?? (Deno.build.arch === "aarch64" ? "arm64" : "x64"),
  };
  const programs: Record<string, WindowsLaunch> = {};
  for (const { provider, path } of agents) {
    const launch = windowsLaunch(provider, path, facts);
    if (launch.executable !== path) programs[path] = launch;
  }
  return programs;
}

/** PowerShell 7, else Windows PowerShell on PATH, else where Windows keeps it; "" without any. */
function powershell(
  { env }: LocateContext,
  isFile: (path: string) => boolean,
  find: (command: string) => string | undefined,
): string {
  const root = env["SystemRoot"] ?? env["SYSTEMROOT"] ?? "C:\\Windows";
  const own = `${root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`;
  return find("pwsh.exe") ?? find("powershell.exe") ?? (isFile(own) ? own : "");
}

function isRegularFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false; // missing, or not to be seen: not a candidate either way
  }
}
