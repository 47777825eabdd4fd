/** The user's own Codex skills, copied into a task's home (spec 04 §7.3). */
import { join } from "node:path";
import { errorText, getLog, type WorkFiles } from "../core/mod.ts";
import { skillSlug } from "./skill_slugs.ts";

const log = getLog("workdir", "codex");

/** Copies each skill directory whose slug no skill of the task has. A skill that cannot be copied is only said. */
export async function copyUserSkills(
  from: string,
  to: string,
  files: WorkFiles,
  ours: ReadonlySet<string>,
): Promise<void> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(from));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  }
  for (const { name } of entries) {
    if (name.startsWith(".") || ours.has(skillSlug(name))) continue;
    try {
      const real = await Deno.realPath(join(from, name));
      if ((await Deno.stat(real)).isDirectory) await copyTree(real, join(to, name), files);
    } catch (error) {
      log.warn("user skill not copied", { skill: name, error: errorText(error) });
    }
  }
}

/** Regular text files only; links inside are left out. */
async function copyTree(from: string, to: string, files: WorkFiles): Promise<void> {
  await files.mkdir(to);
  for await (const { name, isFile, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyTree(join(from, name), join(to, name), files);
    else if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}
