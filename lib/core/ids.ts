/** Ids: UUID checks, version 7, the short forms of the chapters. */
import type { Clock } from "./clock.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for the canonical 36-character form, any case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A new UUID of version 7 (time-ordered). */
export function uuidV7(clock: Pick<Clock, "now">): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = BigInt(Math.max(0, Math.trunc(clock.now())));
  for (let i = 5; i >= 0; i--) {
    bytes[i] = Number(time & 0xffn);
    time >>= 8n;
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** First 8 characters without dashes, for logs and messages (spec 03 §1). */
export function shortId(id: string): string {
  return id.replaceAll("-", "").slice(0, 8);
}

/** Last 12 characters without dashes: the collision-free name of an env root (spec 04 §20.1). */
export function taskKey(id: string): string {
  return id.replaceAll("-", "").slice(-12);
}
