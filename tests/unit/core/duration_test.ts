import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, InvalidDuration, parseDuration } from "../../../lib/core/duration.ts";

const HOUR = 3_600_000;

Deno.test("parseDuration() reads every vector [03 §5.4] [01 §1.7]", () => {
  const vectors: [string, number][] = [
    ["5d", 120 * HOUR],
    ["1d", 24 * HOUR],
    ["1d12h", 36 * HOUR],
    ["2d30m", 48.5 * HOUR],
    ["0", 0],
    ["0.5d", 12 * HOUR],
    ["1.5d", 36 * HOUR],
    [".5d", 12 * HOUR],
    ["120h", 120 * HOUR],
    ["24h", 24 * HOUR],
    ["30m", HOUR / 2],
    ["300ms", 300],
    ["1.5h", 1.5 * HOUR],
    ["2h45m", 2.75 * HOUR],
    ["1us", 0.001],
    ["1µs", 0.001],
    ["1μs", 0.001],
    ["1ns", 0.000001],
    ["1.005s", 1005],
    ["-5s", -5000],
    ["+5s", 5000],
    ["-0", 0],
  ];
  for (const [text, ms] of vectors) assert.equal(Math.abs(parseDuration(text) - ms), 0, text);
});

Deno.test("parseDuration() refuses what is no duration [03 §5.4]", () => {
  for (
    const text of [
      "30",
      "5days",
      "abc5d",
      "xyz",
      "",
      "9".repeat(30) + "d",
      ".",
      "-",
      "1.s2",
      "5 s",
      "1h 2m",
      "s",
      "1e3s",
    ]
  ) {
    assert.throws(() => parseDuration(text), InvalidDuration, text);
  }
  assert.throws(() => parseDuration("30"), { message: "it has no unit" });
});

Deno.test("formatDuration() prints every vector [03 §5.4]", () => {
  const vectors: [number, string][] = [
    [0, "0s"],
    [250, "250ms"],
    [1500, "1.5s"],
    [15_000, "15s"],
    [90_000, "1m30s"],
    [HOUR, "1h0m0s"],
    [HOUR + 123_000, "1h2m3s"],
    [24 * HOUR, "24h0m0s"],
    [25 * HOUR + 61_000, "25h1m1s"],
    [2 * HOUR, "2h0m0s"],
    [-90_000, "-1m30s"],
    [0.0015, "1.5µs"],
    [0.000002, "2ns"],
    [100, "100ms"],
    [10_000, "10s"],
  ];
  for (const [ms, text] of vectors) assert.equal(formatDuration(ms), text);
});

Deno.test("parseDuration() reads back what formatDuration() prints", () => {
  fc.assert(fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
    assert.equal(parseDuration(formatDuration(ms)), ms === 0 ? 0 : ms);
  }));
});
