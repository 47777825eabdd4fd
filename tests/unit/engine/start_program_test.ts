import assert from "node:assert/strict";
import { startProgram } from "../../../lib/engine/start_program.ts";

const spec = { executable: "/a", args: ["x"], env: { A: "1" }, cwd: "/w", detached: true };

Deno.test("startProgram() starts an agent itself where nothing stands for it", () => {
  assert.deepEqual(startProgram(spec, { launchers: {}, shims: {} }), spec);
});

Deno.test("startProgram() lets the start program make the session, and carries the shell function past it", () => {
  const env = { A: "1", "BASH_FUNC_multica%%": "() { m; }" };
  assert.deepEqual(startProgram({ ...spec, env }, { launchers: { "/a": "/l/0" }, shims: {} }), {
    ...spec,
    executable: "/l/0",
    env: { A: "1", MULTICA_LAUNCH_FUNCTION: "() { m; }" },
    detached: false,
  });
});

Deno.test("startProgram() puts what starts a shim's script before the agent's arguments", () => {
  const shims = { "/a": { executable: "/pwsh", leadingArgs: ["-File", "a.ps1"] } };
  assert.deepEqual(startProgram(spec, { launchers: {}, shims }), {
    ...spec,
    executable: "/pwsh",
    args: ["-File", "a.ps1", "x"],
  });
});
