import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "smol-toml";
import { HostError, openFiles } from "../../../lib/core/mod.ts";
import { buildCodexHome, type CodexHomeInput, sharedCodexHome } from "../../../lib/workdir/codex_home.ts";
import { claimed, skillOf } from "../../helpers/workdir_world.ts";

interface World {
  readonly base: string;
  readonly home: string;
  readonly shared: string;
  readonly put: (name: string, text: string) => Promise<void>;
  readonly build: (over?: Partial<CodexHomeInput>) => ReturnType<typeof buildCodexHome>;
  readonly names: (dir?: string) => string[];
}

async function world(run: (world: World) => Promise<void>) {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const [home, shared] = [join(base, "env", "codex-home"), join(base, "user", ".codex")];
  try {
    await Deno.mkdir(join(base, "env"));
    await run({
      base,
      home,
      shared,
      put: async (name, text) => {
        await Deno.mkdir(join(shared, name, ".."), { recursive: true });
        await Deno.writeTextFile(join(shared, name), text);
      },
      build: async (over = {}) =>
        await buildCodexHome({
          files: await openFiles(join(base, "env")),
          home,
          shared,
          task: claimed(),
          skills: [],
          localDirectory: false,
          profile: "",
          os: "linux",
          inherited: {},
          args: [],
          shellNames: ["PATH"],
          link: (path, target) => Deno.symlink(target, path),
          ...over,
        }),
      names: (dir = "") => [...Deno.readDirSync(join(home, dir))].map(({ name }) => name).sort(),
    });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

const text = (...path: string[]) => Deno.readTextFileSync(join(...path));

Deno.test("buildCodexHome() of an empty shared home: sessions, plugins, config.toml and nothing else", async () => {
  await world(async ({ base, home, build, names }) => {
    await build();
    assert.deepEqual(names(), ["config.toml", "plugins", "sessions"]);
    assert.ok(Deno.lstatSync(join(home, "sessions")).isDirectory);
    assert.equal(Deno.readLinkSync(join(home, "plugins", "cache")), join(base, "user/.codex/plugins/cache"));
    const before = Deno.statSync(join(home, "config.toml"));
    await build();
    assert.equal(
      Deno.statSync(join(home, "config.toml")).ino,
      before.ino,
      "an unchanged file is not written again",
    );
  });
});

Deno.test("buildCodexHome() refreshes copies, links the login, follows what the user took away", async () => {
  await world(async ({ home, shared, put, build }) => {
    await put("config.toml", 'model = "one"\n');
    await put("instructions.md", "be kind\n");
    await put("auth.json", "{}");
    await Deno.mkdir(home);
    await Deno.writeTextFile(join(home, "auth.json"), "stale");
    await build();
    assert.equal(Deno.readLinkSync(join(home, "auth.json")), join(shared, "auth.json"));
    assert.equal(text(home, "instructions.md"), "be kind\n");
    assert.equal(parse(text(home, "config.toml"))["model"], "one");
    await put("config.toml", 'model = "two"\n');
    await Deno.remove(join(shared, "instructions.md"));
    await build();
    assert.equal(parse(text(home, "config.toml"))["model"], "two");
    assert.throws(() => text(home, "instructions.md"), Deno.errors.NotFound);
    await build({ link: () => Promise.reject(new Error("no links")) });
    assert.equal(text(home, "auth.json"), "{}");
  });
});

Deno.test("buildCodexHome() shows the user's skills, the task's win over equal slugs", async () => {
  await world(async ({ base, home, put, build, names }) => {
    await put("skills/Go Style/SKILL.md", "user's");
    await put("skills/Go Style/extra.md", "user's");
    await put("skills/mine/SKILL.md", "mine");
    await put("skills/.system/SKILL.md", "hidden");
    await put("skills/note.txt", "no skill");
    await build({ skills: [skillOf("go style")] });
    assert.deepEqual(names("skills"), ["go-style", "mine"]);
    assert.deepEqual(names("skills/go-style"), ["SKILL.md"]);
    assert.equal(Deno.readLinkSync(join(home, "skills", "mine")), join(base, "user/.codex/skills/mine"));
    await build({ link: () => Promise.reject(new Error("no links")) });
    assert.deepEqual(names("skills"), ["Go Style", "mine"]);
    assert.ok(Deno.lstatSync(join(home, "skills", "mine")).isDirectory);
    await Deno.remove(join(base, "user/.codex/skills"), { recursive: true });
    await build();
    assert.ok(!names().includes("skills"));
  });
});

Deno.test("buildCodexHome() brings along files config.toml names; missing, escaping and reserved ones are errors", async () => {
  await world(async ({ home, put, build }) => {
    await put("prompts/base.md", "base");
    await put("config.toml", 'model_instructions_file = "prompts/base.md"\n');
    await build();
    assert.equal(text(home, "prompts", "base.md"), "base");
    for (const name of ["gone.md", "../out.md", "auth.json"]) {
      await put("config.toml", `model_instructions_file = "${name}"\n`);
      await assert.rejects(build(), HostError);
    }
  });
});

Deno.test("buildCodexHome() refuses planted links [f22]", async () => {
  await world(async ({ base, home, shared, put, build }) => {
    await Deno.writeTextFile(join(base, "secret"), "model = 1\n");
    await put("keep", "");
    await Deno.symlink(join(base, "secret"), join(shared, "config.toml"));
    await assert.rejects(build(), /outside of the home directory/);
    await Deno.remove(join(shared, "config.toml"));
    await build();
    await Deno.remove(join(home, "config.toml"));
    await Deno.symlink(join(base, "secret"), join(home, "config.toml"));
    await build();
    assert.equal(text(base, "secret"), "model = 1\n");
    assert.ok(Deno.lstatSync(join(home, "config.toml")).isFile);
    await Deno.rename(home, `${home}-away`);
    await Deno.symlink(`${home}-away`, home);
    await assert.rejects(build(), /is no directory/);
  });
});

Deno.test("sharedCodexHome() is absolute", () => {
  assert.equal(sharedCodexHome("/home/u", {}), "/home/u/.codex");
  assert.equal(sharedCodexHome("/home/u", { CODEX_HOME: " /c " }), "/c");
  assert.equal(sharedCodexHome("/home/u", { CODEX_HOME: "rel" }), join(Deno.cwd(), "rel"));
});
