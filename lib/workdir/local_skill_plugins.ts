/** Claude's plugins that bring skills: enabled in its settings and installed (spec 04 §20.15). */
import { join } from "node:path";
import * as z from "zod";
import { errorText, getLog, isBelow } from "../core/mod.ts";

const log = getLog("workdir", "local-skills");

/** The skills of one plugin. */
export interface PluginRoot {
  /** Name without its marketplace. */
  readonly plugin: string;
  readonly dir: string;
}

const settingsSchema = z.object({ enabledPlugins: z.record(z.string(), z.unknown()).catch({}) });
const install = z.object({ installPath: z.string().min(1) });
/** One installation a plugin in the first form of the file, a list of them in the second. */
const installedSchema = z.object({
  plugins: z.record(z.string(), z.union([install.transform((one) => [one]), z.array(install)]).catch([])),
});

/** Skill directories of the enabled plugins, by name. Files that are missing or odd mean none. */
export async function pluginRoots(home: string): Promise<readonly PluginRoot[]> {
  const claude = join(home, ".claude");
  const settings = settingsSchema.safeParse(await readJson(join(claude, "settings.json")));
  const installed = installedSchema.safeParse(
    await readJson(join(claude, "plugins", "installed_plugins.json")),
  );
  if (!settings.success || !installed.success) return [];
  const { enabledPlugins } = settings.data;
  return Object.entries(installed.data.plugins)
    .filter(([id]) => enabledPlugins[id] === true)
    .flatMap(([id, [newest]]) => {
      // What lies elsewhere is no plugin Claude has put there.
      if (newest === undefined || !isBelow(newest.installPath, join(claude, "plugins"))) return [];
      return [{ plugin: id.split("@")[0]!, dir: join(newest.installPath, "skills") }];
    })
    .sort((a, b) => a.plugin < b.plugin ? -1 : 1);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.debug("claude's plugins not read", { path, error: errorText(error) });
    }
    return undefined;
  }
}
