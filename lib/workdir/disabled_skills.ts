/** Skills of this machine that an agent must not see (spec 04 §20.8, 20.6). Pure. */
import { isAbsolute, join, posix } from "node:path";
import type { ClaimedTask, Skill } from "../control/mod.ts";
import { getLog } from "../core/mod.ts";
import { skillSlug } from "./skill_slugs.ts";

const log = getLog("workdir", "skills");

/** One skill to hide, as the local skill list named it. */
export interface DisabledSkill {
  /** Path below its root, with forward slashes; `<plugin>:<skill>` for a plugin's. */
  readonly key: string;
  /** Names the CLI may know it by. */
  readonly names: readonly string[];
  readonly universal: boolean;
  readonly plugin: boolean;
}

/** Providers whose CLI can be told to hide a skill. */
const HIDING: ReadonlySet<string> = new Set(["claude", "codex"]);

/** True when a skill of this provider can be hidden: told to the server with the list. */
export function canDisableSkills(provider: string): boolean {
  return HIDING.has(provider);
}

/**
 * What is to be hidden in this run: entries of this runtime and provider whose name no skill of the task has. Entries
 * that name nothing are left out with a warning.
 */
export function disabledSkills(
  task: ClaimedTask,
  provider: string,
  skills: readonly Skill[],
): readonly DisabledSkill[] {
  const entries = (task.agent?.disabled_runtime_skills ?? [])
    .filter((entry) => entry.runtime_id === task.runtime_id && entry.provider === provider);
  if (entries.length > 0 && !HIDING.has(provider)) {
    log.warn("skills cannot be hidden from this agent", { task: task.id, provider, skills: entries.length });
    return [];
  }
  const ours = new Set(skills.map(({ name }) => skillSlug(name)));
  return entries.flatMap(({ key: raw, name, root, plugin }): DisabledSkill[] => {
    const key = posix.normalize(raw.trim());
    const names = [...new Set([posix.basename(key), name.trim()])].filter(isPlainName);
    if (isAbsolute(key) || key.startsWith("..") || names.length === 0) {
      log.warn("disabled skill not understood", { task: task.id, key: raw, name });
      return [];
    }
    const isPlugin = plugin !== "" || root === "plugin";
    if (!isPlugin && names.some((one) => ours.has(skillSlug(one)))) return [];
    return [{ key, names, universal: root === "universal", plugin: isPlugin }];
  });
}

/** What may stand in a permission rule; a rule that cannot be written hides nothing. */
function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && /^[^()*\\\p{Cc}]+$/u.test(name);
}

/** Claude's settings that hide these skills: by name, a plugin's by its key and only through the deny list. */
export function claudeSkillSettings(disabled: readonly DisabledSkill[]): string {
  const own = disabled.filter((skill) => !skill.plugin).flatMap(({ names }) => names);
  const denied = [...own, ...disabled.filter((skill) => skill.plugin).map(({ key }) => key)];
  const settings = {
    skillOverrides: Object.fromEntries(own.map((name) => [name, "off"])),
    permissions: { deny: denied.flatMap((name) => [`Skill(${name})`, `Skill(${name} *)`]) },
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** The files Codex must not offer: it knows a skill by its `SKILL.md` (seen with 0.169), and has no plugins of ours. */
export function codexDisabledFiles(
  disabled: readonly DisabledSkill[],
  { codexHome, home }: { readonly codexHome: string; readonly home: string },
): readonly string[] {
  return disabled.filter((skill) => !skill.plugin).map(({ key, universal }) =>
    join(universal ? join(home, ".agents") : codexHome, "skills", key, "SKILL.md")
  );
}
