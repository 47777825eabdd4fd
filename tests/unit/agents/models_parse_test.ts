import assert from "node:assert/strict";
import {
  isOpenCodeLevel,
  openCodeTakesLevel,
  parseCodebuddyLevels,
  parseCodebuddyModels,
  parseOpenCodeModels,
} from "../../../lib/agents/models_parse.ts";

const levels = (models: ReturnType<typeof parseOpenCodeModels>, at: number) =>
  models[at]?.thinking?.supported_levels.map((level) => level.value).join(",");

Deno.test("parseOpenCodeModels() [OC-20] drops headers, duplicates and words without a slash", () => {
  const models = parseOpenCodeModels(
    "PROVIDER/MODEL CONTEXT MAX_OUT\nopenai/gpt-4o 128000 16384\nanthropic/claude-sonnet-4-6 1 2\nopenai/gpt-4o 1 2\nnonprefixed-line\n",
  );
  assert.deepEqual(models.map((model) => [model.id, model.provider]), [
    ["openai/gpt-4o", "openai"],
    ["anthropic/claude-sonnet-4-6", "anthropic"],
  ]);
});

Deno.test("parseOpenCodeModels() [OC-21] orders variants and names them", () => {
  const variants = { high: {}, low: {}, xhigh: {}, "fast-mode": {}, off: { disabled: true } };
  const models = parseOpenCodeModels(
    `openai/gpt-5\n${JSON.stringify({ reasoning: true, variants }, null, 2)}\n` +
      `anthropic/claude-sonnet-4-6\n${JSON.stringify({ variants: { max: {}, high: {} } })}\n`,
  );
  assert.equal(levels(models, 0), "low,high,xhigh,fast-mode");
  assert.deepEqual(models[0]?.thinking?.supported_levels.slice(2).map((level) => level.label), [
    "Extra high",
    "Fast Mode",
  ]);
  assert.equal(levels(models, 1), "high,max");
});

Deno.test("parseOpenCodeModels() [OC-22] lets a broken block cost only its own levels", () => {
  const models = parseOpenCodeModels(
    'a/one\n{ "reasoning": true,\n"variants": {"low": {}\nb/two\n{"variants":{"low":{},"high":{}}}\n',
  );
  assert.deepEqual(models.map((model) => model.id), ["a/one", "b/two"]);
  assert.equal(levels(models, 0), undefined);
  assert.equal(levels(models, 1), "low,high");
});

Deno.test("parseOpenCodeModels() [OC-23] finds nothing in noise, so that the plain command is asked", () => {
  assert.deepEqual(parseOpenCodeModels(""), []);
  assert.deepEqual(parseOpenCodeModels("panic: catalog sync failed\n"), []);
  assert.equal(parseOpenCodeModels("PROVIDER/MODEL\nopenai/gpt-4o\n").length, 1);
});

Deno.test("openCodeTakesLevel() [OC-24] takes what any model advertises when none is named", () => {
  const models = parseOpenCodeModels('a/one\n{"variants":{"low":{}}}\nb/two\n{"variants":{"max":{}}}\n');
  assert.ok(openCodeTakesLevel(models, "", "max"));
  assert.ok(!openCodeTakesLevel(models, "a/one", "max"));
  assert.ok(!openCodeTakesLevel(models, "", "--max"));
  for (const bad of ["", "-x", "_x", ".x", "a b", "x".repeat(65)]) assert.ok(!isOpenCodeLevel(bad), bad);
});

Deno.test("parseCodebuddyModels() and parseCodebuddyLevels() [CB-8] read the help text", () => {
  const help =
    "  --model <model>  Model to use. Currently supported: (claude-sonnet-4.6, gpt-5.5, glm-5.1-ioa, hy3-preview-ioa, " +
    "minimax-m2.7-ioa, kimi-k2.6-ioa, deepseek-v3-2-volc-ioa, gemini-3, other)\n  --effort <level>  Effort (low, medium, xhigh)\n";
  const models = parseCodebuddyModels(help);
  assert.equal(models.length, 9);
  assert.deepEqual(models.filter((model) => model.default).map((model) => model.id), ["claude-sonnet-4.6"]);
  assert.deepEqual(models.map((model) => `${model.label}|${model.provider ?? ""}`), [
    "Claude Sonnet 4.6|anthropic",
    "GPT 5.5|openai",
    "GLM 5.1 IOA|zhipu",
    "Hy3 Preview IOA|hunyuan",
    "Minimax M2.7 IOA|minimax",
    "Kimi K2.6 IOA|kimi",
    "Deepseek V3 2 Volc IOA|deepseek",
    "Gemini 3|google",
    "Other|",
  ]);
  assert.deepEqual(parseCodebuddyLevels(help).map((level) => level.label), ["Low", "Medium", "Extra high"]);
  assert.deepEqual(parseCodebuddyModels("usage: something else"), []);
  assert.deepEqual(parseCodebuddyLevels("--effort"), []);
});
