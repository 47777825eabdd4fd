import assert from "node:assert/strict";
import { windowsPrograms } from "../../../lib/supervisor/windows_programs.ts";

const context = { env: { SystemRoot: "D:\\Win" }, home: "C:\\Users\\u", os: "windows" as const };
const OWN = "D:\\Win\\System32\\WindowsPowerShell\\v1.0\\powershell.exe";

function programs(files: readonly string[], commands: Readonly<Record<string, string>> = {}) {
  const agents = [
    { provider: "cursor", path: "C:\\npm\\cursor-agent.cmd" },
    { provider: "opencode", path: "C:\\npm\\opencode.cmd" },
    { provider: "claude", path: "C:\\npm\\claude.cmd" },
    { provider: "codex", path: "C:\\codex.exe" },
  ];
  return windowsPrograms(agents, context, {
    arch: "x64",
    isFile: (path) => files.includes(path),
    find: (command) => commands[command],
  });
}

Deno.test("windowsPrograms() names what is started instead of a shim, and nothing for the others", () => {
  const native = "C:\\npm\\node_modules\\opencode-ai\\node_modules\\opencode-windows-x64\\bin\\opencode.exe";
  const script = "C:\\npm\\cursor-agent.ps1";
  const found = programs([native, script], { "pwsh.exe": "C:\\pwsh.exe", "powershell.exe": "C:\\ps.exe" });
  assert.deepEqual(found, {
    "C:\\npm\\cursor-agent.cmd": {
      executable: "C:\\pwsh.exe",
      leadingArgs: ["-NoProfile", "-ExecutionPolicy", "Bypass", "-File", script],
    },
    "C:\\npm\\opencode.cmd": { executable: native, leadingArgs: [] },
  });
});

Deno.test("windowsPrograms() takes Windows' own PowerShell last, and keeps the shim without any", () => {
  const script = "C:\\npm\\cursor-agent.ps1";
  const host = (...given: Parameters<typeof programs>) =>
    programs(...given)["C:\\npm\\cursor-agent.cmd"]?.executable;
  assert.equal(host([script], { "powershell.exe": "C:\\ps.exe" }), "C:\\ps.exe");
  assert.equal(host([script, OWN]), OWN);
  assert.equal(host([script]), undefined);
});

Deno.test("windowsPrograms() is empty elsewhere", () => {
  const agents = [{ provider: "opencode", path: "/bin/opencode.cmd" }];
  assert.deepEqual(windowsPrograms(agents, { env: {}, home: "/h", os: "linux" }), {});
});
