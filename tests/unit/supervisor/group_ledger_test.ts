import assert from "node:assert/strict";
import { join } from "node:path";
import { DirectProcessControl, launch, type ProcessGroup } from "../../../lib/core/mod.ts";
import { GroupLedger } from "../../../lib/supervisor/group_ledger.ts";
import { FakeMachine } from "../../helpers/fake_cli.ts";

const group = (pid: number): ProcessGroup => ({ pid, marker: `MULTICA_TASK_ID=${crypto.randomUUID()}` });

Deno.test("GroupLedger: the next host ends what a killed one left running, and nothing else [f11]", async () => {
  const machine = new FakeMachine();
  const file = join(machine.home, "process_groups");
  const id = crypto.randomUUID();
  const start = (value: string) =>
    launch({ executable: "/bin/sleep", args: ["1000"], env: { MULTICA_TASK_ID: value } });
  const orphan = start(id);
  const stranger = start("other");
  const ledger = new GroupLedger(file, () => []);
  ledger.add({ pid: orphan.pid, marker: `MULTICA_TASK_ID=${id}` });
  ledger.add(group(stranger.pid));
  Deno.writeTextFileSync(file, `garbage\n${Deno.pid} MULTICA_TASK_ID=${id}\n1 HOME=/\n`, { append: true });
  await new GroupLedger(file, () => []).endLeftovers(new DirectProcessControl());
  assert.equal((await orphan.status).signal, "SIGTERM");
  assert.throws(() => Deno.statSync(file), Deno.errors.NotFound);
  Deno.kill(stranger.pid, "SIGKILL");
  assert.equal((await stranger.status).signal, "SIGKILL");
  for (const child of [orphan, stranger]) await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  machine.dispose();
});

Deno.test("GroupLedger stays small: it is written anew with the live groups", () => {
  const machine = new FakeMachine();
  const file = join(machine.home, "process_groups");
  const live = [group(1234)];
  const ledger = new GroupLedger(file, () => live);
  for (let i = 0; i < 1_200; i++) ledger.add(group(2_000 + i));
  assert.ok(Deno.readTextFileSync(file).split("\n").length < 600);
  assert.ok(Deno.readTextFileSync(file).includes(live[0]!.marker));
  ledger.clear();
  machine.dispose();
});
