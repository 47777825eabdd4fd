/** The shim on disk (spec 04 §17.2; decisions: `multica` inside a login shell). */
import assert from "node:assert/strict";
import { installShim, launcherText, shimPath } from "../../../lib/agentcli/mod.ts";
import { withDirectory } from "../../helpers/agent_cli.ts";

const posix = Deno.build.os !== "windows";

Deno.test({
  name: "installShim() writes an executable that hands arguments and exit code through",
  ignore: !posix,
  fn: () =>
    withDirectory(async (dir) => {
      const [host, shimDir] = [`${dir}/it's a host`, `${dir}/new/agent bin`];
      await Deno.writeTextFile(host, '#!/bin/sh\nprintf "[%s]" "$@"\nexit 7\n', { mode: 0o755 });
      const path = await installShim({ shimDir, host: [host, "a b"] });
      assert.equal(path, shimPath(shimDir));
      const { code, stdout } = await new Deno.Command(path, { args: ["issue", 'x "y" $z', ""] }).output();
      assert.deepEqual([code, new TextDecoder().decode(stdout)], [7, '[a b][__multica][issue][x "y" $z][]']);
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o755);
    }),
});

Deno.test({
  name: "installShim() leaves an equal shim alone, replaces any other whole, and follows no link",
  ignore: !posix,
  fn: () =>
    withDirectory(async (dir) => {
      const install = (host: string) => installShim({ shimDir: dir, host: [host] });
      const path = await install("/opt/one");
      const { ino } = await Deno.stat(path);
      await install("/opt/one");
      assert.equal((await Deno.stat(path)).ino, ino);
      await Deno.chmod(path, 0o600);
      await install("/opt/one");
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o755);
      await Deno.remove(path);
      await Deno.writeTextFile(`${dir}/other`, "the user's");
      await Deno.symlink(`${dir}/other`, path);
      await install("/opt/two");
      assert.match(await Deno.readTextFile(path), /'\/opt\/two' '__multica' "\$@"/);
      assert.equal(await Deno.readTextFile(`${dir}/other`), "the user's");
      assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name).sort(), [
        "bash_env",
        "multica",
        "other",
      ]);
    }),
});

Deno.test("installShim() says what it cannot write", () =>
  withDirectory(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    await assert.rejects(installShim({ shimDir: `${dir}/file`, host: ["/x"] }), {
      code: "launcher_unusable",
    });
  }));

Deno.test("launcherText() is a batch file on Windows", () => {
  assert.equal(
    launcherText(["C:\\a b\\h.exe", "__multica"], "windows"),
    '@echo off\r\n"C:\\a b\\h.exe" "__multica" %*\r\n',
  );
  assert.equal(shimPath("d", "windows").endsWith("multica.cmd"), true);
});
