import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { openFiles } from "../../../lib/core/mod.ts";
import { removeBriefBlock, writeBriefFile } from "../../../lib/workdir/brief_file.ts";
import {
  BRIEF_BEGIN,
  BRIEF_END,
  briefBlock,
  withBlock,
  withoutBlock,
} from "../../../lib/workdir/marker_block.ts";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");

Deno.test("withBlock() matches the chapter's bytes", () => {
  const fresh = withBlock(undefined, "X\n");
  assert.equal(fresh.length, 90);
  assert.equal(sha(fresh), "500aa02499eb37f981995177b8a3f4557014439e4c9e50699d2814b03703993e");
  const appended = withBlock("user\n", "X\n\n");
  assert.equal(appended.length, 97);
  assert.equal(sha(appended), "9a46537957db2c493eb7c191bb8cb1876e5bd2575fbac2e963ca0c224326baf4");
});

Deno.test("withBlock() repairs a half block, withoutBlock() removes it", () => {
  const half = `pre\n\n${BRIEF_BEGIN}\nhalf`;
  assert.equal(withBlock(half, "X"), `pre\n\n${briefBlock("X")}`);
  assert.equal(withoutBlock(half), "pre");
});

Deno.test("withoutBlock() keeps what stands around the block", () => {
  assert.equal(withoutBlock(`top\n\n\n${briefBlock("X")}tail\n`), "top\ntail\n");
  assert.equal(withoutBlock(`note\n\n${briefBlock("X")}`), "note");
  assert.equal(withoutBlock(`note\n\n${briefBlock("X")}`, false), "note\n\n");
  assert.equal(withoutBlock("nothing of ours"), "unchanged");
});

Deno.test("withBlock() takes a stray end marker for the user's own text", () => {
  const user = `a\n${BRIEF_END}\nb`;
  const twice = withBlock(withBlock(user, "X"), "Y");
  assert.equal(twice.split(BRIEF_BEGIN).length, 2);
  assert.equal(withoutBlock(twice, true), user);
});

const userText = fc.string({ unit: fc.constantFrom("a", "\n", "\r", " ", "é", "#", "🐴"), maxLength: 40 });
const briefs = fc.array(fc.string({ unit: fc.constantFrom("x", "\n", "`"), maxLength: 20 }), {
  minLength: 1,
  maxLength: 4,
});

Deno.test("any number of writes and one removal give the user's bytes back", () => {
  fc.assert(fc.property(fc.option(userText, { nil: undefined }), briefs, (user, texts) => {
    let file = user;
    for (const text of texts) {
      file = withBlock(file, text);
      assert.equal(withBlock(file, text), file);
    }
    assert.equal(withoutBlock(file!), user);
    assert.equal(withoutBlock(file!, user !== undefined), user);
  }));
});

Deno.test("writeBriefFile() and removeBriefBlock() leave the file and its mode as they were", async () => {
  const root = await Deno.makeTempDir();
  try {
    const files = await openFiles(root);
    for (
      const text of [
        undefined,
        "",
        "   \n",
        "no end",
        "one\n",
        "two\n\n",
        "four\n\n\n\n",
        "a\r\nb\r\n",
        "\ufeffbom",
      ]
    ) {
      const path = join(root, "CLAUDE.md");
      if (text !== undefined) await Deno.writeTextFile(path, text, { mode: 0o600 });
      const record = await writeBriefFile(files, path, "brief");
      await writeBriefFile(files, path, "another brief");
      await removeBriefBlock(files, record);
      if (text === undefined) assert.equal(await files.lstat(path), undefined);
      else {
        assert.equal(await Deno.readTextFile(path), text);
        assert.equal((await files.lstat(path))?.mode, 0o600);
        await Deno.remove(path);
      }
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("writeBriefFile() leaves a file alone that it could not give back byte for byte", async () => {
  const root = await Deno.makeTempDir();
  try {
    const path = join(root, "AGENTS.md");
    await Deno.writeFile(path, new Uint8Array([0x61, 0xff, 0x62]));
    await assert.rejects(
      async () => await writeBriefFile(await openFiles(root), path, "brief"),
      /not plain UTF-8/,
    );
    assert.deepEqual(await Deno.readFile(path), new Uint8Array([0x61, 0xff, 0x62]));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
