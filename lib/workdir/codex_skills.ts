/** The user's own Codex skills, shown in a task's home (spec 04 §7.3, 20.6). */
import { join } from "node:path";
import { errorText, getLog, type WorkFiles } from "../core/mod.ts";
import { skillSlug } from "./skill_slugs.ts";

const log = getLog("workdir", "codex");

/** What is shown where. */
export interface UserSkillsInput {
  /** `<shared>/skills`. */
  readonly from: string;
  /** `<env>/codex-home/skills`. */
  readonly to: string;
  readonly files: WorkFiles;
  /** Slugs of the task's own skills: these win. */
  readonly ours: ReadonlySet<string>;
  readonly link: (path: string, target: string) => Promise<void>;
}

/** One link per skill directory; a copy where no link may be made. A skill that cannot be shown is only said. */
export async function showUserSkills({ from, to, files, ours, link }: UserSkillsInput): Promise<void> {
  for (const { name } of await entriesOf(from)) {
    if (name.startsWith(".") || ours.has(skillSlug(name))) continue;
    const [source, target] = [join(from, name), join(to, name)];
    try {
      if (!(await Deno.stat(source)).isDirectory) continue;
      await files.mkdir(to);
      await link(target, await Deno.realPath(source)).catch(() => copyTree(source, target, files));
    } catch (error) {
      log.warn("user skill not shown to codex", { skill: name, error: errorText(error) });
    }
  }
}

async function entriesOf(dir: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(dir));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

/** Regular files only; links inside are left out. */
async function copyTree(from: string, to: string, files: WorkFiles): Promise<void> {
  await files.mkdir(to);
  for await (const { name, isFile, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyTree(join(from, name), join(to, name), files);
    else if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}
