import assert from "node:assert/strict";
import type { Skill } from "../../../lib/control/mod.ts";
import { skillText, splitMatter } from "../../../lib/workdir/front_matter.ts";
import { isReservedSkillFile, planSkills } from "../../../lib/workdir/skill_files.ts";
import { resolveSlugs, skillSlug } from "../../../lib/workdir/skill_slugs.ts";

const skill = (
  name: string,
  content = "body",
  files: readonly (readonly [string, string])[] = [],
): Skill => ({
  id: name,
  source: "workspace",
  name,
  description: "",
  hash: "",
  size_bytes: 0,
  content,
  files: files.map(([path, text]) => ({ path, content: text, sha256: "", size_bytes: 0 })),
});

Deno.test("skillSlug() vectors", () => {
  const vectors: readonly (readonly [string, string])[] = [
    ["Issue Review", "issue-review"],
    ["  Code_Review v2! ", "code-review-v2"],
    ["Prüfung", "pr-fung"],
    ["café au lait", "caf-au-lait"],
    ["A B", "a-b"],
    ["A-B", "a-b"],
    ["日本語テスト", "skill"],
    ["---", "skill"],
    ["", "skill"],
    ["  My_Skill v2.0 ", "my-skill-v2-0"],
    ["a/b\\c", "a-b-c"],
  ];
  for (const [name, slug] of vectors) assert.equal(skillSlug(name), slug, name);
});

Deno.test("resolveSlugs() finds free names in order and gives up after 64", () => {
  assert.deepEqual(resolveSlugs(["A B", "a-b", "A_B"], new Set()), ["a-b", "a-b-multica", "a-b-multica-2"]);
  assert.deepEqual(resolveSlugs(["a"], new Set(["a"])), ["a-multica"]);
  assert.equal(resolveSlugs(Array<string>(64).fill("a"), new Set()).at(-1), "a-multica-63");
  assert.throws(() => resolveSlugs(Array<string>(65).fill("a"), new Set()), /64 names/);
});

Deno.test("splitMatter() vectors", () => {
  const split = (text: string) => Object.values(splitMatter(text));
  assert.deepEqual(split("---\nname: x\n---\n\nbody"), ["name: x", "\nbody", true]);
  assert.deepEqual(split("---\nname: x\n---"), ["name: x", "", true]);
  assert.deepEqual(split("---\r\nname: x\r\n---\r\nbody"), ["name: x\r", "body", true]);
  assert.deepEqual(split("---\nname: x\n----\n---\nbody"), ["name: x\n----", "body", true]);
  assert.deepEqual(split("---\nname: x\nno close"), ["", "---\nname: x\nno close", false]);
});

Deno.test("skillText() synthesises, inserts and replaces the name; the directory's name wins", async () => {
  const text = async (content: string, slug: string, about = "") =>
    (await skillText(content, slug, about)).text;
  assert.equal(
    await text("Follow Go conventions.", "go-conventions", "Follow our internal Go style."),
    '---\nname: go-conventions\ndescription: "Follow our internal Go style."\n---\n\nFollow Go conventions.',
  );
  assert.equal(await text("body", "a"), "---\nname: a\n---\n\nbody");
  assert.equal(
    await text("---\ndescription: Review pull requests\n---\n\nbody", "review-prs"),
    "---\nname: review-prs\ndescription: Review pull requests\n---\n\nbody",
  );
  assert.equal(
    await text("---\nname: upstream-name\ndescription: imported as-is\n---\n\nbody", "display-name"),
    "---\nname: display-name\ndescription: imported as-is\n---\n\nbody",
  );
  assert.equal(
    await text("---\nname: keep-me\ndescription: bad: value\n---\n\nbody text\n", "my-slug"),
    "---\nname: my-slug\n---\n\n\nbody text\n",
  );
  assert.equal(
    await text("---\nname: x\nno close", "s", "d"),
    '---\nname: s\ndescription: "d"\n---\n\n---\nname: x\nno close',
  );
  assert.equal(
    await text("---\r\ndescription: d\r\n---\r\nb", "s"),
    "---\nname: s\ndescription: d\r\n---\r\nb".replace("---\n", "---\r\n"),
  );
});

Deno.test("skillText() asks a parser where the matter is not simple", async () => {
  const nested = "---\nmeta:\n  name: inner\ndescription: >\n  folded\n---\nb";
  assert.equal((await skillText(nested, "s", "")).text, nested.replace("---\n", "---\nname: s\n"));
  const folded = await skillText("---\nname: >\n  long\n  name\nother: 1\n---\nb", "s", "");
  assert.match(folded.text, /^---\n(?:.*\n)*name: s\n/);
  assert.match(folded.text, /other: 1/);
});

Deno.test("skillText() knows hidden skills by the parsed key only", async () => {
  const hidden = async (content: string) => (await skillText(content, "s", "")).hidden;
  assert.equal(await hidden("---\ndisable-model-invocation: true\n---\nb"), true);
  assert.equal(await hidden("---\nmeta: {}\ndisable-model-invocation: true\n---\nb"), true);
  assert.equal(await hidden("---\nmeta:\n  disable-model-invocation: true\n---\nb"), false);
  assert.equal(await hidden("no matter"), false);
});

Deno.test("isReservedSkillFile() knows every spelling of SKILL.md", () => {
  for (const path of ["SKILL.md", "skill.md", "SKILL.MD", "./SKILL.md", "foo/../SKILL.md"]) {
    assert.equal(isReservedSkillFile(path), true, path);
  }
  for (const path of ["docs/SKILL.md", "SKILL.md.bak", "README.md", ""]) {
    assert.equal(isReservedSkillFile(path), false, path);
  }
});

Deno.test("planSkills() keeps every file inside its directory and lists visible skills by slug", async () => {
  const hidden = skill("Hidden", "---\ndisable-model-invocation: true\n---\nx");
  const plan = await planSkills(
    [skill("A", "a", [["./SKILL.md", "evil"], ["docs/x.md", "x"]]), hidden],
    ".s",
    new Set(["a"]),
  );
  assert.deepEqual(plan.files.map(({ path }) => path), [
    ".s/a-multica/SKILL.md",
    ".s/a-multica/docs/x.md",
    ".s/hidden/SKILL.md",
  ]);
  assert.deepEqual(plan.listed, [{ name: "A", slug: "a-multica" }]);
  for (const path of ["../x", "/etc/x", "a/../../x", "a\\b", "a\0b", "x/"]) {
    await assert.rejects(planSkills([skill("A", "a", [[path, "x"]])], ".s", new Set()), /would leave/, path);
  }
  await assert.rejects(planSkills([skill("A", "a", [["x", "1"], ["x", "2"]])], ".s", new Set()), /twice/);
});
