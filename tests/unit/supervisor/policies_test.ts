import assert from "node:assert/strict";
import { join } from "node:path";
import { makeLink } from "../../../lib/supervisor/link_policy.ts";
import { runLocalOps } from "../../../lib/supervisor/local_files.ts";
import { checkLocalDirectory } from "../../../lib/supervisor/local_policy.ts";
import { isPlainAbsolute, isWithin, realPathOf } from "../../../lib/supervisor/path_check.ts";
import { BrokerRefused } from "../../../lib/supervisor/refusal.ts";
import { decideExecutable, standingExecutables } from "../../../lib/supervisor/executable_policy.ts";
import { FakeMachine } from "../../helpers/fake_cli.ts";

async function onMachine(work: (machine: FakeMachine) => Promise<void> | void): Promise<void> {
  const machine = new FakeMachine();
  try {
    await work(machine);
  } finally {
    machine.dispose();
  }
}

Deno.test("isWithin() and isPlainAbsolute() are not misled by prefixes and dots", () => {
  assert.ok(isWithin("/a/b", "/a") && isWithin("/a", "/a") && isWithin("/a", "/"));
  assert.ok(!isWithin("/ab", "/a") && !isWithin("/", "/a"));
  assert.ok(isPlainAbsolute("/a/b"));
  assert.ok(!["a", "/a/", "/a/../b", "/a/./b", "/a//b", "/a\0b", ""].some(isPlainAbsolute));
});

Deno.test("realPathOf() resolves what exists and refuses dangling links", () =>
  onMachine(async ({ home }) => {
    Deno.mkdirSync(join(home, "real"));
    Deno.symlinkSync(join(home, "real"), join(home, "link"));
    Deno.symlinkSync(join(home, "gone"), join(home, "dangling"));
    assert.equal(await realPathOf(join(home, "link/new/file")), join(home, "real/new/file"));
    await assert.rejects(realPathOf(join(home, "dangling/file")), Deno.errors.NotFound);
  }));

Deno.test("makeLink() makes links inside the roots and to agents' homes only [f22]", () =>
  onMachine(async (machine) => {
    const { home } = machine;
    machine.file("work/task/keep", "");
    machine.file(".codex/auth.json", "{}");
    machine.file(".ssh/id", "secret");
    const roots = { places: [join(home, "work")], targets: [join(home, ".codex")] };
    const link = join(home, "work/task/auth.json");
    await makeLink(link, join(home, ".codex/auth.json"), roots);
    await makeLink(link, join(home, ".codex/auth.json"), roots);
    assert.equal(Deno.readTextFileSync(link), "{}");
    await makeLink(join(home, "work/task/sessions"), join(home, ".codex/sessions-not-yet"), roots);
    await makeLink(join(home, "work/task/rel"), "keep", roots);

    const refused = (path: string, target: string) =>
      assert.rejects(makeLink(path, target, roots), BrokerRefused);
    await refused(join(home, "work/task/ssh"), join(home, ".ssh"));
    await refused(join(home, "work/task/ssh"), "../../.ssh/id");
    await refused(join(home, "elsewhere"), join(home, "work"));
    await refused(`${home}/work/../elsewhere`, join(home, "work"));
    Deno.symlinkSync(home, join(home, "work/out"));
    await refused(join(home, "work/out/planted"), join(home, "work"));
    await refused(join(home, "work/task/x"), join(home, "work/out/.ssh"));
    await assert.rejects(
      makeLink(join(home, "work/task/keep"), join(home, ".codex"), roots),
      Deno.errors.AlreadyExists,
    );
  }));

Deno.test("checkLocalDirectory() keeps spec 04 §10.3 and refuses keys, homes and our own directories", () =>
  onMachine(async (machine) => {
    const { home } = machine;
    for (const dir of ["code/app", ".ssh", ".config/app", "work/x", "code/locked"]) {
      Deno.mkdirSync(join(home, dir), { recursive: true });
    }
    machine.file("code/file", "");
    Deno.symlinkSync(join(home, "code/app"), join(home, "good-link"));
    Deno.symlinkSync(home, join(home, "code/home-link"));
    Deno.symlinkSync("/etc", join(home, "code/etc-link"));
    const facts = { home, os: "linux" as const, own: [join(home, "work")] };
    const check = async (path: string) => {
      const verdict = await checkLocalDirectory(path, facts);
      return verdict.ok ? verdict.path : verdict.reason;
    };
    assert.equal(await check(join(home, "code/app")), join(home, "code/app"));
    assert.equal(await check(join(home, "code/app/")), join(home, "code/app"));
    assert.equal(await check(join(home, "good-link")), join(home, "code/app"));
    const refused: [string, RegExp][] = [
      ["", /empty/],
      ["code/app", /not an absolute path/],
      [join(home, "nowhere"), /does not exist/],
      [join(home, "code/file"), /not a directory/],
      [home, /user's home directory/],
      [join(home, "code/home-link"), /user's home directory/],
      [join(home, "code/etc-link"), /protected system root/],
      ["/", /protected system root/],
      ["/tmp", /protected system root/],
      ["/usr/lib", /protected system root/],
      ["/home", /protected system root/],
      [join(home, ".ssh"), /hidden directory/],
      [join(home, ".config/app"), /hidden directory/],
      [join(home, "work"), /belongs to this host/],
      [join(home, "work/x"), /belongs to this host/],
    ];
    for (const [path, reason] of refused) {
      assert.match(await check(path), /^local_directory: /);
      assert.match(await check(path), reason, path);
    }
    assert.match(await check("C:\\"), /not an absolute path/);
  }));

Deno.test("runLocalOps() works below its root and never follows a link out [f22]", () =>
  onMachine(async (machine) => {
    const root = join(machine.home, "project");
    machine.file("project/CLAUDE.md", "hello");
    machine.file("secret/key", "secret");
    Deno.symlinkSync(join(machine.home, "secret"), join(root, "out"));
    Deno.symlinkSync(join(machine.home, "secret/key"), join(root, "key"));
    Deno.symlinkSync("CLAUDE.md", join(root, "AGENTS.md"));
    const at = (path: string) => join(root, path);

    const [stat, read, , written, list, missing] = await runLocalOps(root, [
      { op: "stat", path: at("CLAUDE.md") },
      { op: "read", path: at("AGENTS.md") },
      { op: "mkdir", path: at(".multica/a"), mode: 0o755 },
      { op: "write", path: at("AGENTS.md"), text: "both", mode: 0o644 },
      { op: "list", path: root },
      { op: "read", path: at("none") },
    ]);
    assert.deepEqual([stat?.kind, stat?.size, read?.text, written, missing?.kind], [
      "file",
      5,
      "hello",
      {},
      "missing",
    ]);
    assert.equal(Deno.readTextFileSync(at("CLAUDE.md")), "both");
    assert.ok(Deno.lstatSync(at("AGENTS.md")).isSymlink);
    assert.deepEqual(list?.entries?.map((entry) => entry.name).sort(), [
      ".multica",
      "AGENTS.md",
      "CLAUDE.md",
      "key",
      "out",
    ]);

    const refused = async (op: Parameters<typeof runLocalOps>[1][number]) =>
      await assert.rejects(runLocalOps(root, [op]), BrokerRefused, JSON.stringify(op));
    await refused({ op: "read", path: at("key") });
    await refused({ op: "read", path: at("out/key") });
    await refused({ op: "write", path: at("key"), text: "x", mode: 0o644 });
    await refused({ op: "write", path: at("out/new"), text: "x", mode: 0o644 });
    await refused({ op: "mkdir", path: at("out/new"), mode: 0o755 });
    await refused({ op: "remove", path: at("out/key"), recursive: false });
    await refused({ op: "list", path: at("out") });
    await refused({ op: "read", path: `${root}/../secret/key` });
    await refused({ op: "remove", path: root, recursive: true });
    await runLocalOps(root, [{ op: "remove", path: at("key"), recursive: false }]);
    assert.equal(Deno.readTextFileSync(join(machine.home, "secret/key")), "secret");
    Deno.removeSync(root, { recursive: true });
    await refused({ op: "mkdir", path: at("again"), mode: 0o755 });
  }));

Deno.test("decideExecutable() allows overrides, agents' own files and what the operator allowed; nothing else", () =>
  onMachine((machine) => {
    const agent = machine.script("bin/claude", "");
    Deno.symlinkSync(agent, join(machine.home, "bin/my-claude"));
    const other = machine.script("bin/other", "");
    const override = machine.script("tools/wrapped", "");
    machine.file("tools/plain", "");
    const facts = {
      env: { PATH: machine.path("bin") },
      home: machine.home,
      os: "linux" as const,
      overrides: { p1: override, p2: join(machine.home, "tools/plain") },
      allowCommands: [] as string[],
      agentPaths: [agent],
    };
    const ask = (command: string, profileId = "p0", allowCommands: string[] = []) => {
      const verdict = decideExecutable({ command, profileId, prefixArgs: [] }, { ...facts, allowCommands });
      return verdict.allowed ? [verdict.path, verdict.why] : verdict.reason;
    };
    assert.deepEqual(ask("whatever", "p1"), [override, "override"]);
    assert.deepEqual(ask("claude"), [agent, "agent"]);
    assert.deepEqual(ask("my-claude"), [join(machine.home, "bin/my-claude"), "agent"]);
    assert.match(String(ask("other")), /may not be started on this machine.*multica-host allow other/);
    assert.deepEqual(ask("other", "p0", ["other"]), [other, "allowed by the operator"]);
    assert.deepEqual(ask("other", "p0", [other]), [other, "allowed by the operator"]);
    assert.deepEqual(ask(other, "p0", ["other"]), [other, "allowed by the operator"]);
    assert.deepEqual(ask("other", "p0", ["*"]), [other, "allowed by the operator"]);
    assert.equal(ask("nothing"), "command not found on PATH: nothing");
    assert.equal(
      ask("nothing", "p2"),
      `Configured path override is not executable: ${machine.home}/tools/plain; command not found on PATH: nothing`,
    );
    assert.deepEqual(standingExecutables({ ...facts, allowCommands: ["other", "*", "gone"] }), [
      override,
      other,
    ]);
  }));
