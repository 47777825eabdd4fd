/**
 * A provider that speaks a known protocol is one row of the catalog and one stream: the host is run from a copy of its
 * sources in which nothing but that row was added.
 */
import assert from "node:assert/strict";
import { healthPort } from "../../lib/config/mod.ts";
import { Plane } from "../../lib/plane/mod.ts";
import { freeProfile, patiently } from "../helpers/e2e_world.ts";
import { HostProcess, makeHome, runHostCommand, sourceCommand } from "../helpers/host_process.ts";

const ROW = `  {
    ...USUAL,
    provider: "wondercode",
    label: "Wonder Code",
    command: "wondercode",
    header: "wondercode (stream-json)",
    driver: "claude",
    minVersion: "3.0.0",
    briefFile: "WONDER.md",
    skillDir: ".wonder/skills",
  },
`;

const STREAM = [
  { type: "system", subtype: "init", session_id: "w1", model: "wonder-1" },
  {
    type: "assistant",
    session_id: "w1",
    message: {
      id: "a",
      model: "wonder-1",
      content: [{ type: "tool_use", id: "t", name: "Bash", input: { command: "ls" } }],
    },
  },
  {
    type: "user",
    session_id: "w1",
    message: { content: [{ type: "tool_result", tool_use_id: "t", content: "a" }] },
  },
  {
    type: "result",
    subtype: "success",
    session_id: "w1",
    result: "done",
    usage: { input_tokens: 3, output_tokens: 2 },
    model: "wonder-1",
  },
].map((event) => JSON.stringify(event)).join("\n");

/** The sources with the row in the catalog. */
async function withRow(dir: string): Promise<string> {
  const root = new URL("../../", import.meta.url).pathname;
  for (const part of ["lib", "main.ts", "deno.json", "deno.lock", "scripts"]) {
    await new Deno.Command("cp", { args: ["-r", `${root}${part}`, `${dir}/${part}`] }).output();
  }
  const catalog = `${dir}/lib/agents/catalog_rows.ts`;
  const text = await Deno.readTextFile(catalog);
  const end = text.lastIndexOf("];");
  await Deno.writeTextFile(catalog, text.slice(0, end) + ROW + text.slice(end));
  return `${dir}/`;
}

/** The program: it says what it was called with, and plays the stream. */
async function makeProgram(bin: string): Promise<void> {
  await Deno.mkdir(bin);
  await Deno.writeTextFile(`${bin}/stream`, STREAM + "\n");
  await Deno.writeTextFile(
    `${bin}/wondercode`,
    `#!/bin/sh
if [ "$1" = --version ]; then echo "wondercode 3.1.0"; exit 0; fi
read -r prompt
echo "$@" >> '${bin}/calls'
if [ -e '${bin}/no-key' ]; then echo "401 bad key" >&2; exit 2; fi
cat '${bin}/stream'
cat > /dev/null
`,
    { mode: 0o755 },
  );
}

Deno.test("a new provider with a known protocol is one catalog row and one fixture", async () => {
  const dir = await Deno.makeTempDir({ prefix: "multica-sources-" });
  const plane = await Plane.open({ port: 0 });
  const profile = freeProfile();
  const bin = `${dir}/bin`;
  const home = await makeHome({
    profile,
    serverUrl: plane.url,
    token: plane.token,
    env: { PATH: `${bin}:/usr/bin:/bin`, SHELL: "/bin/sh", MULTICA_WONDERCODE_MODEL: "wonder-1" },
  });
  const command = sourceCommand(await withRow(dir));
  await makeProgram(bin);
  const workspaceId = plane.createWorkspace({ name: "Acme" });
  const agentId = plane.createAgent({ workspaceId, name: "coder", provider: "wondercode" });
  const host = HostProcess.start(home, { args: ["--profile", profile], port: healthPort(profile), command });
  const run = (title: string, more = {}) =>
    plane.taskState(plane.addTask({ workspaceId, agentId, title, ...more }).id, ["completed", "failed"]);
  const story = async () => {
    await host.ready();
    const listed = await runHostCommand(home, ["agents", "--profile", profile], {}, command);
    assert.match(listed.stdout, /wondercode +wondercode 3\.1\.0 .*\/bin\/wondercode/);

    const first = await run("Say hello");
    assert.equal(first.status, "completed", first.error + host.output);
    assert.deepEqual([first.output, first.session_id], ["done", "w1"]);
    assert.deepEqual(plane.messages(first.id).map((row) => row.type), ["tool_use", "tool_result"]);
    const usage = plane.usage(first.id).map((row) => [row.provider, row.model, row.input_tokens]);
    assert.deepEqual(usage, [["wondercode", "wonder-1", 3]]);
    assert.match(await Deno.readTextFile(`${first.work_dir}/WONDER.md`), /multica/);

    await run("Say more", { issueId: first.issue_id });
    const calls = (await Deno.readTextFile(`${bin}/calls`)).trim().split("\n");
    assert.match(calls[0]!, /--model wonder-1/);
    assert.match(calls[1]!, /--resume w1/);

    await Deno.writeTextFile(`${bin}/no-key`, "");
    const refused = await run("Say hello");
    assert.equal(refused.failure_reason, "agent_error.provider_auth_or_access", refused.error);
    assert.match(
      refused.error,
      /^wondercode exited with error: exit status 2; wondercode stderr: 401 bad key/,
    );
  };
  try {
    await patiently(story(), () => host.output.split("\n").slice(-20), 120_000);
  } finally {
    await host.stop();
    await plane.close();
    await home.remove();
    await Deno.remove(dir, { recursive: true });
  }
});
