/** How a shell whose profile sets PATH anew finds `multica` (decisions: `multica` inside a login shell; docs/login_shells.md). */
import assert from "node:assert/strict";
import { installShim } from "../../../lib/agentcli/mod.ts";
import { loginShellEnv } from "../../../lib/workdir/login_shell.ts";

const posix = Deno.build.os !== "windows";

interface Place {
  readonly dir: string;
  /** Runs a shell in which the user's profile sets PATH anew. @returns exit code and what it said. */
  run(
    shell: string,
    args: readonly string[],
    more?: Readonly<Record<string, string>>,
  ): Promise<[number, string]>;
}

async function withShim(work: (place: Place) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "it's $here " });
  try {
    const host = `${dir}/host`;
    await Deno.writeTextFile(host, '#!/bin/sh\necho "ran:$2"\nexit 7\n', { mode: 0o755 });
    await installShim({ shimDir: `${dir}/bin`, host: [host] });
    for (const name of [".bash_profile", ".profile"]) {
      await Deno.writeTextFile(`${dir}/${name}`, "PATH=/usr/bin:/bin\n");
    }
    await work({
      dir,
      async run(shell, args, more = {}) {
        const { code, stdout } = await new Deno.Command(shell, {
          args: [...args],
          clearEnv: true,
          env: { HOME: dir, PATH: `${dir}/bin:/usr/bin:/bin`, ...loginShellEnv(`${dir}/bin`), ...more },
          stderr: "null",
        }).output();
        return [code, new TextDecoder().decode(stdout)];
      },
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Where a shell is on this machine, "" when it is not. */
function shell(name: string): string {
  const dirs = posix ? (Deno.env.get("PATH") ?? "").split(":") : [];
  return dirs.map((dir) => `${dir}/${name}`).find(isFile) ?? "";
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false; // not in this directory
  }
}

const [bash, dash, zsh] = [shell("bash"), shell("dash"), shell("zsh")];

Deno.test({
  name: "loginShellEnv() makes multica a command of every bash, whatever PATH a profile sets",
  ignore: bash === "",
  fn: () =>
    withShim(async ({ run }) => {
      assert.deepEqual(await run(bash, ["-lc", 'multica "two words"']), [7, "ran:two words\n"]);
      assert.deepEqual(await run(bash, ["--posix", "-lc", "multica posix"]), [7, "ran:posix\n"]);
      assert.deepEqual(await run(bash, ["-c", "env bash -lc 'multica nested'"]), [7, "ran:nested\n"]);
      assert.deepEqual(await run(bash, ["-c", "PATH=/usr/bin:/bin; multica here"]), [7, "ran:here\n"]);
    }),
});

Deno.test({
  name: "loginShellEnv() reaches a bash started by a dash, which drops the function",
  ignore: bash === "" || dash === "",
  fn: () =>
    withShim(async ({ run }) => {
      assert.deepEqual(await run(dash, ["-c", "bash -lc 'multica below'"]), [7, "ran:below\n"]);
      assert.deepEqual(await run(dash, ["-lc", "bash -c 'multica login'"]), [7, "ran:login\n"]);
    }),
});

Deno.test({
  name: "a dash login shell finds multica by the absolute path the brief names, and only so",
  ignore: dash === "",
  fn: () =>
    withShim(async ({ run }) => {
      assert.deepEqual(await run(dash, ["-c", "multica plain"]), [7, "ran:plain\n"]);
      assert.deepEqual(await run(dash, ["-lc", "multica by-name"]), [127, ""]);
      assert.deepEqual(await run(dash, ["-lc", '"$HOME/bin/multica" by-path']), [7, "ran:by-path\n"]);
    }),
});

if (zsh !== "") {
  Deno.test("a zsh login shell reads no /etc/profile and keeps PATH", () =>
    withShim(async ({ run }) => {
      assert.deepEqual(await run(zsh, ["-lc", "multica zsh"]), [7, "ran:zsh\n"]);
    }));
}

Deno.test({
  name: "loginShellEnv() reads the user's own BASH_ENV first, expanded as bash does",
  ignore: bash === "",
  fn: () =>
    withShim(async ({ dir, run }) => {
      await Deno.writeTextFile(`${dir}/own`, "OWN=read; PATH=/usr/bin:/bin\n");
      const more = loginShellEnv(`${dir}/bin`, "$HOME/own");
      const said = await run(bash, ["-c", "unset -f multica; echo $OWN; multica $#", "name", "arg"], more);
      assert.deepEqual(said, [7, "read\nran:1\n"]);
      const gone = await run(bash, ["-uec", "multica gone"], loginShellEnv(`${dir}/bin`, "/no/such file"));
      assert.deepEqual(gone, [7, "ran:gone\n"]);
    }),
});

Deno.test("loginShellEnv() sets nothing without a shim, nor on Windows", () => {
  assert.deepEqual(loginShellEnv("", "own", "linux"), {});
  assert.deepEqual(loginShellEnv("C:\\x", "own", "windows"), {});
});
