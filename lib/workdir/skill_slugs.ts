/** Directory names of skills, the same for writing and for the brief (spec 04 §5.4, 20.8). Pure. */
import { HostError } from "../core/mod.ts";
import { trimmed } from "./phrasing.ts";

/** Names tried per skill. */
const MAX_CANDIDATES = 64;

/** A skill as it lies on disk. */
export interface SkillListing {
  readonly name: string;
  readonly slug: string;
}

/** Lower-case words joined by `-`; `skill` when nothing is left. */
export function skillSlug(name: string): string {
  return trimmed(name).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "skill";
}

/**
 * A free directory name for each skill, in order: its slug, `<slug>-multica`, `<slug>-multica-2`, …
 * `taken` are names of any kind that are there already.
 * @throws {HostError} when 64 names are taken
 */
export function resolveSlugs(names: readonly string[], taken: ReadonlySet<string>): string[] {
  const used = new Set(taken);
  return names.map((name) => {
    const slug = freeSlug(name, used);
    used.add(slug);
    return slug;
  });
}

function freeSlug(name: string, used: ReadonlySet<string>): string {
  const base = skillSlug(name);
  for (let index = 0; index < MAX_CANDIDATES; index++) {
    const slug = index === 0 ? base : index === 1 ? `${base}-multica` : `${base}-multica-${index}`;
    if (!used.has(slug)) return slug;
  }
  throw new HostError(`Cannot place skill "${name}": ${MAX_CANDIDATES} names from "${base}" on are taken`, {
    code: "skill_name_taken",
    hint: "remove old skill directories from the work directory",
    facts: { skill: name, slug: base },
  });
}
