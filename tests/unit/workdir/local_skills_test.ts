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
