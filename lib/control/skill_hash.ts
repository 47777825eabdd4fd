/** Skill bundles: manifest hash, safe paths, cache path, time limit (spec 01 §4.10, 8.4, 8.5, 11.7). */
import { createHash } from "node:crypto";
import { utf8Length } from "../core/mod.ts";
import { byteOrder } from "./byte_order.ts";
import type { Skill } from "./types_claim.ts";

/** What the hash is made of. */
export type SkillContents =
  & Pick<Skill, "source" | "id" | "name" | "description" | "content">
  & { readonly files: readonly { readonly path: string; readonly content: string }[] };

/** A bundle's own figures, computed from its contents. */
export interface SkillManifest {
  /** `sha256:<hex>`. */
  readonly hash: string;
  /** Bytes of the content and of all files; the description does not count. */
  readonly size_bytes: number;
  /** Sorted by path. */
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly size_bytes: number }[];
}

/** Computes a bundle's manifest (spec 01 §8.4). */
export function skillManifest(skill: SkillContents): SkillManifest {
  const hash = createHash("sha256");
  const part = (value: string) => hash.update(`${utf8Length(value)}:`).update(value).update("\n");
  for (const value of ["v1", skill.source, skill.id, skill.name, skill.description, skill.content]) {
    part(value);
  }
  let size = utf8Length(skill.content);
  const files = [...skill.files].sort((a, b) => byteOrder(a.path, b.path)).map(({ path, content }) => {
    const entry = { path, sha256: sha256Tag(content), size_bytes: utf8Length(content) };
    for (const value of [path, entry.sha256, content]) part(value);
    size += entry.size_bytes;
    return entry;
  });
  return { hash: `sha256:${hash.digest("hex")}`, size_bytes: size, files };
}

/** `sha256:<hex>` of the UTF-8 bytes. */
export function sha256Tag(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** True when a skill's file path stays inside its directory and is written in its one clean form. */
export function isSafeSkillPath(path: string): boolean {
  if (path === "" || path.startsWith("/") || path.includes("\0") || path.includes("\\")) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

/** True when the bundle's hash is the hash of its contents and all its paths are safe. */
export function isConsistentBundle(bundle: Skill): boolean {
  return bundle.files.every((file) => isSafeSkillPath(file.path)) &&
    skillManifest(bundle).hash === bundle.hash;
}

/** One segment of the skill cache path (spec 01 §8.5). */
export function cacheSegment(text: string): string {
  if (text === "") return "_";
  if (text === "." || text === "..") return `_${text}`;
  return text.replace(/[^A-Za-z0-9\-_.]/gu, "_");
}

/** Bytes a second a bundle may take at least. */
const BYTES_PER_SECOND = 51_200;

/** Time one bundle gets to arrive: its size at 50 KiB/s, 30 s to 5 min, ms (spec 01 §11.7). */
export function bundleLimitMs(sizeBytes: number): number {
  return Math.min(300, Math.max(30, Math.floor(sizeBytes / BYTES_PER_SECOND))) * 1000;
}
