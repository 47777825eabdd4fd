import assert from "node:assert/strict";
import { join } from "node:path";
import { importLocalSkill, listLocalSkills, localFrontMatter } from "../../../lib/workdir/local_skills.ts";

async function home(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await Deno.makeTempDir();
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(join(dir, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(dir, path), content);
  }
  return dir;
}

Deno.test("localFrontMatter() converts scalars, lists and broken blocks as the chapter says", async () => {
  const read = (block: string) => localFrontMatter(`---\n${block}\n---\nbody`);
  assert.deepEqual(await read("name: foo\ndescription: |\n  line1\n  line2"), {
    name: "foo",
    description: "line1\nline2",
  });
  assert.deepEqual(await read("name: 123\ndescription: 456"), { name: "123", description: "456" });
  assert.equal(
    (await read("description: [first feature, second feature]")).description,
    '["first feature","second feature"]',
  );
  assert.deepEqual(await read(": : : not valid"), { name: "", description: "" });
  assert.deepEqual(await localFrontMatter("\n---\nname: x\n---\n"), { name: "", description: "" });
  assert.equal((await localFrontMatter("---\r\nname: crlf\r\n---\r\n")).name, "crlf");
});

Deno.test("listLocalSkills() merges roots, the provider's first, sorted by key, files counted", async () => {
  const dir = await home({
    ".claude/skills/review/SKILL.md": "---\nname: Review\ndescription: looks twice\n---\n",
    ".claude/skills/review/notes/a.md": "a",
    ".claude/skills/review/logo.png": "x",
    ".claude/skills/group/deep/SKILL.md": "no front matter",
    ".claude/skills/.hidden/SKILL.md": "x",
    ".agents/skills/review/SKILL.md": "---\nname: Shadowed\n---\n",
    ".agents/skills/all/SKILL.md": "x",
  });
  try {
    const skills = await listLocalSkills({ provider: "claude", home: dir, env: {} });
    assert.deepEqual(skills?.map((s) => [s.key, s.name, s.root, s.file_count]), [
      ["all", "all", "universal", 1],
      ["group/deep", "deep", "provider", 1],
      ["review", "Review", "provider", 2],
    ]);
    assert.equal(skills?.[2]?.source_path, "~/.claude/skills/review");
    assert.equal(skills?.[2]?.description, "looks twice");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("listLocalSkills() is undefined for a provider without local skills and survives a link cycle", async () => {
  const dir = await home({ ".codex/skills/a/b/x.md": "x" });
  try {
    await Deno.symlink(join(dir, ".codex/skills"), join(dir, ".codex/skills/a/loop"));
    assert.deepEqual(await listLocalSkills({ provider: "codex", home: dir, env: {} }), []);
    assert.equal(await listLocalSkills({ provider: "qwenpaw-x", home: dir, env: {} }), undefined);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("importLocalSkill() returns whole texts, and refuses keys that leave the root", async () => {
  const dir = await home({
    "ch/skills/s/SKILL.md": "---\nname: S\n---\nbody",
    "ch/skills/s/ref.md": "ref",
  });
  const places = { provider: "codex", home: dir, env: { CODEX_HOME: join(dir, "ch") } };
  try {
    const skill = await importLocalSkill(places, " s ");
    assert.equal(skill.content, "---\nname: S\n---\nbody");
    assert.deepEqual(skill.files, [{ path: "ref.md", content: "ref" }]);
    for (const key of ["", ".", "../x", "/etc", "a/../../x"]) {
      await assert.rejects(importLocalSkill(places, key), /is not a relative path/);
    }
    await assert.rejects(importLocalSkill(places, "none"), /was not found/);
    await assert.rejects(importLocalSkill({ ...places, provider: "nope" }, "s"), /does not expose/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("listLocalSkills() finds the roots variables name, and says what can be disabled (spec 04 §20.15)", async () => {
  const dir = await home({
    ".claude/skills/deploy/SKILL.md": "x",
    ".qwen/skills/own/SKILL.md": "x",
    "elsewhere/skills/named/SKILL.md": "x",
    "paw/skill_pool/pooled/SKILL.md": "x",
  });
  const list = async (provider: string, env: Readonly<Record<string, string>> = {}) =>
    (await listLocalSkills({ provider, home: dir, env }) ?? []).map((
      { key, can_disable },
    ) => [key, can_disable]);
  try {
    assert.deepEqual(await list("claude"), [["deploy", true]]);
    assert.deepEqual(await list("qwen"), [["own", undefined]]);
    assert.deepEqual(await list("qwen", { QWEN_HOME: join(dir, "elsewhere") }), [["named", undefined]]);
    assert.deepEqual(await list("qwenpaw", { COPAW_WORKING_DIR: join(dir, "paw") }), [["pooled", undefined]]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("local skills: a SKILL.md may be a link to another SKILL.md, never to a file of another name [f22]", async () => {
  const dir = await home({
    "dotfiles/review/SKILL.md": "fine",
    ".ssh/id": "secret",
    ".claude/skills/a/x": "",
  });
  await Deno.mkdir(join(dir, ".claude/skills/b"));
  await Deno.symlink(join(dir, "dotfiles/review/SKILL.md"), join(dir, ".claude/skills/a/SKILL.md"));
  await Deno.symlink(join(dir, ".ssh/id"), join(dir, ".claude/skills/b/SKILL.md"));
  const places = { provider: "claude", home: dir, env: {} };
  try {
    assert.deepEqual((await listLocalSkills(places))!.map(({ key }) => key), ["a"]);
    assert.equal((await importLocalSkill(places, "a")).content, "fine");
    await assert.rejects(importLocalSkill(places, "b"), /is a link to a file of another name/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("local skills of claude's plugins: enabled and installed ones, by a key with the plugin's name", async () => {
  const dir = await home({
    ".claude/settings.json": JSON.stringify({
      enabledPlugins: { "tools@market": true, "old@market": true, "off@market": false, "far@market": true },
    }),
    ".claude/plugins/cache/market/tools/1.0.0/skills/audit/SKILL.md": "---\nname: Audit\n---\n",
    ".claude/plugins/cache/market/old/skills/lint/SKILL.md": "x",
    ".claude/plugins/cache/market/off/skills/no/SKILL.md": "x",
    "far/skills/no/SKILL.md": "x",
    ".claude/skills/own/SKILL.md": "x",
  });
  const cache = join(dir, ".claude/plugins/cache/market");
  await Deno.writeTextFile(
    join(dir, ".claude/plugins/installed_plugins.json"),
    JSON.stringify({
      version: 2,
      plugins: {
        "tools@market": [{ scope: "user", installPath: join(cache, "tools/1.0.0") }],
        "old@market": { installPath: join(cache, "old") },
        "off@market": [{ installPath: join(cache, "off") }],
        "far@market": [{ installPath: join(dir, "far") }],
        "odd@market": 7,
      },
    }),
  );
  const places = { provider: "claude", home: dir, env: {} };
  try {
    const listed = (await listLocalSkills(places))!.map(({ key, name, root, plugin }) => [
      key,
      name,
      root,
      plugin,
    ]);
    assert.deepEqual(listed, [
      ["old:lint", "lint", "plugin", "old"],
      ["own", "own", "provider", undefined],
      ["tools:audit", "Audit", "plugin", "tools"],
    ]);
    assert.equal((await importLocalSkill(places, "tools:audit")).name, "Audit");
    await assert.rejects(importLocalSkill(places, "off:no"), /was not found on this machine/);
    for (const key of ["tools:../../../../far/skills/no", "tools:../x", "tools:..", "tools:", "tools:/etc"]) {
      await assert.rejects(importLocalSkill(places, key), /is not a relative path below/, key);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
