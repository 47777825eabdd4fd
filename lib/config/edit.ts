/** Changing a profile's `config.json` by setting name, with the same checks as at a start (spec 03 §12.1, §17.1). */
import { HostError } from "../core/mod.ts";
import type { ConfigFiles } from "./files.ts";
import { readKind } from "./kinds.ts";
import { configFile } from "./paths.ts";
import { SettingsInvalid } from "./problems.ts";
import { type ProfileFile, readProfileFile, updateProfileFile, withFileValue } from "./profile_file.ts";
import { normaliseServerUrl } from "./server_url.ts";
import { type Setting, type SettingContext, SETTINGS } from "./settings.ts";

/** Which profile's file is changed. */
export interface EditTarget {
  readonly files: ConfigFiles;
  readonly home: string;
  readonly cwd: string;
  readonly profile: string;
}

/** A key that `config set` does not know. */
export class UnknownKey extends HostError {
  constructor(key: string) {
    super(`"${key}" is no setting of config.json`, {
      code: "unknown_key",
      hint: `known: ${editableKeys().join(", ")}`,
      facts: { key },
    });
  }
}

/** Keys `config set` takes, dotted. */
export function editableKeys(): string[] {
  const keys = Object.values(SETTINGS as Record<string, Setting<unknown>>).flatMap((row) => row.key ?? []);
  return ["server_url", "app_url", "workspace_id", ...keys.filter((key) => key !== "server_url")];
}

/** Writes one setting; "" removes it. Returns what was written. @throws {UnknownKey} @throws {SettingsInvalid} */
export function setFileSetting(target: EditTarget, key: string, text: string): unknown {
  if (!editableKeys().includes(key)) throw new UnknownKey(key);
  const value = text.trim() === "" ? undefined : fileForm(target, key, text.trim());
  updateProfileFile(
    target.files,
    configFile(target.home, target.profile),
    (file) => withFileValue(file, key, value),
  );
  return value;
}

/** The token and the server it belongs to; the default workspace is forgotten, it was another user's (spec 03 §10.1). */
export function saveLogin(target: EditTarget, login: { token: string; serverUrl: string }): void {
  updateProfileFile(target.files, configFile(target.home, target.profile), (file) => {
    const cleared = withFileValue(file, "workspace_id", undefined);
    return { ...cleared, server_url: login.serverUrl, token: login.token };
  });
}

/** Forgets the token; false when there was none. */
export function clearToken(target: EditTarget): boolean {
  const path = configFile(target.home, target.profile);
  if (!readProfileFile(target.files, path)["token"]) return false;
  updateProfileFile(target.files, path, (file) => withFileValue(file, "token", undefined));
  return true;
}

/** Programs the server may name, as written in the file. */
export function allowedCommands(file: ProfileFile): string[] {
  const raw = file["allow_commands"];
  const items = typeof raw === "string" ? raw.split(",") : Array.isArray(raw) ? raw : [];
  return items.map((item) => String(item).trim()).filter((item) => item !== "");
}

/** Adds to, or takes from, `allow_commands`; returns the new list. */
export function changeAllowed(target: EditTarget, name: string, allow: boolean): string[] {
  let list: string[] = [];
  updateProfileFile(target.files, configFile(target.home, target.profile), (file) => {
    const others = allowedCommands(file).filter((item) => item !== name);
    list = allow ? [...others, name] : others;
    return withFileValue(file, "allow_commands", list.length === 0 ? undefined : list);
  });
  return list;
}

/** The text as the file keeps it: durations as text, numbers and booleans as JSON, lists as arrays. */
function fileForm(target: EditTarget, key: string, text: string): unknown {
  const row = Object.values(SETTINGS as Record<string, Setting<unknown>>).find((setting) =>
    setting.key === key
  );
  if (row === undefined) return key === "app_url" ? appUrl(text) : text;
  if (row.inverted) return strictBoolean(key, text);
  const context: SettingContext = { ...target, hostname: "", terminal: false, serverUrl: "" };
  const kind = typeof row.kind === "function" ? row.kind(context) : row.kind;
  const read = readKind(kind, text);
  if (read.refused !== undefined || read.value === undefined) {
    const reason = read.refused ?? "it would be ignored";
    throw new SettingsInvalid([{ source: key, value: text, reason, want: kind.want }]);
  }
  const { value } = read;
  const isDuration = typeof value === "number" && !/^[+-]?\d+$/.test(text) || /timeout|interval/.test(key);
  if (isDuration) return text === "0" ? "0s" : text;
  return key === "server_url" ? text : value;
}

function appUrl(text: string): string {
  try {
    normaliseServerUrl(text);
  } catch (error) {
    const reason = (error as Error).message;
    throw new SettingsInvalid([{
      source: "app_url",
      value: text,
      reason,
      want: "an address such as https://app.example.com",
    }]);
  }
  return text.replace(/\/+$/, "");
}

function strictBoolean(key: string, text: string): true | undefined {
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return undefined;
  throw new SettingsInvalid([{
    source: key,
    value: text,
    reason: "it is neither true nor false",
    want: "true or false",
  }]);
}
