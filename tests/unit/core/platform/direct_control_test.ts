import assert from "node:assert/strict";
import { type Child, DirectProcessControl, launch, type ProcessGroup } from "../../../../lib/core/mod.ts";

const control = new DirectProcessControl();
const ignore = Deno.build.os !== "linux";

interface Started {
  readonly child: Child;
  readonly group: ProcessGroup;
  /** Resolves with everything printed so far as soon as it holds `count` lines. */
  readonly lines: (count: number) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

/** Starts a shell script as the leader of a marked, registered group. */
function start(script: string): Started {
  const marker = `TEST_RUN=${crypto.randomUUID()}`;
  const child = launch({
    executable: "/bin/sh",
    args: ["-c", script],
    env: { PATH: "/usr/bin:/bin", TEST_RUN: marker.slice("TEST_RUN=".length) },
  });
  const group = { pid: child.pid, marker };
  control.started(group);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const lines = async (count: number) => {
    while (text.split("\n").length <= count) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
    }
    return text.split("\n").slice(0, -1);
  };
  const close = async () => {
    await reader.cancel();
    await child.stderr.cancel();
    await child.status;
  };
  return { child, group, lines, close };
}

/** True while the process runs; a zombie (pid 1 of a container may be slow to wait for it) does not. */
function alive(pid: number): boolean {
  const { stdout } = new Deno.Command("/bin/sh", { args: ["-c", `cat /proc/${pid}/stat 2>/dev/null`] })
    .outputSync();
  const stat = new TextDecoder().decode(stdout);
  return stat !== "" && !/\) [ZX] /.test(stat);
}

Deno.test({
  name: "DirectProcessControl ends a polite tree with TERM alone [N-13]",
  ignore,
  async fn() {
    const run = start("sleep 100 & echo $!; wait");
    const [grandchild] = await run.lines(1);
    const report = await control.end(run.group, { graceMs: 5000 });
    assert.deepEqual({ ...report, leftovers: [] }, { empty: true, killed: false, leftovers: [] });
    assert.equal(alive(Number(grandchild)), false);
    assert.equal(await control.groupEmpty(run.group), true);
    await run.close();
  },
});

Deno.test({
  name: "DirectProcessControl kills a tree that ignores TERM after the grace [N-13][f08]",
  ignore,
  async fn() {
    const run = start(
      "trap '' TERM; (trap '' TERM; echo up; while :; do sleep 100; done) & echo up; while :; do sleep 100; done",
    );
    await run.lines(2);
    const report = await control.end(run.group, { graceMs: 50 });
    assert.equal(report.empty, true);
    assert.equal(report.killed, true);
    await run.close();
  },
});

Deno.test({
  name:
    "DirectProcessControl finds a grandchild in a session of its own by the marker, leader long gone [N-13][f08]",
  ignore,
  async fn() {
    const run = start(
      "setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 100; done' & sleep 0; exit 0",
    );
    const [escaped] = await run.lines(1);
    await run.child.status;
    assert.equal(await control.groupEmpty(run.group), true);
    const report = await control.end(run.group, { graceMs: 50 });
    assert.equal(report.empty, true);
    assert.equal(report.killed, true);
    assert.ok(report.leftovers.includes(Number(escaped)));
    assert.equal(alive(Number(escaped)), false);
    await run.close();
  },
});

Deno.test({
  name: "DirectProcessControl finds a double-forked daemon [f08]",
  ignore,
  async fn() {
    const run = start("(setsid sh -c '(exec sleep 100) & echo $!' &) ; wait; sleep 100");
    const [daemon] = await run.lines(1);
    const report = await control.end(run.group, { graceMs: 5000 });
    assert.equal(report.empty, true);
    assert.equal(alive(Number(daemon)), false);
    await run.close();
  },
});

Deno.test({
  name: "DirectProcessControl follows the parent chain where the environment was cleared",
  ignore,
  async fn() {
    const run = start("setsid env -i /bin/sh -c 'echo $$; exec sleep 100' & wait");
    const [cleared] = await run.lines(1);
    assert.ok((await control.cpuTime(run.group))! >= 0);
    const report = await control.end(run.group, { graceMs: 5000 });
    assert.equal(report.empty, true);
    assert.equal(alive(Number(cleared)), false);
    await run.close();
  },
});

Deno.test({
  name: "DirectProcessControl returns at once for an empty tree and forgets it",
  ignore,
  async fn() {
    const run = start("exit 0");
    await run.child.status;
    assert.deepEqual(await control.end(run.group, { graceMs: 5000 }), {
      empty: true,
      leftovers: [],
      killed: false,
    });
    assert.ok(!control.groups().some((group) => group.pid === run.group.pid));
    await run.close();
  },
});

Deno.test({
  name: "DirectProcessControl spares a stranger that has the group's number [f11]",
  ignore,
  async fn() {
    const run = start("echo up; sleep 100");
    await run.lines(1);
    const stranger = { pid: run.child.pid, marker: "TEST_RUN=someone-else" };
    assert.deepEqual(await control.end(stranger, { graceMs: 0, proofMs: 10 }), {
      empty: true,
      leftovers: [],
      killed: false,
    });
    assert.equal(alive(run.child.pid), true);
    assert.equal((await control.end(run.group, { graceMs: 0 })).empty, true);
    await run.close();
  },
});

Deno.test({
  name: "DirectProcessControl lets a second request shorten the grace",
  ignore,
  async fn() {
    const run = start("trap '' TERM; echo up; while :; do sleep 100; done");
    await run.lines(1);
    const first = control.end(run.group, { graceMs: 600_000 });
    const second = control.end(run.group, { graceMs: 0 });
    assert.equal((await first).killed, true);
    assert.equal((await second).empty, true);
    await run.close();
  },
});

Deno.test({
  name: "DirectProcessControl sums the CPU time of a tree",
  ignore,
  async fn() {
    const run = start("sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo up; sleep 100' & wait");
    await run.lines(1);
    assert.ok((await control.cpuTime(run.group))! >= 20);
    await control.end(run.group, { graceMs: 0 });
    assert.equal(await control.cpuTime(run.group), undefined);
    await run.close();
  },
});
