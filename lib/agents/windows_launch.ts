/**
 * What to start on Windows instead of a batch shim, which would cut arguments at a newline or tear them apart
 * (spec 06 §2.8, §11.11; 07 §5.1). Pure: the caller says which files exist.
 */
import { win32 } from "node:path";

/** A launch as found. */
export interface WindowsLaunch {
  readonly executable: string;
  /** Arguments that come before all others. */
  readonly leadingArgs: readonly string[];
}

/** What the machine offers. */
export interface WindowsFacts {
  /** True for an existing file (no directory). */
  readonly isFile: (path: string) => boolean;
  /** Absolute path of a PowerShell host, "" when there is none. */
  readonly powershell: string;
  readonly arch: "x64" | "arm64";
}

/** Replaces a `.cmd` or `.bat` of these providers; anything else, and anything unknown, stays as it is. */
export function windowsLaunch(provider: string, executable: string, facts: WindowsFacts): WindowsLaunch {
  const same = { executable, leadingArgs: [] };
  if (!/\.(?:cmd|bat)$/i.test(executable)) return same;
  const dir = win32.dirname(executable);
  const native = nativePrograms(provider, executable, facts.arch).map((path) => win32.join(dir, path))
    .find(facts.isFile);
  if (native !== undefined) return { executable: native, leadingArgs: [] };
  const tool = provider === "cursor" ? "cursor-agent" : provider === "copilot" ? "copilot" : "";
  if (tool === "" || facts.powershell === "") return same;
  const script = win32.join(dir, `${tool}.ps1`);
  if (!facts.isFile(script)) return same;
  return {
    executable: facts.powershell,
    leadingArgs: ["-NoProfile", "-ExecutionPolicy", "Bypass", "-File", script],
  };
}

/** Real programs behind npm's shim, best first, relative to its directory. */
export function nativePrograms(provider: string, shim: string, arch: "x64" | "arm64"): readonly string[] {
  const both = arch === "arm64" ? ["arm64", "x64"] : ["x64", "arm64"];
  if (provider === "copilot" && /copilot\.cmd$/i.test(shim)) {
    return both.flatMap((name) => [
      `node_modules\\@github\\copilot\\node_modules\\@github\\copilot-win32-${name}\\copilot.exe`,
      `node_modules\\@github\\copilot-win32-${name}\\copilot.exe`,
    ]);
  }
  if (provider !== "opencode" || !/\.cmd$/i.test(shim)) return [];
  const packages = arch === "arm64"
    ? ["opencode-windows-arm64", "opencode-windows-x64", "opencode-windows-x64-baseline"]
    : ["opencode-windows-x64", "opencode-windows-x64-baseline", "opencode-windows-arm64"];
  return packages.map((name) => `node_modules\\opencode-ai\\node_modules\\${name}\\bin\\opencode.exe`);
}
