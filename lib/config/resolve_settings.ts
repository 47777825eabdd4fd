/** Flags over environment over profile file over defaults, for every row of the table, with all problems at once. */
import { readKind } from "./kinds.ts";
import type { SettingProblem } from "./problems.ts";
import { fileValue, type ProfileFile } from "./profile_file.ts";
import {
  type Setting,
  type SettingContext,
  type SettingName,
  SETTINGS,
  type SettingValues,
} from "./settings.ts";
import { printableUrl } from "./server_url.ts";
import type { Origin, ResolvedSetting } from "./types.ts";

/** Values of flags by name without dashes; true for flags without a value. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Where values come from. */
export interface Sources {
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string>>;
  readonly file: ProfileFile;
  readonly configFile: string;
  /** Values that are given by the command itself (`multica-host local`). */
  readonly fixed?: Partial<Readonly<Record<SettingName, string>>>;
}

/** One value with where it came from. */
export interface Resolved<T> {
  readonly value: T;
  readonly origin: Origin;
  readonly source: string;
  readonly shown: string;
}

interface Candidate {
  readonly origin: Origin;
  readonly source: string;
  readonly raw: unknown;
}

/** All rows resolved. Rows with a problem hold their default. */
export interface ResolvedSettings {
  readonly values: SettingValues;
  readonly settings: readonly ResolvedSetting[];
  readonly problems: readonly SettingProblem[];
}

/** Resolves the whole table (spec 03 §5.1). */
export function resolveSettings(
  sources: Sources,
  where: Omit<SettingContext, "serverUrl">,
): ResolvedSettings {
  const problems: SettingProblem[] = [];
  const server = resolveOne(
    "server_url",
    SETTINGS.server_url,
    sources,
    { ...where, serverUrl: "" },
    problems,
  );
  const context = { ...where, serverUrl: server.value };
  const values: Record<string, unknown> = {};
  const settings: ResolvedSetting[] = [];
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    const resolved = name === "server_url" ? server : resolveOne(name, setting, sources, context, problems);
    values[name] = resolved.value;
    settings.push({ name, value: resolved.shown, origin: resolved.origin, source: resolved.source });
  }
  return { values: values as SettingValues, settings, problems };
}

function resolveOne<T>(
  name: SettingName,
  setting: Setting<T>,
  sources: Sources,
  context: SettingContext,
  problems: SettingProblem[],
): Resolved<T> {
  const kind = typeof setting.kind === "function" ? setting.kind(context) : setting.kind;
  const show = (value: T) => printableUrl(kind.print(value));
  for (const candidate of candidates(name, setting, sources)) {
    const read = readKind(kind, candidate.raw);
    if (read.refused !== undefined) {
      problems.push({
        source: candidate.source,
        value: printableUrl(
          typeof candidate.raw === "string" ? candidate.raw : JSON.stringify(candidate.raw),
        ),
        reason: read.refused,
        want: kind.want,
      });
      break;
    }
    if (read.value === undefined) continue;
    const { origin, source } = candidate;
    return { value: read.value, origin, source, shown: show(read.value) };
  }
  const value = setting.fallback(context);
  return { value, origin: "default", source: "", shown: show(value) };
}

/** What was given for a setting, strongest first. Blank texts count as not given. */
function candidates(
  name: SettingName,
  setting: Pick<Setting<unknown>, "flag" | "env" | "key" | "inverted">,
  sources: Sources,
): Candidate[] {
  const found: Candidate[] = [];
  const add = (origin: Origin, source: string, raw: unknown) => {
    const value = typeof raw === "string" ? raw.trim() : raw;
    if (value !== undefined && value !== null && value !== "") found.push({ origin, source, raw: value });
  };
  add("fixed", "this command", sources.fixed?.[name]);
  const { flag, env, key } = setting;
  if (flag !== undefined) {
    const given = sources.flags[flag.name];
    if (flag.value !== undefined) add("flag", `--${flag.name}`, given);
    else if (given === true) add("flag", `--${flag.name}`, flag.means);
  }
  if (env !== undefined) add("environment", env, sources.env[env]);
  if (key !== undefined) {
    const raw = fileValue(sources.file, key);
    const meant = setting.inverted ? (raw === true ? false : raw === false ? undefined : raw) : raw;
    add("profile file", `${key} in ${sources.configFile}`, meant);
  }
  return found;
}
