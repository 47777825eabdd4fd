/** What a provider gets beside the common files: homes, managed MCP, variables (spec 04 §7, 8, 17.4). */
import { join } from "node:path";
import type { WorkFiles } from "../core/mod.ts";
import { shellVisibleNames } from "./agent_environment.ts";
import { buildCodexHome, sharedCodexHome } from "./codex_home.ts";
import { claudeSkillSettings, disabledSkills } from "./disabled_skills.ts";
import { cursorMcp, cursorProjectRoot, cursorSlug, writeCursorData } from "./cursor_mcp.ts";
import { placeCursorAuth } from "./cursor_mcp_auth.ts";
import { type EnvPaths, FALLBACK_SKILLS } from "./layout.ts";
import type { PrepareInput, WorkdirDeps } from "./ports.ts";
import { mergedMcp } from "./provider_homes_mcp.ts";
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
  /** What the driver hands over: the agent's servers over those of this machine; undefined = the CLI's own. */
  readonly mcpConfig: Readonly<Record<string, unknown>> | undefined;
  /** Settings the host owns and the CLI is given, "" for none. */
  readonly settingsFile: string;
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
  const { home, inheritedEnv } = given.deps.settings;
  const mcpConfig = await mergedMcp({
    provider,
    home,
    env: inheritedEnv,
    mcpConfig: given.input.task.agent?.mcp_config,
  });
  if (provider === "codex") return { ...await codex(given), mcpConfig, settingsFile: "" };
  const skills = await workdirSkills(given);
  const own = provider === "cursor" ? await cursor(given, mcpConfig) : { files: [], env: {} };
  const dir = given.deps.providerFiles(provider)?.skillDir ?? "";
  return {
    files: [...skills.files, ...own.files],
    skills,
    skillsDir: dir === "" ? FALLBACK_SKILLS : "",
    env: own.env,
    mcpConfig,
    settingsFile: provider === "claude" ? await claudeSettings(given) : "",
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

/** The file that hides skills of this machine from Claude, "" when there are none to hide. */
async function claudeSettings({ input, paths, env }: ProviderHomeInput): Promise<string> {
  const disabled = disabledSkills(input.task, "claude", input.skills);
  if (disabled.length === 0) return "";
  const text = claudeSkillSettings(disabled);
  await env.writeAtomic(paths.claudeSkills, text, { mode: 0o600, durable: false });
  return paths.claudeSkills;
}

async function codex(
  { input, deps, paths, env, common }: ProviderHomeInput,
): Promise<Omit<ProviderHome, "mcpConfig" | "settingsFile">> {
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
    userHome: settings.home,
    nowMs: deps.clock.now(),
    link: deps.link,
  });
  return { files: [], skills, skillsDir: "", env: additions };
}

async function cursor(
  { input, deps, paths, env, work, workDir }: ProviderHomeInput,
  config: ProviderHome["mcpConfig"],
) {
  if (config === undefined) return { files: [], env: {} };
  const root = await cursorProjectRoot(work, workDir, workDir);
  const { file, approvals } = cursorMcp(config, root);
  await writeCursorData(env, paths.cursorData, root, approvals);
  await placeCursorAuth({
    files: env,
    projectDir: join(paths.cursorData, "projects", cursorSlug(root)),
    source: input.task.agent?.custom_env.CURSOR_MCP_AUTH_SOURCE ?? "",
    home: deps.settings.home,
    link: deps.link,
  });
  return { files: [file], env: { CURSOR_DATA_DIR: paths.cursorData } };
}
