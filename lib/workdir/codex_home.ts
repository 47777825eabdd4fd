/** A task's own CODEX_HOME: the user's configuration edited, credentials linked, sessions apart (spec 04 §7, 20.6). */
import { createHash } from "node:crypto";
import { dirname, join, posix } from "node:path";
import { cacheSegment, type ClaimedTask, type Skill } from "../control/mod.ts";
import { errorText, getLog, HostError, isBelow, type WorkFiles } from "../core/mod.ts";
import { editCodexConfig, sandboxMode } from "./codex_blocks.ts";
import { referencedFiles, windowsSandbox } from "./codex_references.ts";
import { copyUserSkills } from "./codex_skills.ts";
import { conversationKey } from "./phrasing.ts";
import { planSkills, type SkillPlan } from "./skill_files.ts";

const log = getLog("workdir", "codex");

/** What a Codex home is made from. */
export interface CodexHomeInput {
  /** Access below the env root. */
  readonly files: WorkFiles;
  /** `<env>/codex-home`. */
  readonly home: string;
  /** The user's own Codex home. */
  readonly shared: string;
  readonly task: ClaimedTask;
  readonly skills: readonly Skill[];
  /** The env root is new each time, the conversation is not: sessions live in the shared home. */
  readonly localDirectory: boolean;
  readonly profile: string;
  readonly os: string;
  readonly inherited: Readonly<Record<string, string>>;
  /** Arguments of the run, for `-c windows.sandbox=…`. */
  readonly args: readonly string[];
  /** Names the shells of Codex may see. */
  readonly shellNames: readonly string[];
  /** Makes a symbolic link where this thread may not. */
  readonly link: (path: string, target: string) => Promise<void>;
}

/** The user's Codex home: `CODEX_HOME`, else `~/.codex`. */
export function sharedCodexHome(home: string, env: Readonly<Record<string, string>>): string {
  const named = (env.CODEX_HOME ?? "").trim();
  return named !== "" ? named : join(home, ".codex");
}

/**
 * Builds or refreshes the home and returns its skills.
 * @throws {HostError} when the directory or its `config.toml` cannot be written: nothing may run with the wrong policy
 */
export async function buildCodexHome(input: CodexHomeInput): Promise<SkillPlan> {
  const { files, home } = input;
  await files.mkdir(home);
  await Promise.all([
    lenient("sessions", () => placeSessions(input)),
    lenient("auth.json", () => linkAuth(input)),
    lenient("plugin cache", () => linkPlugins(input)),
    copyPlain(input, "config.json"),
    copyPlain(input, "instructions.md"),
    writeConfig(input),
  ]);
  return await writeSkills(input);
}

/** Trouble with what Codex can do without is only said. */
async function lenient(what: string, job: () => Promise<void>): Promise<void> {
  try {
    await job();
  } catch (error) {
    log.warn("codex home is not complete", { what, error: errorText(error) });
  }
}

/** The configuration decides what the agent may do: failing here is failing the task. */
async function writeConfig(input: CodexHomeInput): Promise<void> {
  const { files, home, shared, inherited } = input;
  const before = await readShared(join(shared, "config.toml")) ?? "";
  const text = editCodexConfig(before, {
    sandbox: sandboxMode({
      os: input.os,
      windowsSandbox: input.os === "windows" ? await windowsSandbox(before, input.args) : "",
    }),
    keepMultiAgent: isOn(inherited.MULTICA_CODEX_MULTI_AGENT),
    keepMemory: isOn(inherited.MULTICA_CODEX_MEMORY),
    shellNames: input.shellNames,
    noLoginShell: true,
  });
  const path = join(home, "config.toml");
  if (await files.read(path) !== text) await files.writeAtomic(path, text, { mode: 0o600, durable: false });
  for (const name of referencedFiles(before)) await copyReferenced(input, name);
}

/** Files the configuration names by a relative path come along; one that is missing or escapes is an error. */
async function copyReferenced({ files, home, shared }: CodexHomeInput, name: string): Promise<void> {
  const target = join(home, posix.normalize(name));
  if (!isBelow(target, home) || target === home) throw referenceError(name, "leads out of the Codex home");
  const text = await readShared(join(shared, name));
  if (text === undefined) throw referenceError(name, "does not exist");
  await files.mkdir(dirname(target));
  await files.writeAtomic(target, text, { durable: false });
}

function referenceError(name: string, why: string): HostError {
  return new HostError(`Cannot prepare Codex: the file "${name}" named by config.toml ${why}`, {
    code: "codex_config_reference",
    hint: "correct the path in Codex's config.toml",
    facts: { name },
  });
}

async function copyPlain({ files, home, shared }: CodexHomeInput, name: string): Promise<void> {
  await lenient(name, async () => {
    const text = await readShared(join(shared, name));
    const path = join(home, name);
    if (text === undefined) await files.remove(path);
    else if (await files.read(path) !== text) await files.writeAtomic(path, text, { durable: false });
  });
}

/** Linked, so that a refreshed login is seen; a stale copy in its place is replaced. */
async function linkAuth(input: CodexHomeInput): Promise<void> {
  const { files, home, shared } = input;
  const source = join(shared, "auth.json");
  const text = await readShared(source);
  if (text === undefined) return;
  const path = join(home, "auth.json");
  try {
    await linkOnce(input, path, source);
  } catch (error) {
    log.warn("codex login copied instead of linked", { error: errorText(error) });
    await files.writeAtomic(path, text, { mode: 0o600, durable: false });
  }
}

async function linkPlugins(input: CodexHomeInput): Promise<void> {
  const source = join(input.shared, "plugins", "cache");
  await Deno.mkdir(source, { recursive: true });
  await input.files.mkdir(join(input.home, "plugins"));
  await linkOnce(input, join(input.home, "plugins", "cache"), source);
}

/** A managed root keeps its sessions itself; a user's directory keeps them with the shared home, per conversation. */
async function placeSessions(input: CodexHomeInput): Promise<void> {
  const { files, home, localDirectory, task } = input;
  const path = join(home, "sessions");
  const there = await files.lstat(path);
  if (there?.kind === "dir") return;
  if (there?.kind === "link") await dropIndexes(files, home);
  if (conversationKey(task) === "" || !localDirectory && there === undefined) {
    if (there !== undefined) await files.remove(path);
    await files.mkdir(path);
    return;
  }
  const store = codexSessionStore(input);
  await Deno.mkdir(store, { recursive: true });
  if (there?.kind === "link") {
    await exposeRollouts(join(input.shared, "sessions"), store, task.prior_session_id);
  }
  await linkOnce(input, path, store);
}

/** `<shared>/multica-sessions/<namespace>/<agent id or _>/<issue id, or chat_<chat id>>`. */
export function codexSessionStore(
  { shared, profile, task }: Pick<CodexHomeInput, "shared" | "profile" | "task">,
): string {
  const namespace = profile === "" ? "default" : `p_${createHash("sha256").update(profile).digest("hex")}`;
  return join(
    shared,
    "multica-sessions",
    namespace,
    cacheSegment(task.agent_id),
    cacheSegment(conversationKey(task)),
  );
}

/** The old index knows every session of the user's; Codex makes a new one. */
async function dropIndexes(files: WorkFiles, home: string): Promise<void> {
  for (const { name } of await files.list(home) ?? []) {
    if (/^state_.*\.sqlite(?:-shm|-wal)?$/.test(name)) await files.remove(join(home, name));
  }
}

/** The one transcript that is resumed, by hard link: one authority, no copy. */
async function exposeRollouts(from: string, store: string, sessionId: string): Promise<void> {
  if (sessionId === "") return;
  for (const path of await findRollouts(from, sessionId)) {
    const target = join(store, path.slice(path.lastIndexOf("/") + 1));
    await Deno.link(path, target).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  }
}

/** Rollouts of a session, flat or in `YYYY/MM/DD`. @throws what reading the directories throws */
export async function findRollouts(root: string, sessionId: string, depth = 3): Promise<string[]> {
  const found: string[] = [];
  const dirs: string[] = [];
  for await (const entry of Deno.readDir(root)) {
    const path = `${root}/${entry.name}`;
    if (entry.isDirectory && depth > 0) dirs.push(path);
    else if (
      entry.isFile && entry.name.startsWith("rollout-") && entry.name.includes(`-${sessionId}.jsonl`)
    ) {
      found.push(path);
    }
  }
  for (const dir of dirs.sort().reverse()) {
    if (found.length > 0) break;
    found.push(...await findRollouts(dir, sessionId, depth - 1));
  }
  return found;
}

async function writeSkills(input: CodexHomeInput): Promise<SkillPlan> {
  const { files, home, shared, skills } = input;
  const dir = join(home, "skills");
  await files.remove(dir, { recursive: true });
  const plan = await planSkills(skills, "skills", new Set());
  await lenient(
    "user skills",
    () => copyUserSkills(join(shared, "skills"), dir, files, new Set(plan.written.map(({ slug }) => slug))),
  );
  for (const { path, text } of plan.files) {
    await files.mkdir(dirname(join(home, path)));
    await files.create(join(home, path), text);
  }
  return plan;
}

/** Links `path` to `target`; a right link is kept, anything else there is replaced. */
async function linkOnce({ files, link }: CodexHomeInput, path: string, target: string): Promise<void> {
  const there = await files.lstat(path);
  if (there?.kind === "link" && await Deno.readLink(path).catch(() => "") === target) return;
  if (there !== undefined) await files.remove(path, { recursive: true });
  await link(path, target);
}

async function readShared(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new HostError(`Cannot read "${path}": ${errorText(error)}`, {
      code: "codex_home_unreadable",
      cause: error,
      facts: { path },
    });
  }
}

function isOn(value: string | undefined): boolean {
  return ["1", "true", "yes", "on"].includes((value ?? "").trim().toLowerCase());
}
