/** Model lists read from what CLIs print: OpenCode's catalog and CodeBuddy's help (spec 08 §5.1, §5.8). Pure text. */
import type { CatalogModel, ThinkingLevel } from "./model_catalog.ts";
import { isObject, type Json, parseLine, str } from "./stream_json.ts";

/** Levels every host knows, in their order, with their names. */
const KNOWN_LEVELS: Readonly<Record<string, string>> = {
  none: "None",
  minimal: "Minimal",
  low: "Low",
  medium: "Medium",
  high: "High",
  xhigh: "Extra high",
  max: "Max",
};

/** Models of `opencode models [--verbose]`. Header rows, noise and duplicates are left out. */
export function parseOpenCodeModels(output: string): CatalogModel[] {
  const models = new Map<string, CatalogModel>();
  const lines = output.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  for (let i = 0; i < lines.length; i++) {
    const id = modelId(lines[i]!);
    if (id === "") continue;
    const block = lines[i + 1]?.startsWith("{") ? jsonBlock(lines, i + 1) : undefined;
    if (block !== undefined) i = block.last;
    if (models.has(id)) continue;
    const thinking = block?.value === undefined ? undefined : variantLevels(block.value);
    models.set(id, {
      id,
      label: id,
      provider: id.slice(0, id.indexOf("/")),
      ...(thinking === undefined ? {} : { thinking: { supported_levels: thinking } }),
    });
  }
  return [...models.values()];
}

/** First word of a row that names a model, else "". */
function modelId(line: string): string {
  const word = line.split(/\s+/, 1)[0] ?? "";
  const named = word.includes("/") && !/^["{[]/.test(word) && word !== word.toUpperCase();
  return named ? word : "";
}

/** Joins lines until they parse; a block that runs into the next model is dropped, that model is not. */
function jsonBlock(lines: readonly string[], first: number): { value: Json | undefined; last: number } {
  let text = "";
  for (let i = first; i < lines.length; i++) {
    if (i > first && modelId(lines[i]!) !== "") return { value: undefined, last: i - 1 };
    text += `${lines[i]}\n`;
    const value = parseLine(text);
    if (value !== undefined) return { value, last: i };
  }
  return { value: undefined, last: lines.length - 1 };
}

function variantLevels(block: Json): ThinkingLevel[] | undefined {
  const variants = isObject(block.variants) ? Object.entries(block.variants) : [];
  const thinks = block.reasoning === true ||
    variants.some(([name, variant]) =>
      Object.hasOwn(KNOWN_LEVELS, name) ||
      isObject(variant) && (variant.reasoningEffort !== undefined || variant.thinking !== undefined)
    );
  if (!thinks) return undefined;
  const names = variants
    .filter(([name, variant]) => name !== "" && !(isObject(variant) && variant.disabled === true))
    .map(([name]) => name)
    .sort(byLevel);
  return names.length === 0 ? undefined : names.map((value) => ({ value, label: levelLabel(value) }));
}

function byLevel(a: string, b: string): number {
  const order = Object.keys(KNOWN_LEVELS);
  const rank = (name: string) => order.includes(name) ? order.indexOf(name) : order.length;
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** `xhigh` is "Extra high", `fast-mode` is "Fast Mode". */
export function levelLabel(name: string): string {
  if (Object.hasOwn(KNOWN_LEVELS, name)) return KNOWN_LEVELS[name]!;
  return name.split("-").filter((part) => part !== "").map(capital).join(" ");
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A level token OpenCode may be given: short, plain, never like a flag (spec 07 §5.5). */
export function isOpenCodeLevel(level: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(level);
}

/** True when a level is advertised: for the model when one is named, else for any (spec 07 §5.5). */
export function openCodeTakesLevel(models: readonly CatalogModel[], model: string, level: string): boolean {
  if (!isOpenCodeLevel(level)) return false;
  return models.filter((entry) => model === "" || entry.id === model)
    .some((entry) => entry.thinking?.supported_levels.some((known) => known.value === level) ?? false);
}

const CODEBUDDY_PROVIDERS: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, "anthropic"],
  [/^gemini-/, "google"],
  [/^gpt-/, "openai"],
  [/^glm-/, "zhipu"],
  [/^minimax-/, "minimax"],
  [/^kimi-/, "kimi"],
  [/^hy\d/, "hunyuan"],
  [/^deepseek-/, "deepseek"],
];

/** Models of `codebuddy --help`; the first one is the default. Unrelated text gives none. */
export function parseCodebuddyModels(help: string): CatalogModel[] {
  const ids = listed(/--model\s*<[^>]+>\s*.*?Currently supported:\s*\(([^)]+)\)/, help);
  return ids.map((id, index) => {
    const provider = CODEBUDDY_PROVIDERS.find(([pattern]) => pattern.test(id))?.[1];
    return {
      id,
      label: id.split("-").map(codebuddyWord).join(" "),
      ...(provider === undefined ? {} : { provider }),
      ...(index === 0 ? { default: true } : {}),
    };
  });
}

/** Effort levels of `codebuddy --help`: the parenthesis after `--effort`. */
export function parseCodebuddyLevels(help: string): ThinkingLevel[] {
  return listed(/--effort\s*<[^>]+>\s*.*?\(([^)]+)\)/, help)
    .map((value) => ({ value, label: levelLabel(value) }));
}

function listed(pattern: RegExp, text: string): string[] {
  const group = pattern.exec(text)?.[1] ?? "";
  return group.split(",").map((part) => str(part).trim()).filter((part) => part !== "");
}

function codebuddyWord(part: string): string {
  if (part === "gpt" || part === "glm") return part.toUpperCase();
  return part === "ioa" ? "IOA" : capital(part);
}
