/** Values host and server compute alike: profile signature, poll offset, repository version (spec 01 §8.1–8.3). */
import { createHash } from "node:crypto";
import { fnv1a64, Fnv64 } from "./fnv.ts";
import { byteOrder } from "./byte_order.ts";
import type { RuntimeProfile } from "./types.ts";

const UNIT = 0x1f;
const RECORD = 0x1e;

/** Signature of a set of custom profiles; "0" for none. Order, display name and description do not count. */
export function profileSetSignature(profiles: readonly RuntimeProfile[]): string {
  if (profiles.length === 0) return "0";
  const hash = new Fnv64();
  for (const profile of [...profiles].sort((a, b) => byteOrder(a.id, b.id))) {
    const { id, enabled, protocol_family, command_name, visibility, fixed_args } = profile;
    for (const field of [id, String(enabled), protocol_family, command_name, visibility, ...fixed_args]) {
      hash.text(field).byte(UNIT);
    }
    hash.byte(RECORD);
  }
  return hash.hex;
}

/** Nanoseconds until a runtime's first poll: its hash modulo the interval. 0 for no interval or no id. */
export function pollOffsetNs(runtimeId: string, intervalNs: bigint): bigint {
  return runtimeId === "" || intervalNs <= 0n ? 0n : fnv1a64(runtimeId) % intervalNs;
}

/** {@link pollOffsetNs} in milliseconds (spec 01 §8.2). */
export function pollOffsetMs(runtimeId: string, intervalMs: number): number {
  return Number(pollOffsetNs(runtimeId, BigInt(Math.round(intervalMs * 1e6)))) / 1e6;
}

/** Version of a set of repository URLs; order, blanks and repeats do not count (spec 01 §8.3). */
export function reposVersion(urls: readonly string[]): string {
  const set = new Set(urls.map((url) => url.trim()).filter((url) => url !== ""));
  return createHash("sha256").update([...set].sort(byteOrder).join("\n")).digest("hex");
}
