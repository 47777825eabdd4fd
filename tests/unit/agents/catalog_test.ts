/** The catalog: complete, consistent, and enough to add a provider. */
import assert from "node:assert/strict";
import { claudeDialect } from "../../../lib/agents/claude.ts";
import { codebuddyDialect } from "../../../lib/agents/codebuddy.ts";
import { copilotDialect } from "../../../lib/agents/copilot.ts";
import { cursorDialect } from "../../../lib/agents/cursor.ts";
import { openCodeDialect } from "../../../lib/agents/opencode.ts";
import { qwenDialect } from "../../../lib/agents/qwen.ts";
import {
  discoverableProviders,
  driverFor,
  profileBases,
  providerRow,
  PROVIDERS,
  supportedProviders,
} from "../../../lib/agents/mod.ts";
import { PROVIDER_NAMES, PROVIDERS_WITH_ARGS } from "../../../lib/config/mod.ts";

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

Deno.test("catalog and settings speak of the same providers", () => {
  assert.deepEqual([...supportedProviders()].sort(), [...PROVIDER_NAMES].sort());
  const withArgs = PROVIDERS.filter((row) => row.argsVariable).map((row) => row.provider);
  assert.deepEqual(withArgs.sort(), [...PROVIDERS_WITH_ARGS].sort());
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
  for (
    const [provider, dialect] of Object.entries({
      claude: claudeDialect,
      codebuddy: codebuddyDialect,
      qwen: qwenDialect,
      copilot: copilotDialect,
      cursor: cursorDialect,
      opencode: openCodeDialect,
    })
  ) assert.equal(row(provider).graceMs, dialect.graceMs, provider);
  assert.equal(row("codex").graceMs, 0);
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
