/** The catalog: complete, consistent, and enough to add a provider. */
import assert from "node:assert/strict";
import {
  agentVariables,
  discoverableProviders,
  driverFor,
  profileBases,
  providerRow,
  PROVIDERS,
  supportedProviders,
} from "../../../lib/agents/mod.ts";

const BASELINE = [
  ...[
    "claude",
    "codebuddy",
    "codex",
    "copilot",
    "opencode",
    "openclaw",
    "hermes",
    "pi",
    "cursor",
    "kimi",
    "kiro",
  ],
  ...["antigravity", "qoder"],
];

Deno.test("catalog lists the baseline providers first, in the chapter's order", () => {
  assert.deepEqual(supportedProviders().slice(0, 13), BASELINE);
  assert.equal(new Set(PROVIDERS.map((row) => row.provider)).size, PROVIDERS.length);
});

Deno.test("agentVariables() [HD-14] names a path for each provider, arguments and models for those that take them", () => {
  const { paths, models, args } = agentVariables();
  assert.deepEqual(paths, supportedProviders());
  assert.deepEqual(paths.filter((provider) => !models.includes(provider)), ["qwenpaw", "mcode"]);
  assert.deepEqual([...args].sort(), ["claude", "codebuddy", "codex", "qwen", "qwenpaw"]);
});

Deno.test("driverFor() names what it knows when it does not know a provider", async () => {
  await assert.rejects(driverFor("nope"), (error: Error) => {
    assert.equal(
      error.message,
      `unknown agent type: "nope" (supported: ${supportedProviders().join(", ")})`,
    );
    return true;
  });
});

Deno.test("driverFor() says that a protocol is not spoken yet, and loads the others", async () => {
  await assert.rejects(driverFor("kimi"), /kimi is not supported by this version yet/);
  const driven = PROVIDERS.filter((row) => row.driver !== undefined && row.driver !== row.provider);
  assert.deepEqual(driven.map((row) => row.provider), ["rehearsal"]); // all others have a protocol of their own
  for (const row of PROVIDERS.filter((row) => row.driver !== undefined)) {
    assert.equal(typeof (await driverFor(row.provider)).start, "function", row.provider);
  }
});

Deno.test("catalog rows agree with the chapters where a mistake would be silent", () => {
  const row = (provider: string) => providerRow(provider)!;
  assert.equal(row("claude").minVersion, "2.0.0");
  assert.equal(row("codex").minVersion, "0.100.0");
  assert.equal(row("copilot").minVersion, "1.0.0");
  const blind = PROVIDERS.filter((row) => !row.detectsRejection).map((row) => row.provider);
  assert.deepEqual(blind.sort(), ["antigravity", "copilot", "cursor", "deveco", "opencode"]);
  const inline = PROVIDERS.filter((row) => row.inlineBrief).map((row) => row.provider);
  assert.deepEqual(inline.sort(), ["kimi", "openclaw", "qwenpaw", "traecli"]);
  assert.equal(row("cursor").command, "cursor-agent");
  assert.equal(row("kiro").command, "kiro-cli");
  assert.equal(row("antigravity").command, "agy");
  assert.equal(row("qoder").command, "qodercli");
});

Deno.test("the rehearsal agent is never offered to a server", () => {
  assert.ok(!supportedProviders().includes("rehearsal"));
  assert.ok(!discoverableProviders().some((row) => row.provider === "rehearsal"));
  assert.ok(!profileBases().includes("rehearsal"));
  assert.ok(providerRow("rehearsal")?.rehearsal);
});

Deno.test("what this version cannot drive is found, but neither offered nor the base of a profile", () => {
  const unsupported = discoverableProviders().filter((row) => row.unsupported).map((row) => row.provider);
  assert.ok(unsupported.includes("kimi") && !unsupported.includes("claude"));
  assert.deepEqual(profileBases().filter((provider) => unsupported.includes(provider)), []);
});
