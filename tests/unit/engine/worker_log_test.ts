import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { plainRecord } from "../../../lib/engine/worker_log.ts";

Deno.test("plainRecord() survives cloning whatever the fields hold", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const record: LogRecord = {
    category: ["multica", "x"],
    level: "info",
    timestamp: 1,
    message: ["text"],
    rawMessage: "text",
    properties: {
      n: 1,
      list: [1, { a: new Date(0) }],
      error: new Error("why"),
      fn: () => 1,
      big: 2n,
      circular,
      none: undefined,
      map: new Map([[1, 2]]),
    },
  };
  const plain = plainRecord(record);
  assert.deepEqual(structuredClone(plain), plain);
  assert.deepEqual(plain.properties["list"], [1, { a: "1970-01-01T00:00:00.000Z" }]);
  assert.equal(plain.properties["error"], "why");
  assert.equal(plain.properties["big"], "2");
});
