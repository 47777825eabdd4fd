import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../lib/core/mod.ts";
import { DirectoryLocks, type Ticket } from "../../../lib/supervisor/directory_locks.ts";

/** Hosts by pid over one directory; `living` says which of them run. */
async function withHosts(
  work: (hosts: { host: (pid: number) => DirectoryLocks; living: Set<number>; dir: string }) => Promise<void>,
): Promise<void> {
  const base = await Deno.makeTempDir();
  const dir = join(base, "local_directories");
  const living = new Set([1, 2]);
  const alive = ({ pid }: Ticket) => Promise.resolve(living.has(pid));
  try {
    const host = (pid: number) => new DirectoryLocks({ dir, pid, port: pid, alive, clock: systemClock });
    await work({ host, living, dir });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

const HELD = { held: true };

Deno.test("DirectoryLocks refuses a directory, and what lies above or below it, that another living host has [04.10]", () =>
  withHosts(async ({ host, dir }) => {
    const [first, second] = [host(1), host(2)];
    assert.deepEqual(await first.take("/w/project", "t1"), HELD);
    for (const path of ["/w/project", "/w", "/w/project/sub"]) {
      assert.deepEqual(await second.take(path, "t2"), { held: false, holder: "t1" });
    }
    assert.deepEqual(await second.take("/w/projects", "t2"), HELD);
    second.release("/w/projects", "t2");
    first.release("/w/project", "t1");
    first.release("/w/project", "t1");
    assert.deepEqual(await second.take("/w/project", "t2"), HELD);
    second.releaseAll();
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  }));

Deno.test("DirectoryLocks takes over what a dead host left, and ignores what it cannot read", () =>
  withHosts(async ({ host, living, dir }) => {
    await host(1).take("/w/project", "t1");
    await Deno.writeTextFile(join(dir, "9-x.json"), "{");
    assert.equal((await host(2).take("/w/project", "t2")).held, false);
    living.delete(1);
    assert.deepEqual(await host(2).take("/w/project", "t2"), HELD);
    assert.equal([...Deno.readDirSync(dir)].filter(({ name }) => name.startsWith("1-")).length, 0);
  }));

Deno.test("DirectoryLocks of two hosts that ask at the same moment never both have the directory", () =>
  withHosts(async ({ host }) => {
    const [first, second] = [host(1), host(2)];
    for (let i = 0; i < 50; i++) {
      const answers = await Promise.all([first.take("/w/p", "t1"), second.take("/w/p", "t2")]);
      assert.ok(answers.filter((answer) => answer.held).length <= 1);
      first.releaseAll();
      second.releaseAll();
    }
  }));

Deno.test("DirectoryLocks lets a task go on where locks cannot be written", () =>
  withHosts(async ({ host, dir }) => {
    await Deno.writeTextFile(dir, "a file in the way");
    const only = host(1);
    assert.deepEqual(await only.take("/w/p", "t1"), HELD);
    only.releaseAll();
  }));

Deno.test("DirectoryLocks asks the host of a lock by its own port", () =>
  withHosts(async ({ dir }) => {
    const pid = Deno.pid + 1;
    let answering = pid;
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
      Response.json({ status: "running", pid: answering }));
    const locks = (own: number) =>
      new DirectoryLocks({ dir, pid: own, port: server.addr.port, clock: systemClock });
    await locks(pid).take("/w/p", "t1");
    assert.deepEqual(await locks(1).take("/w/p", "t2"), { held: false, holder: "t1" });
    answering = 7;
    assert.deepEqual(await locks(1).take("/w/p", "t2"), HELD);
    await server.shutdown();
    await locks(pid).take("/w/q", "t3");
    assert.deepEqual(await locks(1).take("/w/q", "t2"), HELD);
  }));
