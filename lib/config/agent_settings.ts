/** Settings per agent CLI: paths, models, extra arguments, overrides of this machine (spec 03 §5.3, §5.5, §5.7, §6.1). */
import { readKind, words } from "./kinds.ts";
import type { SettingProblem } from "./problems.ts";
import { fileValue, type ProfileFile } from "./profile_file.ts";
import type { AgentVariables, ResolvedSetting } from "./types.ts";

/** What the environment and the file say about agents. */
export interface AgentSettings {
  readonly agentPaths: Readonly<Record<string, string>>;
  readonly agentModels: Readonly<Record<string, string>>;
  readonly agentArgs: Readonly<Record<string, readonly string[]>>;
  readonly profileCommandOverrides: Readonly<Record<string, string>>;
  /** The host's environment as agents inherit it. */
  readonly inheritedEnv: Readonly<Record<string, string>>;
  readonly settings: readonly ResolvedSetting[];
  readonly problems: readonly SettingProblem[];
}

/** `PATH` of a host that has none (decisions: empty PATH of the host). */
export const FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Reads all `MULTICA_<AGENT>_…` variables, the OpenClaw values and the command overrides. */
export function agentSettings(
  env: Readonly<Record<string, string>>,
  file: ProfileFile,
  configFile: string,
  variables: AgentVariables,
): AgentSettings {
  const problems: SettingProblem[] = [];
  const inheritedEnv = inherited(env, file);
  const settings: ResolvedSetting[] = [];
  const note = (name: string, value: string, variable: string) =>
    settings.push({
      name,
      value,
      ...(variable in env
        ? { origin: "environment", source: variable }
        : { origin: "profile file", source: `backends.openclaw in ${configFile}` }),
    });
  const read = (suffix: "PATH" | "MODEL", providers: readonly string[]) => {
    const values: Record<string, string> = {};
    for (const provider of providers) {
      const variable = `MULTICA_${provider.toUpperCase()}_${suffix}`;
      const value = inheritedEnv[variable]?.trim() ?? "";
      if (value === "") continue;
      values[provider] = value;
      note(`${provider}_${suffix.toLowerCase()}`, value, variable);
    }
    return values;
  };
  const agentPaths = read("PATH", variables.paths);
  const agentModels = read("MODEL", variables.models);
  const agentArgs = readArgs(env, variables.args, settings, problems);
  const profileCommandOverrides = readOverrides(file, configFile, settings, problems);
  return { agentPaths, agentModels, agentArgs, profileCommandOverrides, inheritedEnv, settings, problems };
}

function readArgs(
  env: Readonly<Record<string, string>>,
  providers: readonly string[],
  settings: ResolvedSetting[],
  problems: SettingProblem[],
): Record<string, readonly string[]> {
  const kind = words();
  const args: Record<string, readonly string[]> = {};
  for (const provider of providers) {
    const source = `MULTICA_${provider.toUpperCase()}_ARGS`;
    const value = env[source]?.trim() ?? "";
    if (value === "") continue;
    const read = readKind(kind, value);
    if (read.refused !== undefined || read.value === undefined) {
      problems.push({ source, value, reason: read.refused ?? "it cannot be used", want: kind.want });
      continue;
    }
    args[provider] = read.value;
    settings.push({
      name: `${provider}_args`,
      value: kind.print(read.value),
      origin: "environment",
      source,
    });
  }
  return args;
}

function readOverrides(
  file: ProfileFile,
  configFile: string,
  settings: ResolvedSetting[],
  problems: SettingProblem[],
): Record<string, string> {
  const raw = file["profile_command_overrides"];
  if (raw === undefined || raw === null) return {};
  const source = `profile_command_overrides in ${configFile}`;
  if (!isTextMap(raw)) {
    const want = "an object of runtime profile id to absolute path";
    problems.push({ source, value: JSON.stringify(raw), reason: "it is no object of texts", want });
    return {};
  }
  const overrides: Record<string, string> = {};
  for (const [id, text] of Object.entries(raw)) {
    const path = text.trim();
    if (path === "") continue;
    overrides[id] = path;
    settings.push({ name: `command_override ${id}`, value: path, origin: "profile file", source });
  }
  return overrides;
}

function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === "string");
}

/** The environment, with the file's OpenClaw values where the variable is absent (present but empty counts as set). */
function inherited(env: Readonly<Record<string, string>>, file: ProfileFile): Record<string, string> {
  const result = { ...env };
  const export_ = (variable: string, key: string) => {
    const value = fileValue(file, key);
    if (!(variable in env) && typeof value === "string" && value !== "") result[variable] = value;
  };
  export_("MULTICA_OPENCLAW_PATH", "backends.openclaw.binary_path");
  export_("OPENCLAW_STATE_DIR", "backends.openclaw.state_dir");
  if ((result["PATH"] ?? "").trim() === "" && Deno.build.os !== "windows") result["PATH"] = FALLBACK_PATH;
  return result;
}
