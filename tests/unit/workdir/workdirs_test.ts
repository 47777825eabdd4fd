import assert from "node:assert/strict";
import { basename, join } from "node:path";
import type { WorkdirPort } from "../../../lib/tasks/mod.ts";
import { HostError } from "../../../lib/core/mod.ts";
import type { Workdirs } from "../../../lib/workdir/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { claimed, skillOf, treeOf, withWorkdirs, WORKSPACE } from "../../helpers/workdir_world.ts";

const FACTS = { resumed: false, sessionLost: false, slot: 0 };
const DONE = { outcome: "completed", undelivered: false } as const;

/** The room fits what a task's run asks for: a type error here is a broken contract. */
export const fits = (rooms: Workdirs): WorkdirPort => rooms;

Deno.test("Workdirs.prepare() lays out a fresh root with nothing of a repository in it", async () => {
  await withWorkdirs(async ({ root, prepare }) => {
    const env = await prepare(claimed(), { skills: [skillOf("Go Style")] });
    assert.equal(env.root, join(root, WORKSPACE, "0123456789ab"));
    assert.equal(env.workDir, join(env.root, "workdir"));
    assert.equal(env.reused, false);
    await env.brief(FACTS);
    const names = [...Deno.readDirSync(env.workDir)].map(({ name }) => name).sort();
    assert.deepEqual(names, [".agent_context", ".claude", ".multica", "CLAUDE.md"]);
    assert.deepEqual(env.skillsWritten, ["go-style"]);
    for (const dir of ["output", "logs", "multica-config"]) {
      assert.ok(Deno.statSync(join(env.root, dir)).isDirectory);
    }
    assert.equal(Deno.readTextFileSync(join(env.root, ".task_owner")), claimed().id);
    const meta = JSON.parse(Deno.readTextFileSync(join(env.root, ".gc_meta.json")));
    assert.deepEqual(meta, { kind: "issue", issue_id: "issue-1", workspace_id: WORKSPACE });
    assert.equal(Deno.statSync(env.tempDir).mode! & 0o777, 0o700);
    assert.equal(env.env.TMPDIR, env.tempDir);
    await env.close(DONE);
    await env.close(DONE);
    assert.match(Deno.readTextFileSync(join(env.root, ".gc_meta.json")), /"completed_at":"2026-01-01/);
    assert.throws(() => Deno.statSync(env.tempDir), Deno.errors.NotFound);
    assert.ok(JSON.parse(Deno.readTextFileSync(join(root, ".multica/daemon_task_context.json"))).managed_by);
  });
});

Deno.test("Workdirs.prepare() ids with equal first digits get roots of their own", async () => {
  await withWorkdirs(async ({ prepare }) => {
    const one = await prepare(claimed({ id: "01a01ec0-e69d-7000-8000-000000000001" }));
    const two = await prepare(claimed({ id: "01a01ec0-e69d-7000-8000-000000000002" }));
    assert.notEqual(one.root, two.root);
    await Promise.all([one.close(DONE), two.close(DONE)]);
  });
});

Deno.test("Workdirs.prepare() concurrent claims of one root have one winner; a rerun resets its own root", async () => {
  await withWorkdirs(async ({ prepare }) => {
    const outcomes = await Promise.allSettled([prepare(claimed()), prepare(claimed())]);
    const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
    assert.equal(won.length, 1);
    const env = won[0]!.value;
    await Deno.writeTextFile(join(env.workDir, "left"), "x");
    await env.close(DONE);
    const again = await prepare(claimed());
    assert.equal(again.root, env.root);
    assert.throws(() => Deno.statSync(join(env.workDir, "left")), Deno.errors.NotFound);
    await again.close(DONE);
  });
});

Deno.test("Workdirs.prepare() never wipes a foreign owner, nor content without one", async () => {
  await withWorkdirs(async ({ root, prepare }) => {
    const env = join(root, WORKSPACE, "0123456789ab");
    await Deno.mkdir(join(env, "workdir"), { recursive: true });
    await Deno.writeTextFile(join(env, "workdir", "work"), "x");
    await assert.rejects(prepare(claimed()), /prepare execution environment: .*no owner/);
    await Deno.writeTextFile(join(env, ".task_owner"), "another-task");
    await assert.rejects(prepare(claimed()), /belongs to task another-task/);
    assert.equal(Deno.readTextFileSync(join(env, "workdir", "work")), "x");
    await Deno.remove(join(env, "workdir"), { recursive: true });
    await Deno.writeTextFile(join(env, ".task_owner"), "");
    await (await prepare(claimed())).close(DONE);
  });
});

Deno.test("Workdirs.prepare() [R44] goes on in the earlier directory, clean skills included", async () => {
  await withWorkdirs(async ({ root, prepare }) => {
    const skills = [skillOf("Review", "old"), skillOf("Gone")];
    const first = await prepare(claimed(), { skills });
    await first.brief(FACTS);
    await Deno.writeTextFile(join(first.workDir, "repo"), "mine");
    await Deno.writeTextFile(join(first.workDir, ".claude/skills/review/stray"), "x");
    await first.close(DONE);
    const next = claimed({
      id: "01a01ec0-e69d-7000-8000-0000000000ff",
      prior_work_dir: first.workDir,
      prior_session_id: "s-1",
    });
    const second = await prepare(next, { skills: [skillOf("Review", "new")] });
    assert.equal(second.workDir, first.workDir);
    assert.deepEqual([second.reused, second.isPriorWorkDir, second.resumeSessionId, second.resumeLost], [
      true,
      true,
      "s-1",
      false,
    ]);
    const tree = treeOf(second.workDir);
    assert.equal(tree.repo, "mine");
    assert.deepEqual(
      Object.keys(tree).filter((name) => name.startsWith(".claude/skills/") && !name.endsWith("/")),
      [
        ".claude/skills/review/SKILL.md",
      ],
    );
    assert.match(tree[".claude/skills/review/SKILL.md"]!, /new$/);
    assert.deepEqual([...Deno.readDirSync(join(root, WORKSPACE))].map(({ name }) => name), [
      basename(first.root),
    ]);
    await second.close(DONE);
  });
});

Deno.test("Workdirs.prepare() [R44, f22] starts fresh where the earlier directory is not safely ours", async () => {
  await withWorkdirs(async ({ base, root, prepare }) => {
    const first = await prepare(claimed());
    await first.close(DONE);
    let count = 0;
    const followUp = async (fields: Readonly<Record<string, unknown>>) => {
      const id = `01a01ec0-e69d-7000-8000-1${String(++count).padStart(11, "0")}`;
      const env = await prepare(
        claimed({ id, prior_session_id: "s", prior_work_dir: first.workDir, ...fields }),
      );
      await env.close(DONE);
      assert.deepEqual([env.reused, env.isPriorWorkDir, env.resumeSessionId, env.resumeLost], [
        false,
        false,
        "",
        true,
      ]);
    };
    await followUp({ issue_id: "issue-2" });
    await followUp({ issue_id: "", chat_session_id: "chat-1" });
    await followUp({ agent_id: "agent-2", agent: { id: "agent-2", name: "B" } });
    await followUp({ workspace_id: "another-workspace" });
    await followUp({ prior_work_dir: first.root });
    await followUp({ prior_work_dir: join(first.workDir, ".multica") });
    await followUp({ prior_work_dir: join(root, "gone", "x", "workdir") });
    await followUp({ prior_work_dir: "relative/workdir" });
    await followUp({ prior_work_dir: join(base, "users") });
    const outside = join(base, "outside");
    await Deno.rename(first.workDir, outside);
    await Deno.symlink(outside, first.workDir);
    await followUp({});
    await Deno.remove(first.workDir);
    await Deno.rename(outside, first.workDir);
    await Deno.writeTextFile(join(first.root, ".managed_env.json"), "{torn");
    await followUp({});
  });
});

/** Resolves when somebody waits on the clock. */
async function waiting(clock: FakeClock): Promise<void> {
  while (clock.pending === 0) await clock.advance(0, { io: true });
}

Deno.test("Workdirs.prepare() waits for its predecessor to leave the earlier directory, and goes on in it", async () => {
  const clock = new FakeClock();
  await withWorkdirs(async ({ prepare }) => {
    const first = await prepare(claimed());
    const second = prepare(
      claimed({ id: "01a01ec0-e69d-7000-8000-0000000000ff", prior_work_dir: first.workDir }),
    );
    await waiting(clock);
    await first.close(DONE);
    assert.equal((await second).reused, true);
    assert.equal((await second).workDir, first.workDir);
    assert.equal(clock.pending, 0);
    await (await second).close(DONE);
  }, { clock });
});

Deno.test("Workdirs.prepare() starts fresh when another run stays in the earlier directory", async () => {
  const clock = new FakeClock();
  await withWorkdirs(async ({ prepare }) => {
    const first = await prepare(claimed());
    const second = prepare(
      claimed({ id: "01a01ec0-e69d-7000-8000-0000000000ff", prior_work_dir: first.workDir }),
    );
    await waiting(clock);
    await clock.advance(20_000);
    assert.equal((await second).reused, false);
    await first.close(DONE);
    await (await second).close(DONE);
  }, { clock });
});

Deno.test("Workdirs.prepare() leaves nothing in a user's directory, whatever happens", async () => {
  await withWorkdirs(async ({ base, rooms, prepare }) => {
    const dir = join(base, "project");
    await Deno.mkdir(join(dir, ".claude/skills/review"), { recursive: true });
    await Deno.writeTextFile(join(dir, ".claude/skills/review/SKILL.md"), "user's own");
    await Deno.writeTextFile(join(dir, "CLAUDE.md"), "# mine");
    const before = treeOf(dir);
    const task = claimed({
      project_resources: [{
        id: "r",
        resource_type: "local_directory",
        resource_ref: { local_path: dir, daemon_id: "daemon-1" },
      }],
    });
    const local = await rooms.localDirectory(task, new AbortController().signal);
    assert.deepEqual(local, { path: dir, label: "project" });
    const env = await prepare(task, { local: local!, skills: [skillOf("Review")] });
    await env.brief(FACTS);
    assert.deepEqual(env.skillsWritten, ["review-multica"]);
    assert.equal(env.workDir, dir);
    assert.throws(() => Deno.statSync(join(env.root, "workdir")), Deno.errors.NotFound);
    assert.notDeepEqual(treeOf(dir), before);
    await env.cleanup();
    await env.cleanup();
    assert.deepEqual(treeOf(dir), before);
    await env.close(DONE);

    const broken = [skillOf("A"), skillOf("B", "x", { "../../escape": "x" })];
    await assert.rejects(prepare(claimed({ id: "t2" }), { local: local!, skills: broken }), HostError);
    assert.deepEqual(treeOf(dir), before);
  });
});

Deno.test("Workdirs.prepare() takes out of a user's directory what a killed host left there", async () => {
  await withWorkdirs(async ({ base, prepare, deps }) => {
    const dir = join(base, "project");
    await Deno.mkdir(dir);
    const local = { path: dir, label: "project" };
    const killed = await prepare(claimed(), { local });
    await killed.brief(FACTS);
    assert.ok(Object.keys(treeOf(dir)).length > 0);
    // nothing of `killed` is called any more: a new room knows only what is on disk
    const { Workdirs: Room } = await import("../../../lib/workdir/mod.ts");
    const next = await (await Room.open(deps)).prepare({
      task: claimed(),
      target: { provider: "claude", prefixArgs: [] },
      skills: [],
      local,
      signal: new AbortController().signal,
    });
    await next.cleanup();
    assert.deepEqual(treeOf(dir), {});
    await next.close(DONE);
  });
});

Deno.test("Workdirs session gate: the same user directory is the same conversation", async () => {
  await withWorkdirs(async ({ base, prepare }) => {
    const dir = join(base, "project");
    await Deno.mkdir(dir);
    const env = await prepare(claimed({ prior_work_dir: `${dir}/`, prior_session_id: "s" }), {
      local: { path: dir, label: "" },
    });
    assert.equal(env.resumeSessionId, "s");
    await env.cleanup();
    await env.close(DONE);
  });
});

Deno.test("Workdirs.localDirectory() follows the assignment of this machine or says why not", async () => {
  await withWorkdirs(async ({ base, home, rooms }) => {
    const { signal } = new AbortController();
    const dir = join(base, "project");
    await Deno.mkdir(dir);
    const assigned = (
      refs: readonly Record<string, unknown>[],
      fields: Readonly<Record<string, unknown>> = {},
    ) =>
      rooms.localDirectory(
        claimed({
          ...fields,
          project_resources: refs.map((resource_ref, id) => ({
            id: String(id),
            resource_type: "local_directory",
            resource_ref,
          })),
        }),
        signal,
      );
    const mine = { local_path: dir, daemon_id: "daemon-1" };
    assert.equal(await assigned([{ ...mine, daemon_id: "other" }]), undefined);
    assert.equal(await assigned([mine], { is_leader_task: true, leader_role_resolved: true }), undefined);
    assert.equal((await assigned([{ ...mine, label: "Shop" }]))?.label, "Shop");
    const refused: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ local_path: dir }, /names no daemon/],
      [{ ...mine, local_path: "" }, /path is empty/],
      [{ ...mine, local_path: "x/y" }, /absolute/],
      [{ ...mine, execution_mode: "worktree" }, /in place only/],
      [{ ...mine, execution_mode: "magic" }, /unknown execution mode/],
      [{ ...mine, local_path: home }, /home directory/],
      [{ ...mine, local_path: "/etc" }, /protected system root/],
      [{ ...mine, local_path: join(base, "missing") }, /does not exist/],
    ];
    for (const [ref, why] of refused) {
      await assert.rejects(assigned([ref]), (error: unknown) => {
        return error instanceof HostError && error.code === "local_directory_error" &&
          why.test(error.message);
      });
    }
    await assert.rejects(assigned([mine, { ...mine, local_path: "/other" }]), /two directories/);
  });
});

Deno.test("Workdirs.lock() [R46] chat tasks share a user's directory", async () => {
  await withWorkdirs(async ({ base, rooms }) => {
    const { signal } = new AbortController();
    const dir = join(base, "project");
    await Deno.mkdir(dir);
    const resources = [{
      id: "r",
      resource_type: "local_directory",
      resource_ref: { local_path: dir, daemon_id: "daemon-1" },
    }];
    const chat = await rooms.localDirectory(
      claimed({ chat_session_id: "c", project_resources: resources }),
      signal,
    );
    const issue = await rooms.localDirectory(claimed({ project_resources: resources }), signal);
    const options = { signal, onBusy: () => assert.fail("busy") };
    const release = await rooms.lock(issue!, "t1", options);
    await rooms.lock(chat!, "t2", options);
    release();
  });
});

Deno.test("Workdirs.reserve() [R38] marks the task's root and the earlier one until released", async () => {
  await withWorkdirs(async ({ root, rooms }) => {
    const own = join(root, WORKSPACE, "0123456789ab");
    const prior = join(root, WORKSPACE, "prior");
    const release = rooms.reserve(claimed({ prior_work_dir: join(prior, "workdir") }));
    assert.ok(rooms.active.isActive(own) && rooms.active.isActive(prior));
    assert.equal(
      await rooms.active.deleteUnlessActive(own, () => Promise.reject(new Error("deleted"))),
      false,
    );
    release();
    release();
    assert.ok(!rooms.active.isActive(own));
    assert.equal(await rooms.active.deleteUnlessActive(own, () => Promise.resolve()), true);
  });
});

Deno.test("Workdirs.prepare() waits for a deletion that began before", async () => {
  await withWorkdirs(async ({ root, rooms, prepare }) => {
    const own = join(root, WORKSPACE, "0123456789ab");
    const gate = Promise.withResolvers<void>();
    const deleting = rooms.active.deleteUnlessActive(own, () => gate.promise);
    let ready = false;
    const preparing = prepare(claimed()).then((env) => {
      ready = true;
      return env;
    });
    await Promise.resolve();
    assert.equal(ready, false);
    gate.resolve();
    await deleting;
    await (await preparing).close(DONE);
  });
});

Deno.test("Workdirs.prepare() of an aborted task gives the root back", async () => {
  await withWorkdirs(async ({ rooms, prepare, temp }) => {
    const abort = new AbortController();
    const making = rooms.prepare({
      task: claimed(),
      target: { provider: "claude", prefixArgs: [] },
      skills: [],
      local: undefined,
      signal: abort.signal,
    });
    abort.abort(new Error("stop"));
    await assert.rejects(making, /stop/);
    assert.deepEqual([...Deno.readDirSync(temp)], []);
    await (await prepare(claimed())).close(DONE);
  });
});

Deno.test("Workdirs.prepare() an unknown provider has no brief file, and skills where they can be found", async () => {
  await withWorkdirs(async ({ prepare }) => {
    const env = await prepare(claimed(), { provider: "nobody", skills: [skillOf("A")] });
    const text = await env.brief(FACTS);
    assert.match(text, /\.agent_context\/skills/);
    assert.deepEqual([...Deno.readDirSync(env.workDir)].map(({ name }) => name).sort(), [
      ".agent_context",
      ".multica",
    ]);
    await env.close(DONE);
  });
});
