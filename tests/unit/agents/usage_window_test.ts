import assert from "node:assert/strict";
import fc from "fast-check";
import { isUsageWindowClosed, parseUsageWindow } from "../../../lib/agents/usage_window.ts";

/** 2026-11-25 12:00 UTC, a Wednesday. */
const NOW = Date.UTC(2026, 10, 25, 12);

const at = (text: string, zone = "UTC") => parseUsageWindow(text, NOW, zone)?.resetsAt;

Deno.test("parseUsageWindow() reads a clock time in the zone it names", () => {
  // 12:50 in Shanghai is 16:50 UTC of the same day.
  assert.equal(
    at("You've hit your session limit · resets 12:50am (Asia/Shanghai)"),
    "2026-11-25T16:50:00.000Z",
  );
  assert.equal(
    at("Claude usage limit reached. Your limit will reset at 5pm (America/New_York)."),
    "2026-11-25T22:00:00.000Z",
  );
  assert.equal(at("5-hour limit reached ∙ resets 11am", "Europe/Berlin"), "2026-11-26T10:00:00.000Z");
  assert.equal(at("usage limit reached, resets 15:30"), "2026-11-25T15:30:00.000Z");
});

Deno.test("parseUsageWindow() reads dates, week days and durations", () => {
  const usage = "You've hit your usage limit. Upgrade to Pro, or ";
  assert.equal(at(`${usage}try again at 5:42 PM.`), "2026-11-25T17:42:00.000Z");
  assert.equal(at(`${usage}try again at Nov 28th, 2026 5:42 PM.`), "2026-11-28T17:42:00.000Z");
  assert.equal(at(`${usage}try again in 3 days 4 hours 12 minutes.`), "2026-11-28T16:12:00.000Z");
  assert.equal(at(`${usage}try again in 1 hour and 5 minutes.`), "2026-11-25T13:05:00.000Z");
  assert.equal(at("weekly limit reached ∙ resets Mon 9am"), "2026-11-30T09:00:00.000Z");
  assert.equal(at("weekly limit reached ∙ resets Jan 3, 10am (UTC)"), "2027-01-03T10:00:00.000Z");
  assert.equal(at("session limit · resets tomorrow at 1pm"), "2026-11-26T13:00:00.000Z");
  assert.equal(at("Claude AI usage limit reached|1795608000"), new Date(1795608000_000).toISOString());
  assert.equal(at("usage limit reached; try again after 2026-11-25T20:00:00Z"), "2026-11-25T20:00:00.000Z");
});

Deno.test("parseUsageWindow() keeps the fact when no time can be read", () => {
  assert.deepEqual(parseUsageWindow("noise\nusage limit reached, try again later\nmore", NOW, "UTC"), {
    resetsAt: "",
    text: "usage limit reached, try again later",
  });
  assert.equal(
    at("session limit · resets 12:50am (Nowhere/Land)"),
    "2026-11-26T00:50:00.000Z",
    "falls back to the host's zone",
  );
  assert.equal(at("session limit · resets 99:99"), "");
});

Deno.test("parseUsageWindow() is silent about everything else", () => {
  for (
    const text of [
      "",
      "rate limit reached, try again in 20s",
      "429 rate limit",
      "resets at 5pm",
      "token limit",
      "done",
    ]
  ) {
    assert.equal(parseUsageWindow(text, NOW, "UTC"), undefined, text);
    assert.ok(!isUsageWindowClosed(text), text);
  }
});

Deno.test("parseUsageWindow() honours clock changes of the zone", () => {
  const spring = Date.UTC(2026, 2, 28, 20);
  assert.equal(
    parseUsageWindow("session limit, resets 3:30am (Europe/Berlin)", spring, "UTC")?.resetsAt,
    "2026-03-29T01:30:00.000Z",
  );
});

Deno.test("parseUsageWindow() never throws and never resolves to the past", () => {
  fc.assert(fc.property(fc.string(), fc.integer({ min: 0, max: 99 }), (noise, hour) => {
    const window = parseUsageWindow(`usage limit reached, resets ${hour}:00 ${noise}`, NOW, "Asia/Tokyo");
    assert.ok(window !== undefined);
  }));
  fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.constantFrom("am", "pm"), (hour, half) => {
    const resets = at(`usage limit reached, resets ${hour}${half} (Asia/Tokyo)`);
    assert.ok(Date.parse(resets!) > NOW && Date.parse(resets!) <= NOW + 86_400_000);
  }));
});
