import assert from "node:assert/strict";
import { classifyFailure } from "../../../lib/agents/mod.ts";
import { Launchers } from "../../../lib/supervisor/launchers.ts";
import { FUNCTION_VARIABLE } from "../../../lib/core/mod.ts";

async function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const output = await new Deno.Command(script, { args: [...args], clearEnv: true, env, stdin: "null" })
    .output();
  const text = new TextDecoder();
  return { code: output.code, out: text.decode(output.stdout), err: text.decode(output.stderr) };
}

Deno.test({
  name: "Launchers start an agent under the same pid, in a session of its own, arguments unchanged",
  fn: async () => {
    const dir = await Deno.makeTempDir();
    try {
      const agent = `${dir}/it's an agent`;
      const body = `#!/bin/sh\nread -r line < /proc/$$/stat\nset -- "$@" "$line"\nprintf '%s\\n' "$$" "$@"\n`;
      await Deno.writeTextFile(agent, body, { mode: 0o755 });
      const launchers = new Launchers(dir);
      const script = launchers.for([agent])[agent]!;
      assert.equal(launchers.for([agent])[agent], script);
      const child = new Deno.Command(script, { args: ["a b", "", "$x"], stdout: "piped", clearEnv: true })
        .spawn();
      const [pid, first, second, third, stat] = (await child.stdout.text()).split("\n");
      await child.status;
      assert.deepEqual([pid, first, second, third], [String(child.pid), "a b", "", "$x"]);
      const [, , group, session] = stat!.slice(stat!.lastIndexOf(")") + 2).split(" ");
      assert.deepEqual([group, session], [pid, pid]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test("Launchers.launch() starts any program so, with its environment and pipes", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const script = 'read -r line < /proc/$$/stat; echo "$NAME $line"';
    const spec = { executable: "/bin/sh", args: ["-c", script], env: { NAME: "value" } };
    const child = new Launchers(dir).launch(spec);
    const [out] = await Promise.all([new Response(child.stdout).text(), child.stderr.cancel(), child.status]);
    assert.match(out, /^value /);
    const [, , group] = out.slice(out.lastIndexOf(")") + 2).split(" ");
    assert.equal(group, String(child.pid));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("Launchers name a program that has vanished in words the classifier knows", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const script = new Launchers(dir).for(["/nowhere/claude"])["/nowhere/claude"]!;
    const { code, err } = await run(script, []);
    assert.equal(code, 127);
    assert.match(err, /executable not found at "\/nowhere\/claude"/);
    const error = `claude exited with error: exit status 127; claude stderr: ${err}`;
    assert.equal(classifyFailure(error), "agent_error.runtime_missing_executable");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("Launchers know whether their directory lets programs start", async () => {
  const dir = await Deno.makeTempDir();
  try {
    assert.equal(await new Launchers(dir).works(), true);
    const missing = new Launchers(`${dir}/gone`);
    assert.equal(await missing.works(), false);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("Launchers carry the shell function that finds multica past a shell that drops such names", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const script = new Launchers(dir).for(["/usr/bin/env"])["/usr/bin/env"]!;
    const { stdout } = await new Deno.Command(script, {
      clearEnv: true,
      env: { [FUNCTION_VARIABLE]: "() { echo 'a b'\n}", OTHER: "x" },
    }).output();
    const lines = new TextDecoder().decode(stdout);
    assert.match(lines, /^BASH_FUNC_multica%%=\(\) \{ echo 'a b'\n\}$/m);
    assert.match(lines, /^OTHER=x$/m);
    assert.doesNotMatch(lines, /MULTICA_LAUNCH_FUNCTION/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("Launchers start a program that has moved by its old script, and let it find what lies beside it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/new bin`);
    await Deno.writeTextFile(`${dir}/new bin/node`, '#!/bin/sh\nshift\necho "node ran $1"\n', {
      mode: 0o755,
    });
    await Deno.writeTextFile(`${dir}/new bin/agent`, "#!/usr/bin/env node\n", { mode: 0o755 });
    const launchers = new Launchers(dir);
    const old = `${dir}/old/agent`;
    const script = launchers.for([old])[old]!;
    assert.equal((await run(script, ["x"])).code, 127);
    assert.equal(launchers.repoint(`${dir}/unknown`, `${dir}/new bin/agent`), false);
    assert.equal(launchers.repoint(old, `${dir}/new bin/agent`), true);
    assert.equal(launchers.target(old), `${dir}/new bin/agent`);
    assert.equal((await run(script, ["x"], { PATH: "/nowhere" })).out, "node ran x\n");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
