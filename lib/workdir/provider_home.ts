/** What a provider gets beside the common files: homes, managed MCP, variables (spec 04 §7, 8, 17.4). */
import { join } from "node:path";
import type { WorkFiles } from "../core/mod.ts";
import { shellVisibleNames } from "./agent_environment.ts";
import { buildCodexHome, sharedCodexHome } from "./codex_home.ts";
import { cursorMcp, cursorProjectRoot, writeCursorData } from "./cursor_mcp.ts";
import { type EnvPaths, FALLBACK_SKILLS } from "./layout.ts";
import type { PrepareInput, WorkdirDeps } from "./ports.ts";
import type { PlannedFile } from "./sidecars.ts";
import { planSkills, type SkillPlan } from "./skill_files.ts";

/** What a provider needs. */
export interface ProviderHome {
  /** Files for the work directory. */
  readonly files: readonly PlannedFile[];
  readonly skills: SkillPlan;
  /** Where the agent must look for skills itself, "" = its CLI finds them. */
  readonly skillsDir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What it is built from. */
export interface ProviderHomeInput {
  readonly input: PrepareInput;
  readonly deps: WorkdirDeps;
  readonly paths: EnvPaths;
  /** Below the env root. */
  readonly env: WorkFiles;
  /** Below the work directory. */
  readonly work: WorkFiles;
  readonly workDir: string;
  /** Variables every provider gets. */
  readonly common: Readonly<Record<string, string>>;
  /** The work directory was made a moment ago. */
  readonly empty: boolean;
}

/** Builds the provider's part. @throws {HostError} when the agent would run with the wrong tools or rights */
export async function providerHome(given: ProviderHomeInput): Promise<ProviderHome> {
  const { provider } = given.input.target;
  if (provider === "codex") return await codex(given);
  const skills = await workdirSkills(given);
  const own = provider === "cursor" ? await cursor(given) : { files: [], env: {} };
  const dir = given.deps.providerFiles(provider)?.skillDir ?? "";
  return {
    files: [...skills.files, ...own.files],
    skills,
    skillsDir: dir === "" ? FALLBACK_SKILLS : "",
    env: own.env,
  };
}

/** Directory of the skills below the work directory; "" for Codex, whose skills lie in its home. */
export function skillParent(provider: string, deps: Pick<WorkdirDeps, "providerFiles">): string {
  return provider === "codex" ? "" : deps.providerFiles(provider)?.skillDir || FALLBACK_SKILLS;
}

async function workdirSkills({ input, deps, work, workDir, empty }: ProviderHomeInput): Promise<SkillPlan> {
  const parent = skillParent(input.target.provider, deps);
  if (input.skills.length === 0) return { files: [], written: [], listed: [] };
  const there = empty ? [] : await work.list(join(workDir, parent)) ?? [];
  return await planSkills(input.skills, parent, new Set(there.map(({ name }) => name)));
}

async function codex({ input, deps, paths, env, common }: ProviderHomeInput): Promise<ProviderHome> {
  const { settings } = deps;
  const { task, target } = input;
  const additions = {
    CODEX_HOME: paths.codexHome,
    ...(settings.os === "darwin" ? {} : { MULTICA_REPO_CHECKOUT_MODE: "isolated" }),
  };
  const skills = await buildCodexHome({
    files: env,
    home: paths.codexHome,
    shared: sharedCodexHome(settings.home, settings.inheritedEnv),
    task,
    skills: input.skills,
    localDirectory: input.local !== undefined,
    profile: settings.profile,
    os: settings.os,
    inherited: settings.inheritedEnv,
    args: [...target.prefixArgs, ...settings.agentArgs.codex ?? [], ...task.agent?.custom_args ?? []],
    shellNames: shellVisibleNames({
      task,
      serverUrl: settings.serverUrl,
      healthPort: settings.healthPort,
      workspacesRoot: settings.workspacesRoot,
      slot: 0,
      inherited: settings.inheritedEnv,
      shimDir: settings.shimDir,
      additions: { ...common, ...additions },
    }),
    link: deps.link,
  });
  return { files: [], skills, skillsDir: "", env: additions };
}

async function cursor({ input, paths, env, work, workDir }: ProviderHomeInput) {
  const config = input.task.agent?.mcp_config;
  if (config === undefined) return { files: [], env: {} };
  const root = await cursorProjectRoot(work, workDir, workDir);
  const { file, approvals } = cursorMcp(config, root);
  await writeCursorData(env, paths.cursorData, root, approvals);
  return { files: [file], env: { CURSOR_DATA_DIR: paths.cursorData } };
}
