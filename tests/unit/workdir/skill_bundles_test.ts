import assert from "node:assert/strict";
import { join } from "node:path";
import { RequestError, type Skill, skillManifest, type SkillRef } from "../../../lib/control/mod.ts";
import { openFiles } from "../../../lib/core/mod.ts";
import { SkillBundles, SkillUnavailable } from "../../../lib/workdir/skill_bundles.ts";
import { SkillCache } from "../../../lib/workdir/skill_cache.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claimed, skillOf, treeOf } from "../../helpers/workdir_world.ts";

function bundleOf(name: string, content = "main", source = "workspace"): Skill {
  const plain = { ...skillOf(name, content, { "rules.md": "rules" }), source };
  const { hash, size_bytes } = skillManifest(plain);
  return { ...plain, hash, size_bytes };
}

function refOf(bundle: Skill): SkillRef {
  const { id, source, name, description, hash, size_bytes, files } = bundle;
  return { id, source, name, description, hash, size_bytes, file_count: files.length, files: [] };
}

interface World {
  readonly root: string;
  readonly cache: SkillCache;
  readonly asked: string[];
  resolve(refs: readonly SkillRef[], signal?: AbortSignal): Promise<readonly Skill[]>;
}

type Answer = (ref: SkillRef, attempt: number) => readonly Skill[];

async function world(answer: Answer, run: (world: World) => Promise<void>) {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    const cache = new SkillCache(await openFiles(root));
    const asked: string[] = [];
    const clock = new FakeClock();
    const control = {
      resolveSkills: (_runtime: string, _task: string, refs: readonly SkillRef[]) => {
        asked.push(refs[0]!.name);
        return Promise.resolve(answer(refs[0]!, asked.length));
      },
    };
    const instant = {
      ...clock,
      now: () => 0,
      monotonic: () => 0,
      timer: (_ms: number, fn: () => void) => {
        queueMicrotask(fn);
        return { cancel: () => {} };
      },
    };
    const bundles = new SkillBundles({ control, cache, clock: instant });
    const agent = (refs: readonly SkillRef[]) => ({ id: "agent-1", name: "R", skill_refs: refs });
    await run({
      root,
      cache,
      asked,
      resolve: (refs, signal = new AbortController().signal) =>
        bundles.resolve(claimed({ agent: agent(refs) }), signal),
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const refused = (status: number) => new RequestError({ method: "POST", path: "/x", status, body: "no" });

Deno.test("SkillBundles asks once a missing skill, keeps the order, and the cache answers next time [C11.7]", async () => {
  const all = [bundleOf("one"), bundleOf("two")];
  await world((ref) => all.filter(({ id }) => id === ref.id), async ({ asked, resolve }) => {
    const refs = all.map(refOf);
    assert.deepEqual((await resolve(refs)).map(({ name }) => name), ["one", "two"]);
    assert.deepEqual(asked.sort(), ["one", "two"]);
    assert.deepEqual((await resolve([...refs].reverse())).map(({ name }) => name), ["two", "one"]);
    assert.equal(asked.length, 2);
  });
});

Deno.test("SkillCache [R48] round-trips, and deletes what was tampered with", async () => {
  const bundle = bundleOf("one");
  await world(() => [], async ({ root, cache }) => {
    await cache.store("ws-1", bundle);
    assert.deepEqual(await cache.load("ws-1", refOf(bundle)), bundle);
    const [path] = Object.keys(treeOf(root)).filter((name) => name.endsWith("bundle.json"));
    assert.match(path!, /^\.skill-cache\/v1\/ws-1\/workspace\/one\/sha256_[0-9a-f]{64}\/bundle\.json$/);
    const file = join(root, path!);
    for (const text of [JSON.stringify({ ...bundle, content: "evil" }), "{torn"]) {
      await Deno.writeTextFile(file, text);
      assert.equal(await cache.load("ws-1", refOf(bundle)), undefined);
      assert.throws(() => Deno.statSync(file), Deno.errors.NotFound);
    }
  });
});

Deno.test("SkillBundles takes a newer bundle of a workspace skill, but not of a plugin's [C11.7]", async () => {
  const newer = bundleOf("one", "newer");
  await world(() => [newer], async ({ resolve }) => {
    assert.equal((await resolve([refOf(bundleOf("one"))]))[0]!.content, "newer");
  });
  const plugin = bundleOf("one", "newer", "plugin");
  await world(() => [plugin], async ({ resolve, asked }) => {
    await assert.rejects(resolve([refOf(bundleOf("one", "old", "plugin"))]), SkillUnavailable);
    assert.equal(asked.length, 1);
  });
});

Deno.test("SkillBundles tries transient trouble three times, a refusal and a wrong answer once [C11.7]", async () => {
  const bundle = bundleOf("one");
  await world((_, attempt) => {
    if (attempt < 3) throw refused(503);
    return [bundle];
  }, async ({ asked, resolve }) => {
    await resolve([refOf(bundle)]);
    assert.equal(asked.length, 3);
  });
  for (
    const answer of [
      () => {
        throw refused(404);
      },
      () => [bundleOf("other")],
      () => [{ ...bundle, content: "x" }],
    ]
  ) {
    await world(answer, async ({ asked, resolve }) => {
      await assert.rejects(resolve([refOf(bundle)]), (error: unknown) => {
        return error instanceof SkillUnavailable && error.code === "skill_bundle_unavailable" &&
          error.message.includes('"one"') && error.message.includes(`${bundle.size_bytes} bytes`);
      });
      assert.equal(asked.length, 1);
    });
  }
});

Deno.test("SkillBundles uses a bundle it cannot keep [C11.7]", async () => {
  const bundle = bundleOf("one");
  await world(() => [bundle], async ({ root, resolve }) => {
    await Deno.writeTextFile(join(root, ".skill-cache"), "in the way");
    assert.equal((await resolve([refOf(bundle)]))[0]!.content, "main");
  });
});
