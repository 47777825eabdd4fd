import assert from "node:assert/strict";
import { type ProcessRow, type TreeFacts, treeView } from "../../../../lib/core/mod.ts";

const SELF = 50;
const group = { pid: 100, marker: "M=1" };

function row(pid: number, parent: number, more: Partial<ProcessRow> = {}): ProcessRow {
  return {
    pid,
    parent,
    group: pid,
    session: pid,
    start: String(pid),
    ageMs: 1000,
    cpuMs: 0,
    zombie: false,
    ...more,
  };
}

const host = [row(1, 0), row(40, 1), row(SELF, 40, { group: 40, session: 40 })];

function view(rows: ProcessRow[], facts: Partial<TreeFacts> = {}) {
  const found = treeView([...host, ...rows], {
    group,
    self: SELF,
    marked: [],
    registeredAgesMs: [1000],
    known: new Map(),
    ...facts,
  });
  return { ...found, pids: found.members.map((member) => member.pid).sort((a, b) => a - b) };
}

Deno.test("treeView() joins group, session, marker carriers and all descendants", () => {
  const tree = view([
    row(100, SELF),
    row(101, 100, { group: 100, session: 100 }),
    row(102, 1, { group: 102, session: 100 }),
    row(103, 1),
    row(104, 103),
    row(105, 1),
  ], { marked: [103] });
  assert.deepEqual(tree.pids, [100, 101, 102, 103, 104]);
  assert.deepEqual(tree.escaped.map((member) => member.pid).sort(), [102, 103, 104]);
  assert.equal(tree.groupConfirmed, true);
  assert.equal(tree.leaderRuns, true);
});

Deno.test("treeView() spares a recycled group id: another parent, or started at another time [f11]", () => {
  assert.deepEqual(view([row(100, 1)]).pids, []);
  assert.deepEqual(view([row(100, SELF, { ageMs: 1000 })], { registeredAgesMs: [3_600_000] }).pids, []);
  assert.deepEqual(view([row(100, SELF, { ageMs: 3_600_000 })]).pids, []);
});

Deno.test("treeView() spares an unannounced group unless it carries the marker", () => {
  assert.deepEqual(view([row(100, SELF)], { registeredAgesMs: [] }).pids, []);
  assert.deepEqual(
    view([row(100, 1), row(101, 100, { group: 100 })], { registeredAgesMs: [], marked: [101] }).pids,
    [
      100,
      101,
    ],
  );
});

Deno.test("treeView() keeps a group whose leader is gone", () => {
  const tree = view([row(101, 1, { group: 100, session: 100 })]);
  assert.deepEqual([tree.pids, tree.leaderRuns, tree.groupConfirmed], [[101], false, true]);
});

Deno.test("treeView() remembers members by pid and start time", () => {
  const known = new Map([[110, "110"], [111, "old"]]);
  assert.deepEqual(view([row(110, 1), row(111, 1)], { known }).pids, [110]);
});

Deno.test("treeView() never takes this process, its ancestors or its group", () => {
  const marked = [SELF, 40, 1];
  assert.deepEqual(view([], { marked, group: { pid: 40, marker: "M=1" } }).members, []);
  assert.equal(view([], { marked, group: { pid: 40, marker: "M=1" } }).groupConfirmed, false);
});

Deno.test("treeView() does not count zombies as running", () => {
  assert.deepEqual(view([row(100, SELF, { zombie: true }), row(101, 100, { group: 100 })]).pids, [101]);
});

Deno.test("treeView() survives a suspend (one clock stood still) and a clock jump", () => {
  const rows = [row(100, SELF, { ageMs: 601_000 })];
  assert.deepEqual(view(rows, { registeredAgesMs: [1000, 601_000] }).pids, [100]);
  assert.deepEqual(view(rows, { registeredAgesMs: [601_000, -3_000_000] }).pids, [100]);
});
