import assert from "node:assert/strict";
import { levelVerdict, modelCatalog } from "../../../lib/agents/model_catalog.ts";

Deno.test("modelCatalog() has at most one default and no duplicate per provider", () => {
  for (const provider of ["claude", "codex", "cursor", "copilot", "codebuddy", "opencode", "nobody"]) {
    const models = modelCatalog(provider);
    assert.ok(models.filter((model) => model.default).length <= 1, provider);
    assert.equal(new Set(models.map((model) => model.id)).size, models.length, provider);
  }
});

Deno.test("modelCatalog() Copilot ids are dotted and belong to openai or anthropic", () => {
  for (const model of modelCatalog("copilot")) {
    assert.ok(model.provider === "openai" || model.provider === "anthropic");
    assert.doesNotMatch(model.id, /\d-\d/);
  }
});

const VERDICTS = [
  ["claude", "", "high", "send"],
  ["claude", "", "xhigh", "drop"],
  ["claude", "", "", "send"],
  ["claude", "claude-opus-4-7", "xhigh", "send"],
  ["claude", "claude-sonnet-4-6", "xhigh", "drop"],
  ["claude", "claude-nonexistent", "high", "drop"],
  ["claude", "claude-opus-5[1m]", "max", "send"],
  ["claude", "claude-opus-5[500k]", "max", "send"],
  ["claude", "claude-opus-5[weird]", "max", "drop"],
  ["claude", "claude-fake-9[1m]", "max", "drop"],
  ["codex", "", "high", "drop"],
  ["codex", "gpt-5.6-sol", "ultra", "send"],
  ["opencode", "x/y", "max", "unknown"],
] as const;

for (const [provider, model, level, verdict] of VERDICTS) {
  Deno.test(`levelVerdict() ${provider} "${model}" "${level}" → ${verdict}`, () => {
    assert.equal(levelVerdict(provider, model, level), verdict);
  });
}

Deno.test("levelVerdict() [OC-24] goes by what the CLI said, for OpenCode by any model when none is named", () => {
  const level = (value: string) => ({ value, label: value });
  const said = [
    { id: "a/one", label: "a/one", thinking: { supported_levels: [level("low")] } },
    { id: "b/two", label: "b/two", thinking: { supported_levels: [level("high"), level("max")] } },
  ];
  const verdict = (model: string, wanted: string) => levelVerdict("opencode", model, wanted, said);
  assert.deepEqual(
    [verdict("", "max"), verdict("", "xhigh"), verdict("a/one", "max"), verdict("a/one", "low")],
    ["send", "drop", "drop", "send"],
  );
});
