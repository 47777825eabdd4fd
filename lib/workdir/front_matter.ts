/** Front matter of a SKILL.md: its name is the directory's name (spec 04 §5.5, 20.8). */
import { errorText, getLog } from "../core/mod.ts";
import { trimmed } from "./phrasing.ts";

const log = getLog("workdir", "skills");

/** A text divided at its front matter. */
export interface SplitMatter {
  /** "" when absent or not closed. */
  readonly block: string;
  /** The whole text when absent or not closed. */
  readonly body: string;
  readonly closed: boolean;
}

/** A SKILL.md ready to be written. */
export interface SkillText {
  readonly text: string;
  /** `disable-model-invocation: true`: written, but not listed. */
  readonly hidden: boolean;
}

/** Splits at lines that are exactly `---`. */
export function splitMatter(content: string): SplitMatter {
  const none = { block: "", body: content, closed: false };
  const opening = /^---\r?\n/.exec(content);
  if (opening === null) return none;
  const closing = /^---(?:\r?\n|\r?$)/gm;
  closing.lastIndex = opening[0].length;
  const end = closing.exec(content);
  if (end === null) return none;
  const block = content.slice(opening[0].length, Math.max(opening[0].length, end.index - 1));
  return { block, body: content.slice(end.index + end[0].length), closed: true };
}

/** The skill's text with `name: <slug>` at the top of its front matter. */
export async function skillText(content: string, slug: string, description: string): Promise<SkillText> {
  const { block, body, closed } = splitMatter(content);
  if (!closed) return { text: synthesise(slug, description, content), hidden: false };
  const simple = simpleMatter(block);
  if (simple !== undefined) {
    const hidden = simple.get("disable-model-invocation") === "true";
    return { text: renamed(content, block, slug, simple.has("name")), hidden };
  }
  return await withParser(content, block, body, slug, description);
}

/** Matter of plain one-line keys needs no parser; undefined for everything else. */
function simpleMatter(block: string): Map<string, string> | undefined {
  const keys = new Map<string, string>();
  if (trimmed(block) === "") return undefined;
  for (const line of block.split(/\r?\n/)) {
    const match = /^([A-Za-z_][A-Za-z0-9_-]*):[ \t]+(\S(?:.*\S)?)[ \t\r]*$/.exec(line);
    const [, key, value] = match ?? [];
    if (key === undefined || value === undefined || keys.has(key) || !isPlain(value)) return undefined;
    keys.set(key, value);
  }
  return keys;
}

function isPlain(value: string): boolean {
  if (/^"[^"\\]*"$/.test(value) || /^'[^']*'$/.test(value)) return true;
  return !/^[[\]{}&*!|>'"%@`#,?:-]/.test(value) && !/:(?:\s|$)|\s#/.test(value);
}

function renamed(content: string, block: string, slug: string, hasName: boolean): string {
  const start = content.indexOf("\n") + 1;
  if (!hasName) {
    return `${content.slice(0, start)}name: ${slug}\n${content.slice(start)}`;
  }
  const changed = block.replace(/^name[ \t]*:.*?(\r?)$/m, (_, end: string) => `name: ${slug}${end}`);
  return content.slice(0, start) + changed + content.slice(start + block.length);
}

async function withParser(
  content: string,
  block: string,
  body: string,
  slug: string,
  description: string,
): Promise<SkillText> {
  const yaml = await import("yaml");
  const document = yaml.parseDocument(block, { merge: true });
  if (document.errors.length > 0 || !yaml.isMap(document.contents)) {
    return { text: synthesise(slug, description, body), hidden: false };
  }
  const hidden = document.get("disable-model-invocation") === true;
  const hasName = document.has("name");
  const candidate = renamed(content, block, slug, hasName);
  if (nameOf(splitMatter(candidate).block, yaml.parse) === slug) return { text: candidate, hidden };
  try {
    const plain = document.toJS() as Record<string, unknown>;
    const rebuilt = yaml.stringify({ ...plain, name: slug }, { aliasDuplicateObjects: false });
    return { text: `---\n${rebuilt}---\n${body}`, hidden };
  } catch (error) {
    log.warn("front matter written anew", { slug, error: errorText(error) });
    return { text: synthesise(slug, description, body), hidden };
  }
}

function nameOf(block: string, parse: (text: string) => unknown): unknown {
  try {
    return (parse(block) as { name?: unknown } | null)?.name;
  } catch {
    return undefined; // not valid after the change: the caller rebuilds it
  }
}

function synthesise(slug: string, description: string, body: string): string {
  const about = trimmed(description);
  const escaped = about.replace(/\r\n|\n|\r/g, " ").replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `---\nname: ${slug}\n${about === "" ? "" : `description: "${escaped}"\n`}---\n\n${body}`;
}
