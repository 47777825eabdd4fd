/** The files of a task's skills, as they will lie in their directories (spec 04 §5.4, 20.8). */
import { posix } from "node:path";
import { isSafeSkillPath, type Skill } from "../control/mod.ts";
import { HostError } from "../core/mod.ts";
import { skillText } from "./front_matter.ts";
import type { PlannedFile } from "./sidecars.ts";
import { resolveSlugs, type SkillListing } from "./skill_slugs.ts";

/** Skills ready to be written. */
export interface SkillPlan {
  readonly files: readonly PlannedFile[];
  /** Every skill with its directory, in order. */
  readonly written: readonly SkillListing[];
  /** Those the brief lists. */
  readonly listed: readonly SkillListing[];
}

/** A skill whose files cannot be written. */
export class SkillRefused extends HostError {
  constructor(skill: string, path: string, why: string) {
    super(`Cannot write skill "${skill}": the file path ${JSON.stringify(path)} ${why}`, {
      code: "skill_path_refused",
      facts: { skill, path },
    });
  }
}

/** Plans all skills below `parent` (relative to the work directory); `taken` = names that are there. */
export async function planSkills(
  skills: readonly Skill[],
  parent: string,
  taken: ReadonlySet<string>,
): Promise<SkillPlan> {
  const slugs = resolveSlugs(skills.map(({ name }) => name), taken);
  const files: PlannedFile[] = [];
  const written: SkillListing[] = [];
  const listed: SkillListing[] = [];
  for (const [index, skill] of skills.entries()) {
    const slug = slugs[index]!;
    const { text, hidden } = await skillText(skill.content, slug, skill.description);
    const entry = { name: skill.name, slug };
    written.push(entry);
    if (!hidden) listed.push(entry);
    files.push({ path: posix.join(parent, slug, "SKILL.md"), text, onExisting: "refuse" });
    files.push(...supporting(skill, posix.join(parent, slug)));
  }
  return { files, written, listed };
}

function supporting(skill: Skill, dir: string): PlannedFile[] {
  const seen = new Set<string>();
  return skill.files.flatMap(({ path, content }): PlannedFile[] => {
    if (isReservedSkillFile(path)) return [];
    if (!isSafeSkillPath(path)) throw new SkillRefused(skill.name, path, "would leave its directory");
    if (seen.has(path)) throw new SkillRefused(skill.name, path, "is there twice");
    seen.add(path);
    return [{ path: posix.join(dir, path), text: content, onExisting: "refuse" }];
  });
}

/** True for what would be the skill's own `SKILL.md`, however it is spelled. */
export function isReservedSkillFile(path: string): boolean {
  return path !== "" && posix.normalize(path).toLowerCase() === "skill.md";
}
