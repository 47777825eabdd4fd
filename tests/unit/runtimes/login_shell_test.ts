import assert from "node:assert/strict";
import { DirectProcessControl, launch } from "../../../lib/core/mod.ts";
import { isSafeName, LoginShell, parseShellAnswer } from "../../../lib/runtimes/login_shell.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { FakeMachine } from "../../helpers/fake_cli.ts";

function shellOf(machine: FakeMachine, env: Record<string, string>, clock = new FakeClock()): LoginShell {
  return new LoginShell(
    { env: { HOME: machine.home, ...env }, home: machine.home, os: "linux" },
    { clock, launch, processes: new DirectProcessControl() },
  );
}

Deno.test("isSafeName() takes plain names only", () => {
  assert.ok(["claude", "cursor-agent", "kiro_cli", "v1.2", "Claude2"].every(isSafeName));
  assert.ok(["", "a b", "a/b", "a;b", "$a", "`a`", "'a'", '"a"'].every((name) => !isSafeName(name)));
});

Deno.test("parseShellAnswer() drops noise, relative paths, strangers and what is not executable", () => {
  const output = "welcome\nclaude\t/a/claude\r\ncodex\tcodex\nother\t/a/other\nkimi\t/gone/kimi\n\t/x\n";
  const found = parseShellAnswer(
    output,
    ["claude", "codex", "kimi"],
    (path) => path.startsWith("/a") ? path : undefined,
  );
  assert.deepEqual([...found], [["claude", "/a/claude"]]);
});

Deno.test("LoginShell gives nothing for unsupported or empty shells and for no names", async () => {
  const machine = new FakeMachine();
  assert.equal((await shellOf(machine, { SHELL: "/usr/bin/fish" }).paths(["claude"])).size, 0);
  assert.equal((await shellOf(machine, {}).paths(["claude"])).size, 0);
  assert.equal((await shellOf(machine, { SHELL: "/bin/sh" }).paths([])).size, 0);
  assert.equal((await shellOf(machine, { SHELL: "/bin/sh" }).paths(["a;b"])).size, 0);
  machine.dispose();
});

Deno.test("LoginShell runs real bash: aliases and functions do not hide the program, directories are resolved", async () => {
  const machine = new FakeMachine();
  machine.script("versions/20/claude", "echo 2.0.0");
  Deno.symlinkSync(`${machine.home}/versions/20`, `${machine.home}/current`);
  machine.file(
    ".bash_profile",
    `echo hello\nexport PATH="${machine.home}/current:$PATH"\nalias claude=ls\nfunction cd() { :; }\nfunction claude() { :; }\n`,
  );
  const found = await shellOf(machine, { SHELL: "/bin/bash", PATH: "/usr/bin:/bin" }).paths([
    "claude",
    "codex",
  ]);
  assert.deepEqual([...found], [["claude", `${machine.home}/versions/20/claude`]]);
  machine.dispose();
});

Deno.test("LoginShell is bounded: a hanging start-up file costs 3 s, and the answer is kept 30 min", async () => {
  const machine = new FakeMachine();
  const clock = new FakeClock();
  const shell = machine.script("sh", `echo run >> ${machine.home}/runs; sleep 1000`);
  const login = shellOf(machine, { SHELL: shell }, clock);
  const first = login.paths(["claude"]);
  await clock.advance(3_000, { io: true });
  assert.equal((await first).size, 0);
  await login.paths(["claude"]);
  await clock.advance(30 * 60_000);
  const again = login.paths(["claude"]);
  await clock.advance(3_000, { io: true });
  await again;
  const runs = Deno.readTextFileSync(`${machine.home}/runs`).trim().split("\n").length;
  assert.ok(runs <= 2, `asked ${runs} times`);
  machine.dispose();
});
