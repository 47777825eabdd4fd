import assert from "node:assert/strict";
import { join } from "node:path";
import { openFiles } from "../../../lib/core/mod.ts";
import {
  codexSessionStore,
  findRollouts,
  placeCodexSessions,
} from "../../../lib/workdir/codex_home_sessions.ts";

const NOW = Date.UTC(2026, 0, 2);

async function world(
  run: (
    world: {
      codexHome: string;
      shared: string;
      place: (over?: { isLocalDirectory?: boolean; conversation?: string; prior?: string }) => Promise<void>;
      sessions: () => string;
    },
  ) => Promise<void>,
) {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const [codexHome, shared] = [join(base, "env", "codex-home"), join(base, "shared")];
  try {
    await Deno.mkdir(codexHome, { recursive: true });
    await Deno.mkdir(join(shared, "sessions", "2026", "01", "01"), { recursive: true });
    await Deno.writeTextFile(
      join(shared, "sessions", "2026", "01", "01", "rollout-t-thread-1.jsonl"),
      "one\n",
    );
    await Deno.writeTextFile(join(shared, "sessions", "rollout-t-other.jsonl"), "other\n");
    await run({
      codexHome,
      shared,
      place: async ({ isLocalDirectory = false, conversation = "issue-1", prior = "" } = {}) =>
        await placeCodexSessions({
          files: await openFiles(join(base, "env")),
          codexHome,
          shared,
          profile: "",
          agentId: "agent-1",
          conversation,
          isLocalDirectory,
          priorSessionId: prior,
          nowMs: NOW,
          link: (path, target) => Deno.symlink(target, path),
        }),
      sessions: () => {
        const info = Deno.lstatSync(join(codexHome, "sessions"));
        return info.isSymlink
          ? Deno.readLinkSync(join(codexHome, "sessions"))
          : info.isDirectory
          ? "dir"
          : "?";
      },
    });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

Deno.test("codexSessionStore() names the profile by its hash", () => {
  const of = (profile: string, agentId: string) =>
    codexSessionStore({ shared: "/s", profile, agentId, conversation: "chat_1" });
  assert.equal(of("", ""), "/s/multica-sessions/default/_/chat_1");
  assert.equal(
    of("staging", "a"),
    "/s/multica-sessions/p_e919a75364398a449f860aeadddc57fa0502145a4e63959ddb33c417a48dc0da/a/chat_1",
  );
});

Deno.test("placeCodexSessions() gives a managed root its own directory and leaves a real one alone", async () => {
  await world(async ({ codexHome, place, sessions }) => {
    await place({ prior: "thread-1" });
    assert.equal(sessions(), "dir");
    await Deno.writeTextFile(join(codexHome, "sessions", "kept"), "");
    await place({ isLocalDirectory: true });
    assert.equal(sessions(), "dir");
    assert.deepEqual([...Deno.readDirSync(join(codexHome, "sessions"))].map(({ name }) => name), ["kept"]);
  });
});

Deno.test("placeCodexSessions() moves an older host's link to the conversation's store, the resumed thread in it", async () => {
  await world(async ({ codexHome, shared, place, sessions }) => {
    const store = join(shared, "multica-sessions", "default", "agent-1", "issue-1");
    await Deno.symlink(join(shared, "sessions"), join(codexHome, "sessions"));
    for (const name of ["state_5.sqlite", "state_5.sqlite-wal", "logs_2.sqlite", "session_index.jsonl"]) {
      await Deno.writeTextFile(join(codexHome, name), "");
    }
    await place({ prior: "thread-1" });
    assert.equal(sessions(), store);
    assert.deepEqual([...Deno.readDirSync(codexHome)].map(({ name }) => name).sort(), [
      "logs_2.sqlite",
      "session_index.jsonl",
      "sessions",
    ]);
    const [rollout, ...more] = await findRollouts(join(codexHome, "sessions"), "thread-1");
    assert.deepEqual(more, []);
    await Deno.writeTextFile(rollout!, "two\n", { append: true });
    const original = join(shared, "sessions", "2026", "01", "01", "rollout-t-thread-1.jsonl");
    assert.equal(await Deno.readTextFile(original), "one\ntwo\n");
    assert.deepEqual(await findRollouts(store, "other"), []);
    await Deno.writeTextFile(join(codexHome, "state_5.sqlite"), "");
    await place({ prior: "thread-1" });
    assert.ok((await Deno.stat(join(codexHome, "state_5.sqlite"))).isFile, "its own index is kept");
  });
});

Deno.test("placeCodexSessions() local directory: the store, marked as used; no conversation, no store", async () => {
  await world(async ({ shared, place, sessions }) => {
    await place({ isLocalDirectory: true, prior: "../escape" });
    const store = join(shared, "multica-sessions", "default", "agent-1", "issue-1");
    assert.equal(sessions(), store);
    assert.equal((await Deno.stat(store)).mtime!.getTime(), NOW);
    await place({ isLocalDirectory: true, conversation: "" });
    assert.equal(sessions(), "dir");
  });
});
