import assert from "node:assert/strict";
import { join } from "node:path";
import { sessionRecord } from "../../../lib/workdir/session_files.ts";

const ID = "0199-aa";

async function inDirectory(run: (base: string) => Promise<void>) {
  const base = await Deno.realPath(await Deno.makeTempDir());
  try {
    await run(base);
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

async function put(path: string) {
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.writeTextFile(path, "{}\n");
}

Deno.test("sessionRecord() codex: a rollout of the thread in the task's home, flat or by day", async () => {
  await inDirectory(async (base) => {
    const look = () =>
      sessionRecord({ provider: "codex", workDir: base, home: base, env: { CODEX_HOME: base } }, ID);
    assert.equal(await look(), "missing");
    await put(join(base, "sessions", "rollout-2026-01-01T00-00-00-other.jsonl"));
    assert.equal(await look(), "missing");
    await put(join(base, "sessions", "2026", "01", "02", `rollout-2026-01-02T00-00-00-${ID}.jsonl`));
    assert.equal(await look(), "present");
    const nowhere = { provider: "codex", workDir: base, home: base, env: {} };
    assert.equal(await sessionRecord(nowhere, ID), "unknown");
  });
});

Deno.test("sessionRecord() claude: below projects, in a moved home too; others unknown", async () => {
  await inDirectory(async (base) => {
    const workDir = join(base, "work.dir");
    await Deno.mkdir(workDir);
    const look = (env: Record<string, string>, provider = "claude", id = ID) =>
      sessionRecord({ provider, workDir, home: base, env }, id);
    assert.equal(await look({}), "missing");
    await put(join(base, ".claude", "projects", workDir.replace(/[^A-Za-z0-9]/g, "-"), `${ID}.jsonl`));
    assert.equal(await look({}), "present");
    assert.equal(await look({ CLAUDE_CONFIG_DIR: join(base, "elsewhere") }), "missing");
    assert.equal(await look({}, "claude", "../x"), "unknown");
    assert.equal(await look({}, "opencode"), "unknown");
  });
});
