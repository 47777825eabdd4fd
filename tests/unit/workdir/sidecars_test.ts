import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { openFiles } from "../../../lib/core/mod.ts";
import { writeBriefFile } from "../../../lib/workdir/brief_file.ts";
import {
  type PlannedFile,
  readManifest,
  reclaimSkills,
  Sidecars,
  takeOut,
} from "../../../lib/workdir/sidecars.ts";

const refuse = (path: string): PlannedFile => ({ path, text: `ours ${path}`, onExisting: "refuse" });

async function world(
  run: (
    world: { env: string; work: string; start: (durable?: boolean) => Promise<Sidecars> },
  ) => Promise<void>,
) {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const env = join(base, "env");
  const work = join(base, "work");
  try {
    await Deno.mkdir(env);
    await Deno.mkdir(work);
    const start = async (durable = false) =>
      new Sidecars(await openFiles(work), {
        files: await openFiles(env),
        path: join(env, "manifest.json"),
        durable,
      });
    await run({ env, work, start });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

function tree(dir: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of Deno.readDirSync(dir)) {
    const path = join(dir, entry.name);
    const name = prefix + entry.name;
    if (entry.isDirectory) Object.assign(found, { [`${name}/`]: "" }, tree(path, `${name}/`));
    else found[name] = entry.isSymlink ? `-> ${Deno.readLinkSync(path)}` : Deno.readTextFileSync(path);
  }
  return found;
}

Deno.test("Sidecars.undo() gives back exactly the tree that was there", async () => {
  const name = fc.constantFrom("a", "b", "c");
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/") + ".f");
  const paths = fc.uniqueArray(path, { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(paths, paths, fc.boolean(), async (user, ours, durable) => {
      await world(async ({ work, start }) => {
        for (const file of user) {
          await Deno.mkdir(join(work, file, ".."), { recursive: true });
          await Deno.writeTextFile(join(work, file), `user ${file}`);
        }
        const before = tree(work);
        const sidecars = await start(durable);
        await sidecars.write(ours.map((file) => ({ ...refuse(file), onExisting: "keep" as const })), false);
        await sidecars.undo();
        await sidecars.undo();
        assert.deepEqual(tree(work), before);
      });
    }),
    { numRuns: 25 },
  );
});

Deno.test("Sidecars keeps what the user added meanwhile, and the directories it is in", async () => {
  await world(async ({ work, start }) => {
    const sidecars = await start();
    await sidecars.write([refuse("x/y/ours"), refuse("x/z/ours")], false);
    await Deno.writeTextFile(join(work, "x/y/theirs"), "t");
    await sidecars.undo();
    assert.deepEqual(tree(work), { "x/": "", "x/y/": "", "x/y/theirs": "t" });
  });
});

Deno.test("Sidecars [f22] writes nothing through links and never overwrites", async () => {
  await world(async ({ env, work, start }) => {
    await Deno.symlink(env, join(work, "dir"));
    await Deno.symlink(join(env, "nowhere"), join(work, "dangling"));
    const first = await start();
    await assert.rejects(first.write([refuse("dir/x")], false));
    const second = await start();
    await assert.rejects(
      second.write([refuse("ok"), refuse("dangling")], false),
      /something is there already/,
    );
    await second.undo();
    assert.deepEqual(tree(work), { dir: `-> ${env}`, dangling: `-> ${join(env, "nowhere")}` });
  });
});

Deno.test("Sidecars in a user's directory is on record before the first file is written", async () => {
  await world(async ({ env, work, start }) => {
    const sidecars = await start(true);
    await Deno.writeTextFile(join(work, "mine"), "user");
    await sidecars.write([{ ...refuse("mine"), onExisting: "keep" }, refuse("x/ours")], false);
    await sidecars.noteBrief(await writeBriefFile(await openFiles(work), join(work, "CLAUDE.md"), "b"));
    // the host dies here; the next one knows only the file
    const manifest = await readManifest(await openFiles(env), join(env, "manifest.json"));
    assert.equal(manifest?.localDirectory, work);
    await takeOut(await openFiles(work), manifest!);
    assert.deepEqual(tree(work), { mine: "user" });
  });
});

Deno.test("Sidecars refuses to touch a user's directory when it cannot keep the record", async () => {
  await world(async ({ env, work, start }) => {
    const sidecars = await start(true);
    await Deno.remove(env);
    await assert.rejects(sidecars.write([refuse("x/ours")], false));
    assert.deepEqual(tree(work), {});
    await Deno.mkdir(env);
  });
});

Deno.test("readManifest() reads the other daemon's form and names a torn file", async () => {
  await world(async ({ env }) => {
    const files = await openFiles(env);
    const path = join(env, "manifest.json");
    assert.equal(await readManifest(files, path), undefined);
    await Deno.writeTextFile(path, "{}");
    assert.deepEqual(await readManifest(files, path), { files: [], dirs: [] });
    await Deno.writeTextFile(path, '{"files":["/x"]');
    await assert.rejects(readManifest(files, path), /manifest\.json/);
  });
});

Deno.test("takeOut() of a manifest with foreign paths deletes nothing outside the work directory", async () => {
  await world(async ({ env, work }) => {
    await Deno.writeTextFile(join(env, "secret"), "s");
    const manifest = { files: [join(env, "secret"), `${work}/../env/secret`], dirs: [env] };
    await assert.rejects(takeOut(await openFiles(work), manifest));
    assert.deepEqual(tree(env), { secret: "s" });
  });
});

Deno.test("reclaimSkills() clears recorded skill directories and leaves the agent's own", async () => {
  await world(async ({ work, start }) => {
    const sidecars = await start();
    await sidecars.write([refuse(".claude/skills/ours/SKILL.md")], false);
    await Deno.writeTextFile(join(work, ".claude/skills/ours/stray"), "x");
    await Deno.mkdir(join(work, ".claude/skills/theirs"));
    await reclaimSkills(await openFiles(work), sidecars.manifest, ".claude/skills");
    assert.deepEqual(Object.keys(tree(join(work, ".claude/skills"))), ["theirs/"]);
  });
});
