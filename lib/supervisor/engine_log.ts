/** Log records of the engine, given to the supervisor's sinks as if they had been made here. */
import { getLogger } from "@logtape/logtape";
import { inOneWrite, LOG_ROOT } from "../core/mod.ts";
import type { PostedRecord } from "./protocol.ts";

/** Emits posted records, written as one piece. Foreign categories are kept below the house's root. */
export function emitRecords(records: readonly PostedRecord[]): void {
  inOneWrite(() => records.forEach(emitRecord));
}

function emitRecord(record: PostedRecord): void {
  const category = record.category[0] === LOG_ROOT ? record.category : [LOG_ROOT, ...record.category];
  getLogger([...category]).emit({
    level: record.level,
    timestamp: record.timestamp,
    message: [record.message],
    rawMessage: record.message,
    properties: { ...record.properties },
  });
}
