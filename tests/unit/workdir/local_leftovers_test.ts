import assert from "node:assert/strict";
import { join } from "node:path";
import { takeOutLeftovers } from "../../../lib/workdir/mod.ts";
import {
  claimed,
  skillOf,
  treeOf,
  withWorkdirs,
  type WorkdirWorld,
  WORKSPACE,
} from "../../helpers/workdir_world.ts";

const RUN = { taskId: claimed().id, workspaceId: WORKSPACE };
const FACTS = { resumed: false, sessionLost: false, slot: 0 };

/** A user's directory with a run in it that was killed: nothing of it is called any more. */
async function killedRun({ base, prepare }: WorkdirWorld) {
  const dir = join(base, "project");
  await Deno.mkdir(join(dir, ".claude"), { recursive: true });
  await Deno.writeTextFile(join(dir, "CLAUDE.md"), "# mine");
  const before = treeOf(dir);
  const run = await prepare(claimed(), { local: { path: dir, label: "" }, skills: [skillOf("Review")] });
  await run.brief(FACTS);
  assert.notDeepEqual(treeOf(dir), before);
  return { dir, before, manifest: join(run.root, ".multica_sidecar_manifest.json") };
}

Deno.test("takeOutLeftovers() gives a user's directory back as it was before the killed run, once [04.6]", () =>
  withWorkdirs(async (world) => {
    const { dir, before, manifest } = await killedRun(world);
    const { files } = JSON.parse(await Deno.readTextFile(manifest)) as { files: readonly string[] };
    await takeOutLeftovers([RUN], world.deps);
    assert.deepEqual(treeOf(dir), before);
    assert.throws(() => Deno.statSync(manifest), Deno.errors.NotFound);

    await Deno.mkdir(join(files[0]!, ".."), { recursive: true });
    await Deno.writeTextFile(files[0]!, "the user's by now");
    await takeOutLeftovers([RUN], world.deps);
    assert.equal(await Deno.readTextFile(files[0]!), "the user's by now");
  }));

Deno.test("takeOutLeftovers() keeps the record of a directory it cannot reach, and goes on with the next", () =>
  withWorkdirs(async (world) => {
    const { dir, before, manifest } = await killedRun(world);
    await Deno.rename(dir, `${dir}.away`);
    const unknown = { taskId: "01a01ec0-e69d-7000-8000-ffffffffffff", workspaceId: WORKSPACE };
    await takeOutLeftovers([{ taskId: "", workspaceId: "" }, RUN, unknown], world.deps);
    assert.ok(Deno.statSync(manifest).isFile);
    await Deno.rename(`${dir}.away`, dir);
    await takeOutLeftovers([unknown, RUN], world.deps);
    assert.deepEqual(treeOf(dir), before);
  }));

Deno.test("takeOutLeftovers() leaves directories of the host's own alone, and stops when it is told to", () =>
  withWorkdirs(async (world) => {
    const own = await world.prepare(claimed());
    await own.brief(FACTS);
    const before = treeOf(own.root);
    await takeOutLeftovers([RUN], world.deps);
    assert.deepEqual(treeOf(own.root), before);
    await own.close({ outcome: "completed", undelivered: false });
    await Deno.remove(own.root, { recursive: true });

    const { dir } = await killedRun(world);
    const left = treeOf(dir);
    await takeOutLeftovers([RUN], world.deps, AbortSignal.abort());
    assert.deepEqual(treeOf(dir), left);
  }));
