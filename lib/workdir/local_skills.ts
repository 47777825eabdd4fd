/** Skills installed on this machine, listed and imported on the server's request (spec 04 §15, §20.15). */
import { isAbsolute, join, posix, relative } from "node:path";
import type { LocalSkillEntry } from "../control/mod.ts";
import { errorText, getLog, HostError } from "../core/mod.ts";
import { canDisableSkills } from "./disabled_skills.ts";
import { pluginRoots } from "./local_skill_plugins.ts";

const log = getLog("workdir", "local-skills");

const MAX_DEPTH = 4;
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_TOTAL_BYTES = 8 * 1024 * 1024;
const MAX_FILES = 256;

/** A skill as imported: whole texts. */
export interface ImportedSkill {
  readonly name: string;
  readonly description?: string;
  readonly content: string;
  readonly source_path: string;
  readonly provider: string;
  readonly files?: readonly { readonly path: string; readonly content: string }[];
}

/** Where a provider keeps its own files: below the home, or where the first of these variables says. */
interface ProviderRoot {
  readonly home: string;
  readonly variables?: readonly string[];
  /** @default "skills" */
  readonly below?: string;
}

const PROVIDER_ROOTS: Readonly<Record<string, ProviderRoot>> = {
  claude: { home: ".claude" },
  codebuddy: { home: ".codebuddy" },
  codex: { home: ".codex", variables: ["CODEX_HOME"] },
  copilot: { home: ".copilot" },
  opencode: { home: ".config/opencode" },
  openclaw: { home: ".openclaw" },
  hermes: { home: ".hermes" },
  kimi: { home: ".kimi" },
  qoder: { home: ".qoder" },
  qoderclicn: { home: ".qoder-cn" },
  pi: { home: ".pi/agent" },
  cursor: { home: ".cursor" },
  kiro: { home: ".kiro" },
  antigravity: { home: ".gemini/antigravity-cli" },
  deveco: { home: ".config/deveco" },
  traecli: { home: ".traecli" },
  mcode: { home: ".minimax" },
  omp: { home: ".omp/agent" },
  reasonix: { home: ".reasonix", variables: ["REASONIX_HOME"] },
  dsh: { home: ".dsh", variables: ["DSH_HOME"] },
  grok: { home: ".grok", variables: ["GROK_HOME"] },
  qwen: { home: ".qwen", variables: ["QWEN_HOME"] },
  qwenpaw: {
    home: ".qwenpaw",
    variables: ["QWENPAW_WORKING_DIR", "COPAW_WORKING_DIR"],
    below: "skill_pool",
  },
};

/** Where to look, and in which order. */
export interface SkillPlaces {
  readonly provider: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Root {
  readonly dir: string;
  readonly kind: "provider" | "universal" | "plugin";
  /** Whose skills these are; keys begin with it. */
  readonly plugin?: string;
}

async function roots(places: SkillPlaces): Promise<readonly Root[] | undefined> {
  const row = PROVIDER_ROOTS[places.provider];
  if (row === undefined) return undefined;
  const named = (row.variables ?? []).map((name) => (places.env[name] ?? "").trim()).find((dir) =>
    dir !== ""
  );
  return [
    { dir: join(named ?? join(places.home, row.home), row.below ?? "skills"), kind: "provider" },
    { dir: join(places.home, ".agents/skills"), kind: "universal" },
    ...(places.provider === "claude" ? await pluginRoots(places.home) : [])
      .map(({ plugin, dir }): Root => ({ dir, kind: "plugin", plugin })),
  ];
}

/** All skills of a provider, sorted by key; undefined when the provider has none to show. */
export async function listLocalSkills(places: SkillPlaces): Promise<readonly LocalSkillEntry[] | undefined> {
  const found = new Map<string, LocalSkillEntry>();
  const where = await roots(places);
  if (where === undefined) return undefined;
  for (const root of where) {
    if (!await exists(root.dir)) continue;
    await walk(root.dir, root.dir, 0, new Set(), async (dir, below) => {
      const key = root.plugin === undefined ? below : `${root.plugin}:${below}`;
      if (found.has(key)) return;
      const skill = await readSkill(dir, places).catch((error: unknown) => {
        log.debug("local skill left out", { path: dir, error: errorText(error) });
        return undefined;
      });
      if (skill === undefined) return;
      found.set(key, {
        key,
        name: skill.name,
        source_path: skill.source_path,
        provider: places.provider,
        root: root.kind,
        ...(root.plugin === undefined ? {} : { plugin: root.plugin }),
        file_count: (skill.files?.length ?? 0) + 1,
        ...(canDisableSkills(places.provider) ? { can_disable: true } : {}),
        ...(skill.description === undefined ? {} : { description: skill.description }),
      });
    });
  }
  return [...found.values()].sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** One skill by the key of the list. @throws {HostError} for a bad key, an unsupported provider, no such skill. */
export async function importLocalSkill(places: SkillPlaces, skillKey: string): Promise<ImportedSkill> {
  const where = await roots(places);
  if (where === undefined) {
    throw new HostError(`provider "${places.provider}" does not expose runtime local skills`, {
      code: "local_skills_unsupported",
    });
  }
  const key = posix.normalize(skillKey.trim());
  if (![key, key.slice(key.indexOf(":") + 1)].every(staysBelow)) {
    throw new HostError(`local skill key "${skillKey}" is not a relative path below a skill directory`, {
      code: "local_skill_key",
    });
  }
  for (const root of where) {
    if (root.plugin !== undefined && !key.startsWith(`${root.plugin}:`)) continue;
    const dir = join(root.dir, root.plugin === undefined ? key : key.slice(root.plugin.length + 1));
    if (await exists(join(dir, "SKILL.md"))) return await readSkill(dir, places);
  }
  throw new HostError(`local skill "${key}" was not found on this machine`, { code: "local_skill_missing" });
}

function staysBelow(key: string): boolean {
  const path = posix.normalize(key);
  return path !== "." && !isAbsolute(path) && !path.startsWith("..") && !path.includes("\\");
}

/** Visits every skill directory below `dir`; stops at skills, at depth 4 and at directories seen before. */
async function walk(
  root: string,
  dir: string,
  depth: number,
  seen: Set<string>,
  visit: (dir: string, key: string) => Promise<void>,
): Promise<void> {
  const real = await Deno.realPath(dir).catch(() => undefined);
  if (depth > MAX_DEPTH || real === undefined || seen.has(real)) return;
  seen.add(real);
  const names: string[] = [];
  for await (const entry of Deno.readDir(dir)) if (!ignored(entry.name)) names.push(entry.name);
  for (const name of names.sort()) {
    const path = join(dir, name);
    const stat = await Deno.stat(path).catch(() => undefined);
    if (!stat?.isDirectory) continue;
    if (await exists(join(path, "SKILL.md"))) await visit(path, relative(root, path).replaceAll("\\", "/"));
    else await walk(root, path, depth + 1, seen, visit);
  }
}

function ignored(name: string): boolean {
  return name === "" || name.startsWith(".") || /^license(?:\.md|\.txt)?$/i.test(name);
}

async function readSkill(dir: string, places: SkillPlaces): Promise<ImportedSkill> {
  const path = join(dir, "SKILL.md");
  if (posix.basename((await Deno.realPath(path)).replaceAll("\\", "/")).toLowerCase() !== "skill.md") {
    throw new HostError(`${path} is a link to a file of another name`, { code: "local_skill_link" });
  }
  const { size } = await Deno.stat(path);
  if (size > MAX_FILE_BYTES) {
    throw new HostError(`${path} is larger than 1 MiB`, { code: "local_skill_size" });
  }
  const content = await Deno.readTextFile(path);
  const matter = await localFrontMatter(content);
  const files = await supportingFiles(await Deno.realPath(dir));
  return {
    name: matter.name !== "" ? matter.name : posix.basename(dir.replaceAll("\\", "/")),
    content,
    source_path: underHome(dir, places.home),
    provider: places.provider,
    ...(matter.description === "" ? {} : { description: matter.description }),
    ...(files.length === 0 ? {} : { files }),
  };
}

/** Name and description of a local skill's front matter, trimmed; both empty when there is none (spec 04 §15.3). */
export async function localFrontMatter(
  content: string,
): Promise<{ readonly name: string; readonly description: string }> {
  const block = /^---\r?\n([\s\S]*?)\r?\n---/.exec(content)?.[1];
  let fields: unknown;
  try {
    fields = block === undefined ? undefined : (await import("yaml")).parse(block);
  } catch {
    // Not YAML: the skill is listed under its directory's name.
    fields = undefined;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    return { name: "", description: "" };
  }
  const map = fields as Record<string, unknown>;
  return { name: scalar(map["name"]).trim(), description: scalar(map["description"]).trim() };
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const BINARY = new Set(
  ("png jpg jpeg gif webp bmp tiff ico heic ttf otf woff woff2 eot zip gz tar bz2 7z rar pdf docx xlsx pptx doc xls ppt " +
    "mp3 mp4 wav avi mov webm m4a flac exe dll so dylib class jar wasm db sqlite sqlite3 pyc").split(" "),
);

/** Text files beside SKILL.md, links and binaries left out, sorted by path. @throws beyond the limits. */
async function supportingFiles(
  dir: string,
): Promise<readonly { readonly path: string; readonly content: string }[]> {
  const files: { path: string; content: string }[] = [];
  let total = 0;
  const visit = async (at: string): Promise<void> => {
    for await (const entry of Deno.readDir(at)) {
      if (entry.isSymlink || ignored(entry.name) || entry.name.toLowerCase() === "skill.md") continue;
      const path = join(at, entry.name);
      if (entry.isDirectory) {
        await visit(path);
        continue;
      }
      const content = await readText(path);
      if (content === undefined) continue;
      total += content.length;
      if (files.length >= MAX_FILES || total > MAX_TOTAL_BYTES) {
        throw new HostError(`${dir} holds more than ${MAX_FILES} files or 8 MiB`, {
          code: "local_skill_size",
        });
      }
      files.push({ path: relative(dir, path).replaceAll("\\", "/"), content });
    }
  };
  await visit(dir);
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** undefined for what cannot travel as text: too large, binary by name or content, unreadable. */
async function readText(path: string): Promise<string | undefined> {
  if (BINARY.has(path.slice(path.lastIndexOf(".") + 1).toLowerCase())) return undefined;
  try {
    if ((await Deno.stat(path)).size > MAX_FILE_BYTES) return undefined;
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
    return text.includes("\0") ? undefined : text;
  } catch (error) {
    log.debug("file of a local skill left out", { path, error: errorText(error) });
    return undefined;
  }
}

function underHome(path: string, home: string): string {
  const below = relative(home, path);
  const shown = below.startsWith("..") || isAbsolute(below) ? path : `~/${below}`;
  return shown.replaceAll("\\", "/");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
