import assert from "node:assert/strict";
import { join } from "node:path";
import {
  brokeredFiles,
  FileFailed,
  FileRefused,
  inlineFiles,
  makeFresh,
  openFiles,
  pooledFiles,
  type WorkFiles,
} from "../../../lib/core/mod.ts";
import { runLocalOps } from "../../../lib/supervisor/local_files.ts";

async function withDirs(run: (root: string, outside: string) => Promise<void>): Promise<void> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(join(base, "root"));
    await Deno.mkdir(join(base, "outside"));
    await Deno.writeTextFile(join(base, "outside", "secret"), "s3cret");
    await run(join(base, "root"), join(base, "outside"));
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

const PRIMITIVES = [pooledFiles, inlineFiles];

/** All implementations keep the same promises. */
async function allWays(run: (files: WorkFiles, root: string, outside: string) => Promise<void>) {
  for (const io of PRIMITIVES) {
    await withDirs(async (root, outside) => await run(await openFiles(root, io), root, outside));
  }
  await withDirs(async (root, outside) => await run(brokeredFiles(root, runLocalOps), root, outside));
}

Deno.test("WorkFiles round trip: mkdir, create, read, replace, list, remove", async () => {
  await allWays(async (files, root) => {
    const dir = join(root, "a", "b");
    const file = join(dir, "x.txt");
    assert.equal(await files.read(file), undefined);
    assert.equal(await files.list(dir), undefined);
    await files.mkdir(dir);
    assert.equal(await files.create(file, "one", 0o600), true);
    assert.equal(await files.create(file, "two"), false);
    assert.equal(await files.read(file), "one");
    assert.equal((await files.lstat(file))?.mode, 0o600);
    await files.writeAtomic(file, "drei", { mode: 0o644 });
    assert.equal(await files.read(file), "drei");
    assert.deepEqual(await files.list(dir), [{ name: "x.txt", kind: "file" }]);
    await assert.rejects(files.remove(dir), FileFailed);
    assert.equal(await files.remove(file), true);
    assert.equal(await files.remove(file), false);
    assert.equal(await files.remove(join(root, "a"), { recursive: true }), true);
  });
});

Deno.test("WorkFiles [f22] a planted link is neither read nor written through", async () => {
  await allWays(async (files, root, outside) => {
    await Deno.symlink(join(outside, "secret"), join(root, "file"));
    await Deno.symlink(outside, join(root, "dir"));
    await assert.rejects(files.read(join(root, "file")));
    await assert.rejects(files.read(join(root, "dir", "secret")));
    await assert.rejects(files.list(join(root, "dir")));
    await assert.rejects(files.create(join(root, "dir", "new"), "x"));
    await assert.rejects(files.mkdir(join(root, "dir", "sub", "deeper")));
    await assert.rejects(files.writeAtomic(join(root, "dir", "secret"), "overwritten"));
    await assert.rejects(files.remove(join(root, "dir", "secret")));
    assert.equal(await files.create(join(root, "file"), "x"), false);
    assert.equal(await Deno.readTextFile(join(outside, "secret")), "s3cret");
    assert.deepEqual([...Deno.readDirSync(outside)].map((entry) => entry.name), ["secret"]);
    assert.equal((await files.lstat(join(root, "file")))?.kind, "link");
    assert.equal(await files.remove(join(root, "file")), true);
  });
});

Deno.test("DirectFiles replaces a link instead of following it", async () => {
  await withDirs(async (root, outside) => {
    const files = await openFiles(root);
    await Deno.symlink(join(outside, "secret"), join(root, "file"));
    await files.writeAtomic(join(root, "file"), "mine");
    assert.equal(await Deno.readTextFile(join(outside, "secret")), "s3cret");
    assert.equal(await files.read(join(root, "file")), "mine");
  });
});

Deno.test("DirectFiles refuses a dangling link on the way and names the path", async () => {
  await withDirs(async (root) => {
    const files = await openFiles(root);
    await Deno.symlink(join(root, "later"), join(root, "dangling"));
    await assert.rejects(files.mkdir(join(root, "dangling", "x")), (error: Error) => {
      return error instanceof FileRefused && error.message.includes("dangling");
    });
  });
});

Deno.test("WorkFiles refuses what is not plainly below its root", async () => {
  await allWays(async (files, root, outside) => {
    for (
      const path of [
        outside,
        `${root}/../outside/secret`,
        `${root}x`,
        "relative",
        `${root}/a/../b`,
        `${root}/a\0b`,
      ]
    ) {
      await assert.rejects(files.create(path, "x"));
    }
    await assert.rejects(files.remove(root, { recursive: true }));
  });
});

Deno.test("DirectFiles accepts the root under both of its names", async () => {
  await withDirs(async (root, outside) => {
    const alias = join(outside, "alias");
    await Deno.symlink(root, alias);
    const files = await openFiles(alias);
    assert.equal(files.root, root);
    await files.create(join(alias, "x"), "1");
    assert.equal(await files.read(join(root, "x")), "1");
  });
});

Deno.test("DirectFiles never waits on a pipe in place of a file", async () => {
  await withDirs(async (root) => {
    const made = await new Deno.Command("mkfifo", { args: [join(root, "pipe")] }).output();
    assert.equal(made.code, 0);
    const files = await openFiles(root);
    await assert.rejects(files.read(join(root, "pipe")), FileRefused);
  });
});

for (const io of PRIMITIVES) {
  const how = io === inlineFiles ? "in place" : "pooled";
  Deno.test(`makeFresh() (${how}) takes only what it made itself, and nothing for granted once shared [f22]`, () =>
    withDirs(async (root, outside) => {
      const parent = await openFiles(root, io);
      const path = join(root, "a", "fresh");
      const files = await makeFresh(parent, path, io);
      assert.ok(files !== undefined);
      assert.equal(await makeFresh(parent, path, io), undefined);
      await Deno.symlink(outside, join(root, "link"));
      await assert.rejects(makeFresh(parent, join(root, "link", "x"), io));
      // planted before the host makes its own directory of that name
      await Deno.symlink(outside, join(path, "planted"));
      await files.mkdir(join(path, "planted"));
      await assert.rejects(files.create(join(path, "planted", "x"), "x"), FileRefused);
      // an agent exchanges a directory of ours after it was let in
      await files.mkdir(join(path, "dir"));
      await files.create(join(path, "dir", "one"), "1");
      files.share();
      await Deno.rename(join(path, "dir"), join(path, "moved"));
      await Deno.symlink(outside, join(path, "dir"));
      await assert.rejects(files.create(join(path, "dir", "two"), "2"), FileRefused);
      assert.deepEqual([...Deno.readDirSync(outside)].map(({ name }) => name), ["secret"]);
    }));
}
