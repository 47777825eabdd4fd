/** A task's own CODEX_HOME: the user's configuration edited, credentials linked, sessions apart (spec 04 §7, 20.6). */
import { dirname, join, normalize, resolve } from "node:path";
import type { ClaimedTask, Skill } from "../control/mod.ts";
import { errorText, getLog, HostError, isBelow, openFiles, type WorkFiles } from "../core/mod.ts";
import { seedModelCache } from "./codex_home_cache.ts";
import { codexConfig, referencedFiles, sandboxFor } from "./codex_home_config.ts";
import { placeCodexSessions } from "./codex_home_sessions.ts";
import { codexDisabledFiles, disabledSkills } from "./disabled_skills.ts";
import { showUserSkills } from "./codex_skills.ts";
import { conversationKey } from "./phrasing.ts";
import { readHomeFile } from "./provider_homes_files.ts";
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
  /** The user's home directory: the user's own links in the shared home may lead into it. Default: the parent of `shared`. */
  readonly userHome?: string;
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
  /** Milliseconds since the epoch, marks a session store as used. Default: it is not marked. */
  readonly nowMs?: number;
  /** Makes a symbolic link where this thread may not. */
  readonly link: (path: string, target: string) => Promise<void>;
}

/** The user's Codex home: `CODEX_HOME`, else `~/.codex`. Absolute. */
export function sharedCodexHome(home: string, env: Readonly<Record<string, string>>): string {
  return resolve((env.CODEX_HOME ?? "").trim() || join(home, ".codex"));
}

/**
 * Builds or refreshes the home and returns its skills.
 * @throws {HostError} when the directory or its `config.toml` cannot be written: nothing may run with the wrong policy
 */
export async function buildCodexHome(input: CodexHomeInput): Promise<SkillPlan> {
  const { files, home } = input;
  const there = await files.lstat(home);
  if (there !== undefined && there.kind !== "dir") {
    throw configError(`${home} is no directory`, { path: home });
  }
  await files.mkdir(home);
  await Deno.mkdir(input.shared, { recursive: true });
  const config = await readOwn(input, "config.toml") ?? "";
  const jobs = [
    lenient("sessions", () => placeSessions(input)),
    lenient("auth.json", () => linkAuth(input)),
    lenient("plugin cache", () => linkPlugins(input)),
    lenient("config.json", () => copyPlain(input, "config.json")),
    lenient("instructions.md", () => copyPlain(input, "instructions.md")),
    lenient(
      "models_cache.json",
      () =>
        seedModelCache({
          files,
          codexHome: home,
          shared: input.shared,
          config,
          isFresh: there === undefined,
        }),
    ),
    writeConfig(input, config),
  ];
  await Promise.allSettled(jobs); // nothing is still being written when one of them has failed
  await Promise.all(jobs);
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
async function writeConfig(input: CodexHomeInput, own: string): Promise<void> {
  const { files, home, os, inherited, task } = input;
  if (os === "darwin") log.warn("codex runs without its sandbox: on macOS it would cut the network off");
  const text = codexConfig(own, {
    sandbox: sandboxFor(os, own, input.args),
    keepMultiAgent: isOn(inherited.MULTICA_CODEX_MULTI_AGENT),
    keepMemory: isOn(inherited.MULTICA_CODEX_MEMORY),
    shellVariables: input.shellNames,
    disabledSkills: codexDisabledFiles(disabledSkills(task, "codex", input.skills), {
      codexHome: home,
      home: input.userHome ?? dirname(input.shared),
    }),
    isMcpManaged: task.agent?.mcp_config !== undefined,
  });
  await writeChanged(files, join(home, "config.toml"), text, 0o600);
  for (const name of referencedFiles(own)) await copyReferenced(input, name);
}

/** Files the configuration names by a relative path come along; one that is missing or escapes is an error. */
async function copyReferenced(input: CodexHomeInput, name: string): Promise<void> {
  const { files, home } = input;
  const target = join(home, normalize(name));
  if (!isBelow(target, home) || target === home || RESERVED.has(target.slice(home.length + 1))) {
    throw configError(`the file "${name}" named by config.toml is not one that may be brought along`, {
      name,
    });
  }
  const text = await readOwn(input, normalize(name));
  if (text === undefined) {
    throw configError(`the file "${name}" named by config.toml does not exist`, { name });
  }
  await files.mkdir(dirname(target));
  await writeChanged(files, target, text, 0o644);
}

/** What the host itself puts into the home. */
const RESERVED = new Set(["config.toml", "auth.json", "sessions", "skills", "plugins"]);

function configError(why: string, facts: Readonly<Record<string, string>>): HostError {
  return new HostError(`Cannot prepare Codex: ${why}`, {
    code: "codex_config_reference",
    hint: "correct the path in Codex's config.toml",
    facts,
  });
}

async function copyPlain(input: CodexHomeInput, name: string): Promise<void> {
  const path = join(input.home, name);
  const text = await readOwn(input, name);
  if (text === undefined) await input.files.remove(path);
  else await writeChanged(input.files, path, text, 0o644);
}

/** Linked, so that a refreshed login is seen; a stale copy in its place is replaced. */
async function linkAuth(input: CodexHomeInput): Promise<void> {
  const { files, home, shared } = input;
  const text = await readOwn(input, "auth.json");
  if (text === undefined) return;
  const path = join(home, "auth.json");
  try {
    await linkOnce(input, path, join(shared, "auth.json"));
  } catch (error) {
    log.warn("codex login copied instead of linked", { error: errorText(error) });
    await files.writeAtomic(path, text, { mode: 0o600, durable: false });
  }
}

async function linkPlugins(input: CodexHomeInput): Promise<void> {
  const source = join(input.shared, "plugins", "cache");
  await (await openFiles(input.shared)).mkdir(source);
  await input.files.mkdir(join(input.home, "plugins"));
  await linkOnce(input, join(input.home, "plugins", "cache"), source);
}

async function placeSessions(input: CodexHomeInput): Promise<void> {
  const { files, home, shared, profile, task, localDirectory, nowMs, link } = input;
  await placeCodexSessions({
    files,
    codexHome: home,
    shared,
    profile,
    agentId: task.agent_id,
    conversation: conversationKey(task),
    isLocalDirectory: localDirectory,
    priorSessionId: task.prior_session_id,
    nowMs,
    link,
  });
}

async function writeSkills(input: CodexHomeInput): Promise<SkillPlan> {
  const { files, home, shared, skills, link } = input;
  const to = join(home, "skills");
  await files.remove(to, { recursive: true });
  const plan = await planSkills(skills, "skills", new Set());
  const ours = new Set(plan.written.map(({ slug }) => slug));
  await lenient("user skills", () => showUserSkills({ from: join(shared, "skills"), to, files, ours, link }));
  for (const { path, text } of plan.files) {
    await files.mkdir(dirname(join(home, path)));
    await files.create(join(home, path), text);
  }
  return plan;
}

/** Links `path` to `target`; a right link is kept, anything else there is replaced. */
async function linkOnce({ files, link }: CodexHomeInput, path: string, target: string): Promise<void> {
  const there = await files.lstat(path);
  if (there?.kind === "link" && await Deno.readLink(path) === target) return;
  if (there !== undefined) await files.remove(path, { recursive: true });
  await link(path, target);
}

/** A file that did not change keeps its time. */
async function writeChanged(files: WorkFiles, path: string, text: string, mode: number): Promise<void> {
  const there = await files.lstat(path);
  if (there?.kind === "file" && there.mode === mode && await files.read(path) === text) return;
  await files.writeAtomic(path, text, { mode, durable: false });
}

async function readOwn({ shared, userHome }: CodexHomeInput, name: string): Promise<string | undefined> {
  return await readHomeFile(join(shared, name), [shared, userHome ?? dirname(shared)]);
}

function isOn(value: string | undefined): boolean {
  return ["1", "true", "yes", "on"].includes((value ?? "").trim().toLowerCase());
}
