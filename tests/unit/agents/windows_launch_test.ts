import assert from "node:assert/strict";
import { nativePrograms, windowsLaunch } from "../../../lib/agents/windows_launch.ts";

const POWERSHELL = "C:\\Program Files\\PowerShell\\pwsh.exe";
const facts = (files: readonly string[], powershell = POWERSHELL) => ({
  isFile: (path: string) => files.includes(path),
  powershell,
  arch: "x64" as const,
});

function startsScript(provider: string, tool: string): void {
  const script = `C:\\bin\\${tool}.ps1`;
  for (const shim of [`C:\\bin\\${tool}.cmd`, "C:\\bin\\renamed.BAT"]) {
    assert.deepEqual(windowsLaunch(provider, shim, facts([script])), {
      executable: POWERSHELL,
      leadingArgs: ["-NoProfile", "-ExecutionPolicy", "Bypass", "-File", script],
    });
    for (const without of [facts([]), facts([script], "")]) {
      assert.deepEqual(windowsLaunch(provider, shim, without), { executable: shim, leadingArgs: [] });
    }
  }
  for (const path of [`C:\\bin\\${tool}.exe`, `/usr/bin/${tool}`]) {
    assert.deepEqual(windowsLaunch(provider, path, facts([script])), { executable: path, leadingArgs: [] });
  }
}

Deno.test("windowsLaunch() [CP-13] starts Copilot's script instead of a batch shim, where it can", () =>
  startsScript("copilot", "copilot"));

Deno.test("windowsLaunch() [CU-9] starts Cursor's script instead of a batch shim, where it can", () =>
  startsScript("cursor", "cursor-agent"));

Deno.test("windowsLaunch() [OC-13] finds the program behind OpenCode's shim", () => {
  const program = (name: string) =>
    `C:\\npm\\node_modules\\opencode-ai\\node_modules\\${name}\\bin\\opencode.exe`;
  const start = (shim: string, ...files: string[]) =>
    windowsLaunch("opencode", shim, facts(files)).executable;
  assert.equal(
    start("C:\\npm\\opencode.cmd", program("opencode-windows-x64")),
    program("opencode-windows-x64"),
  );
  assert.equal(
    start("C:\\npm\\opencode.CMD", program("opencode-windows-x64-baseline")),
    program("opencode-windows-x64-baseline"),
  );
  assert.equal(start("C:\\npm\\opencode.cmd"), "C:\\npm\\opencode.cmd");
  assert.equal(start("C:\\npm\\opencode.exe", program("opencode-windows-x64")), "C:\\npm\\opencode.exe");
});

Deno.test("nativePrograms() [OC-14] tries packages in the machine's order", () => {
  const order = (arch: "x64" | "arm64") =>
    nativePrograms("opencode", "x.cmd", arch).map((path) => /opencode-windows-([^\\]+)/.exec(path)![1]);
  assert.deepEqual(order("x64"), ["x64", "x64-baseline", "arm64"]);
  assert.deepEqual(order("arm64"), ["arm64", "x64", "x64-baseline"]);
  assert.equal(nativePrograms("copilot", "copilot.CMD", "arm64").length, 4);
});
