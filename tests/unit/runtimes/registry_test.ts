import assert from "node:assert/strict";
import fc from "fast-check";
import type { RegisterResponse } from "../../../lib/control/mod.ts";
import { RuntimeRegistry, type RuntimeSetChange } from "../../../lib/runtimes/mod.ts";

function response(
  ...runtimes: readonly (readonly [id: string, provider: string, profile?: string])[]
): RegisterResponse {
  return {
    runtimes: runtimes.map(([id, provider, profile_id = ""]) => ({
      id,
      name: id,
      provider,
      status: "online",
      profile_id,
    })),
    repos: [],
    repos_version: "",
    settings: undefined,
  };
}

function tracked(): RuntimeRegistry {
  const registry = new RuntimeRegistry();
  registry.track("w", "Acme");
  registry.applyRegister("w", response(["r1", "claude"], ["r2", "codex"]), "sig");
  return registry;
}

Deno.test("RuntimeRegistry [WS-1, R23] prunes an id and keeps the workspace object identical", () => {
  const registry = tracked();
  const before = registry.workspace("w");
  assert.equal(registry.prune("r1"), true);
  assert.equal(registry.workspace("w"), before);
  assert.deepEqual(registry.runtimeIds(), ["r2"]);
  assert.equal(registry.runtime("r1"), undefined);
});

Deno.test("RuntimeRegistry [WS-2, R23] changes nothing for an unknown id", () => {
  const registry = tracked();
  assert.equal(registry.prune("nope"), false);
  assert.deepEqual(registry.runtimeIds(), ["r1", "r2"]);
});

Deno.test("RuntimeRegistry [WS-5, R26] replaces ids by a register response, without duplicates", () => {
  const registry = tracked();
  registry.prune("r1");
  const left = registry.applyRegister("w", response(["r2", "codex"], ["r3", "claude"]), "");
  assert.deepEqual(registry.runtimeIds(), ["r2", "r3"]);
  assert.deepEqual(left, []);
  assert.equal(registry.workspace("w")?.profileSignature, "sig");
});

Deno.test("RuntimeRegistry returns the ids that did not come back", () => {
  const registry = tracked();
  assert.deepEqual(registry.applyRegister("w", response(["r1", "claude"]), "sig2"), ["r2"]);
});

Deno.test("RuntimeRegistry announces only real changes", () => {
  const registry = tracked();
  const heard: RuntimeSetChange[] = [];
  registry.changes.subscribe((change) => heard.push(change));
  registry.announce();
  registry.applyRegister("w", response(["r2", "codex"], ["r1", "claude"]), "sig");
  registry.announce();
  registry.prune("r2");
  registry.announce();
  assert.deepEqual(heard.map(({ added, removed }) => ({ added, removed })), [
    { added: ["r1", "r2"], removed: [] },
    { added: [], removed: ["r2"] },
  ]);
});

Deno.test("RuntimeRegistry settings: an absent key keeps, null means defaults", () => {
  const registry = tracked();
  registry.applyRegister("w", { ...response(["r1", "claude"]), settings: { github_enabled: false } }, "");
  registry.applyRegister("w", response(["r1", "claude"]), "");
  assert.deepEqual(registry.workspace("w")?.settings, { github_enabled: false });
  registry.applyRegister("w", { ...response(["r1", "claude"]), settings: null }, "");
  assert.equal(registry.workspace("w")?.settings, null);
});

Deno.test("RuntimeRegistry.launchTarget() [R16] is negative for unknown ids and unresolved profiles", () => {
  const registry = tracked();
  registry.applyRegister("w", response(["r1", "claude"], ["rc", "codex", "p1"]), "");
  const builtin = (provider: string) => ({ path: `/bin/${provider}`, prefixArgs: [], version: "1" });
  assert.equal(registry.launchTarget("r1", builtin).executable, "/bin/claude");
  assert.equal(registry.launchTarget("rc", builtin).executable, "");
  assert.match(registry.launchTarget("rc", builtin).problem, /profile p1 cannot be launched/);
  assert.equal(registry.launchTarget("nope", () => undefined).problem, 'no agent configured for provider ""');
});

Deno.test("RuntimeRegistry.launchTarget() [R12] gives a resolved profile its own command and arguments", () => {
  const registry = tracked();
  registry.setProfile("p1", { path: "/opt/x", prefixArgs: ["go"], version: "2" });
  registry.applyRegister("w", response(["rc", "codex", "p1"]), "");
  const target = registry.launchTarget("rc", () => ({ path: "/bin/codex", prefixArgs: [], version: "" }));
  assert.deepEqual([target.executable, target.prefixArgs, target.version], ["/opt/x", ["go"], "2"]);
});

Deno.test("RuntimeRegistry index and workspace lists agree after any order of transitions", () => {
  const op = fc.oneof(
    fc.record({
      t: fc.constant("register" as const),
      ids: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d")),
    }),
    fc.record({ t: fc.constant("prune" as const), id: fc.constantFrom("a", "b", "c", "d") }),
    fc.record({ t: fc.constant("converge" as const) }),
    fc.record({ t: fc.constant("announce" as const) }),
  );
  fc.assert(fc.property(fc.array(op), (ops) => {
    const registry = new RuntimeRegistry();
    registry.track("w", "W");
    let told: readonly string[] = [];
    registry.changes.subscribe(({ ids }) => told = ids);
    for (const step of ops) {
      if (step.t === "register") {
        registry.applyRegister("w", response(...step.ids.map((id) => [id, "claude"] as const)), "");
      } else if (step.t === "prune") registry.prune(step.id);
      else if (step.t === "converge") registry.converge("w", "s");
      else {
        registry.announce();
        assert.deepEqual(new Set(told), new Set(registry.runtimeIds()));
      }
      for (const id of registry.runtimeIds()) assert.equal(registry.runtime(id)?.workspaceId, "w");
      assert.equal(new Set(registry.runtimeIds()).size, registry.runtimeIds().length);
    }
  }));
});
