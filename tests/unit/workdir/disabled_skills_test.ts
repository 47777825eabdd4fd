import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "smol-toml";
import { claimed, skillOf, withWorkdirs } from "../../helpers/workdir_world.ts";

const DONE = { outcome: "completed", undelivered: false } as const;

/** A claim whose agent must not see these skills of the machine. */
function hiding(provider: string, ...entries: Readonly<Record<string, string>>[]) {
  return claimed({
    agent: {
      id: "agent-1",
      name: "Robin",
      instructions: "",
      disabled_runtime_skills: entries.map((entry) => ({
        runtime_id: "runtime-1",
        provider,
        root: "provider",
        ...entry,
      })),
    },
  });
}

Deno.test("disabled runtime skills, claude [C11.12]: off by name, plugins by key, never a skill of the task", async () => {
  await withWorkdirs(async ({ prepare }) => {
    const task = hiding(
      "claude",
      { key: "deploy", name: "Deploy It" },
      { key: "team/lint", root: "universal" },
      { key: "tools:audit", root: "plugin", plugin: "tools" },
      { key: "review", name: "Review" },
      { key: "other", runtime_id: "runtime-2" },
      { key: "other", provider: "codex" },
      { key: "../outside" },
      { key: "odd(name)" },
    );
    const env = await prepare(task, { skills: [skillOf("review")] });
    const settings = JSON.parse(await Deno.readTextFile(env.settingsFile));
    assert.deepEqual(settings.skillOverrides, { deploy: "off", "Deploy It": "off", lint: "off" });
    const denied = ["deploy", "Deploy It", "lint", "tools:audit"];
    assert.deepEqual(
      settings.permissions.deny,
      denied.flatMap((name) => [`Skill(${name})`, `Skill(${name} *)`]),
    );
    assert.equal(env.settingsFile, join(env.root, "claude-runtime-skill-settings.json"));
    if (Deno.build.os !== "windows") assert.equal(Deno.statSync(env.settingsFile).mode! & 0o777, 0o600);
    await env.close(DONE);
  });
});

Deno.test("disabled runtime skills, codex [C11.12]: entries of its config by SKILL.md, both roots", async () => {
  await withWorkdirs(async ({ home, prepare }) => {
    for (const key of ["deploy", "review"]) {
      await Deno.mkdir(join(home, ".codex/skills", key), { recursive: true });
      await Deno.writeTextFile(join(home, ".codex/skills", key, "SKILL.md"), "---\nname: x\n---\n");
    }
    const task = hiding(
      "codex",
      { key: "deploy", name: "Deploy" },
      { key: "lint", root: "universal" },
      { key: "review", name: "review" },
    );
    const env = await prepare(task, { provider: "codex", skills: [skillOf("review")] });
    const config = parse(await Deno.readTextFile(join(env.env.CODEX_HOME!, "config.toml")));
    assert.deepEqual(JSON.parse(JSON.stringify(config["skills"])), {
      config: [
        { path: join(env.env.CODEX_HOME!, "skills/deploy/SKILL.md"), enabled: false },
        { path: join(home, ".agents/skills/lint/SKILL.md"), enabled: false },
      ],
    });
    assert.equal(env.settingsFile, "");
    await env.close(DONE);
  });
});

Deno.test("disabled runtime skills: none, or an agent that cannot hide them, leave nothing behind", async () => {
  await withWorkdirs(async ({ prepare }) => {
    const plain = await prepare(claimed());
    assert.equal(plain.settingsFile, "");
    await plain.close(DONE);
    const task = { ...hiding("cursor", { key: "deploy" }), id: "01a01ec0-e69d-7000-8000-000000000002" };
    const cursor = await prepare(task, { provider: "cursor" });
    assert.equal(cursor.settingsFile, "");
    await cursor.close(DONE);
  });
});
