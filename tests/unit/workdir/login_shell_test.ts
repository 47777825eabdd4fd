/** The shell function that brings `multica` into every bash (decisions: `multica` inside a login shell). */
import assert from "node:assert/strict";
import { loginShellEnv } from "../../../lib/workdir/login_shell.ts";

Deno.test({
  name: "loginShellEnv() makes multica a command of bash whatever PATH a profile sets",
  ignore: Deno.build.os === "windows",
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "it's here " });
    try {
      await Deno.writeTextFile(`${dir}/multica`, '#!/bin/sh\necho "ran:$1"\nexit 7\n', { mode: 0o755 });
      // The profile of a login shell reads before the command and has set PATH anew.
      await Deno.writeTextFile(`${dir}/.bash_profile`, "PATH=/usr/bin:/bin\nunset BASH_ENV\n");
      const run = async (...args: string[]) => {
        const { code, stdout } = await new Deno.Command("bash", {
          args,
          clearEnv: true,
          env: { HOME: dir, PATH: "/usr/bin:/bin", ...loginShellEnv(dir) },
        }).output();
        return [code, new TextDecoder().decode(stdout)];
      };
      assert.deepEqual(await run("-lc", 'multica "two words"'), [7, "ran:two words\n"]);
      assert.deepEqual(await run("--posix", "-lc", "multica posix"), [7, "ran:posix\n"]);
      assert.deepEqual(await run("-c", "env bash -lc 'multica nested'"), [7, "ran:nested\n"]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test("loginShellEnv() sets nothing without a shim, nor on Windows", () => {
  assert.deepEqual(loginShellEnv("", "linux"), {});
  assert.deepEqual(loginShellEnv("C:\\x", "windows"), {});
});
