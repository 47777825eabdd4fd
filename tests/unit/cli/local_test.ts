/** What a user without a server does first: `local` in one terminal, `task …` in another. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { healthPort } from "../../../lib/config/mod.ts";
import { freeProfile } from "../../helpers/e2e_world.ts";
import { HostProcess, makeHome, runHostCommand } from "../../helpers/host_process.ts";

Deno.test({
  name: "local runs plane and host together; task add, list, show and cancel talk to it; stop ends both",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const profile = freeProfile();
    const home = await makeHome({ profile });
    const run = (...args: string[]) => runHostCommand(home, ["--profile", profile, ...args]);
    const host = HostProcess.start(home, {
      args: ["--profile", profile, "local"],
      port: healthPort(profile),
    });
    try {
      await host.until((health) => (health["claiming"] as { state?: string })?.state === "claiming");
      await host.line(new RegExp(`^ {2}multica-host task add --profile ${profile} `));

      const dir = join(home.dir, "project");
      await Deno.mkdir(dir);
      await Deno.writeTextFile(join(dir, "README.md"), "# A project\n");
      const added = await run(
        "task",
        "add",
        "Write a note",
        "--agent",
        "rehearsal",
        "--dir",
        dir,
        "--follow",
      );
      assert.equal(added.code, 0, added.stdout + added.stderr);
      assert.match(added.stdout, new RegExp(`^Task [0-9a-f]{8} for rehearsal, in ${dir}\n`));
      assert.match(added.stdout, /^→ \S+/m);
      assert.match(added.stdout, /^✓ completed in \S+$/m);

      const id = /^Task ([0-9a-f]{8})/.exec(added.stdout)![1]!;
      const shown = await run("task", "show", id);
      assert.match(shown.stdout, /^Task [0-9a-f]{8} for rehearsal: Write a note\n[^]*✓ completed/);
      assert.match((await run("task", "list")).stdout, new RegExp(`^${id} +✓ completed +rehearsal`, "m"));
      assert.equal(JSON.parse((await run("task", "list", "--output", "json")).stdout).length, 1);
      assert.match((await run("task", "cancel", id)).stdout, /✓ completed \(it had ended before\)/);
      assert.equal((await run("task", "list", "--status", "failed")).stderr, "No task is failed\n");
      const gone = await run("task", "show", "ffffffff");
      assert.equal(gone.code, 4);
      assert.match(gone.stderr, /task not found\n {2}→ multica-host task list/);

      const unknown = await run("task", "add", "x", "--agent", "claud");
      assert.equal(unknown.code, 1);
      assert.match(
        unknown.stderr,
        /^error: Cannot add the task: no agent "claud"; there is: [a-z, ]*rehearsal\n.*multica-host agents/,
      );
      assert.match((await run("task", "add", "x", "--dir", "nowhere")).stderr, /is no directory/);

      const second = await run("local");
      assert.equal(second.code, 1);
      assert.match(
        second.stderr,
        new RegExp(`already runs \\(pid ${host.child.pid}, port ${healthPort(profile)}`),
      );

      assert.match((await run("status")).stdout, /^Claiming: +yes: /m);
      const stopped = await run("stop", "--wait");
      assert.match(stopped.stderr, /has stopped/);
      assert.equal((await host.ended).code, 0, host.output);
      const log = await run("logs", "-n", "1000");
      assert.match(log.stdout, / INF host started component=supervisor /);
      assert.match(
        (await run("task", "list")).stderr,
        new RegExp(`The local control plane does not run\n.*multica-host local --profile ${profile}\n$`),
      );
    } finally {
      await host[Symbol.asyncDispose]();
      await home.remove();
    }
  },
});

Deno.test("local never takes over the profile of a real server", async () => {
  const profile = "cli-local-taken";
  const home = await makeHome({ profile, serverUrl: "https://api.example.com", token: "mul_x" });
  try {
    const ran = await runHostCommand(home, ["--profile", profile, "local"]);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /Profile "cli-local-taken" belongs to the server https:\/\/api\.example\.com\n/);
  } finally {
    await home.remove();
  }
});
