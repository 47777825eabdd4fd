/** What a Codex configuration says of other files and of Windows' sandbox (spec 04 §20.6). */
import { isAbsolute } from "node:path";
import { fullPath, tomlStatements } from "./toml_statements.ts";

const REFERENCES = new Set([
  "model_catalog_json",
  "model_instructions_file",
  "experimental_instructions_file",
]);

/** Relative file names the configuration refers to, also in profiles. */
export function referencedFiles(text: string): string[] {
  const names = tomlStatements(text).flatMap((statement) => {
    const key = fullPath(statement).at(-1);
    if (statement.kind !== "key" || key === undefined || !REFERENCES.has(key)) return [];
    const [, basic, literal] = /=\s*(?:"([^"\\\n]*)"|'([^'\n]*)')/.exec(statement.text) ?? [];
    const name = basic ?? literal ?? "";
    return name === "" || name.startsWith("~") || isAbsolute(name) ? [] : [name];
  });
  return [...new Set(names)];
}

/** `windows.sandbox` of arguments or configuration: "" when not set, undefined when it cannot be told. */
export async function windowsSandbox(text: string, args: readonly string[]): Promise<string | undefined> {
  const named = args.flatMap((arg, index) => {
    const value = arg === "-c" || arg === "--config"
      ? args[index + 1] ?? ""
      : arg.replace(/^(?:--config|-c)=/, "");
    const [, found] = /^windows\.sandbox\s*=\s*["']?([^"']*)["']?$/.exec(value.trim()) ?? [];
    return found === undefined ? [] : [found];
  }).at(-1);
  if (named !== undefined) return named;
  try {
    const { parse } = await import("smol-toml");
    const windows = (parse(text) as { windows?: { sandbox?: unknown } }).windows;
    const value = windows?.sandbox;
    return value === undefined ? "" : typeof value === "string" ? value : undefined;
  } catch {
    return undefined; // not to be read: the careful policy follows
  }
}
