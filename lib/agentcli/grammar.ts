/** The command line of `multica`: words, flags, positionals (spec 05 §15). Pure. */
import type { CommandSpec, FlagSpec } from "./types.ts";
import { UsageError } from "./failures.ts";

/** Flags every command has. */
export const GLOBAL_FLAGS: readonly FlagSpec[] = [
  { name: "server-url", kind: "text", about: "server to use" },
  { name: "workspace-id", kind: "text", about: "workspace to use" },
  { name: "profile", kind: "text", about: "profile below the task's own configuration directory" },
  { name: "debug", kind: "bool", about: "show requests, answers and causes of an error" },
  { name: "help", kind: "bool", short: "h", about: "this text" },
];

/** Flags as given: the difference between "empty" and "not given" matters to several commands. */
export class Given {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #specs: ReadonlyMap<string, FlagSpec>;

  constructor(specs: readonly FlagSpec[], values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
  }

  /** True when the flag stands on the command line, even empty. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The last value, else the flag's default, else "". */
  text(name: string): string {
    return this.#values.get(name)?.at(-1) ?? this.#specs.get(name)?.otherwise ?? "";
  }

  bool(name: string): boolean {
    return this.text(name) === "true";
  }

  int(name: string): number {
    return Number(this.text(name) || "0");
  }

  /** Every value, split for `slice` flags. */
  list(name: string): readonly string[] {
    const values = this.#values.get(name) ?? [];
    return this.#specs.get(name)?.kind === "slice"
      ? values.flatMap((value) => csvRecord(name, value))
      : values;
  }
}

/** A command line taken apart. */
export interface ParsedLine {
  readonly command: CommandSpec | undefined;
  /** Words that were taken as the command or group. */
  readonly words: readonly string[];
  readonly args: readonly string[];
  readonly given: Given;
}

/**
 * Finds the command and its flags; flags may stand anywhere, `--` ends them.
 * @throws {UsageError} for an unknown flag or a value that does not fit.
 */
export function parseLine(line: readonly string[], commands: readonly CommandSpec[]): ParsedLine {
  const { words, rest, command } = findCommand(line, commands);
  const flags = [...(command?.flags ?? []), ...GLOBAL_FLAGS];
  const values = new Map<string, string[]>();
  const args: string[] = [];
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]!;
    if (word === "--") {
      args.push(...rest.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      args.push(word);
      continue;
    }
    const [flag, inline] = flagOf(word, flags);
    const takesNext = inline === undefined && flag.kind !== "bool";
    if (takesNext && at + 1 >= rest.length) throw new UsageError(`flag needs an argument: ${word}`);
    const value = checked(flag, takesNext ? rest[++at]! : inline ?? "true");
    values.set(flag.name, [...values.get(flag.name) ?? [], value]);
  }
  return { command, words, args, given: new Given(flags, values) };
}

/** Least and most positionals of a command. */
export function argBounds({ args }: CommandSpec): { least: number; most: number } {
  return { least: args.filter((name) => !name.endsWith("?")).length, most: args.length };
}

/** Fields of one CSV record; double quotes protect commas. @throws {UsageError} */
export function csvRecord(flag: string, value: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at <= value.length;) {
    const quoted = /"((?:[^"]|"")*)"(?=,|$)/y;
    quoted.lastIndex = at;
    const inQuotes = quoted.exec(value);
    const end = inQuotes === null ? commaFrom(value, at) : quoted.lastIndex;
    const field = inQuotes === null ? value.slice(at, end) : inQuotes[1]!.replaceAll('""', '"');
    if (inQuotes === null && field.includes('"')) {
      throw new UsageError(`invalid value for --${flag}: a double quote stands inside ${field}`);
    }
    fields.push(field);
    at = end + 1;
  }
  return value === "" ? [] : fields;
}

function commaFrom(value: string, at: number): number {
  const comma = value.indexOf(",", at);
  return comma < 0 ? value.length : comma;
}

/** The longest run of words that names a command or group; flags before it are kept. */
function findCommand(
  line: readonly string[],
  commands: readonly CommandSpec[],
): { words: string[]; rest: string[]; command: CommandSpec | undefined } {
  const known = [...commands.flatMap(({ flags }) => flags), ...GLOBAL_FLAGS];
  const words: string[] = [];
  const rest: string[] = [];
  let at = 0;
  for (; at < line.length; at++) {
    const word = line[at]!;
    if (word === "--") break;
    if (word.startsWith("-") && word !== "-") {
      rest.push(word);
      const kind = known.find((flag) => word === `--${flag.name}` || word === `-${flag.short}`)?.kind;
      if (kind !== undefined && kind !== "bool" && at + 1 < line.length) rest.push(line[++at]!);
      continue;
    }
    const next = [...words, word];
    if (!commands.some((command) => startsWith(command, next))) break;
    words.push(word);
  }
  const command = commands.find((one) => one.path.length === words.length && startsWith(one, words));
  return { words, rest: [...rest, ...line.slice(at)], command };
}

function startsWith({ path, aliases = [] }: CommandSpec, words: readonly string[]): boolean {
  return words.length <= path.length &&
    words.every((word, i) => word === path[i] || i === path.length - 1 && aliases.includes(word));
}

function flagOf(word: string, flags: readonly FlagSpec[]): [FlagSpec, string | undefined] {
  const [, name = "", value] = /^(-{1,2}[^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
  const exact = flags.find((flag) => name === `--${flag.name}` || name === `-${flag.short}`);
  if (exact !== undefined) return [exact, value];
  const short = /^-([A-Za-z])/.exec(word);
  const glued = flags.find((flag) => flag.kind !== "bool" && short !== null && flag.short === short[1]);
  if (glued !== undefined && !word.startsWith("--")) return [glued, word.slice(2)];
  throw new UsageError(`unknown flag: ${name || word}`);
}

const BOOLS: Readonly<Record<string, string>> = { true: "true", false: "false", "1": "true", "0": "false" };

function checked({ name, kind }: FlagSpec, value: string): string {
  if (kind === "int" && !/^[+-]?\d{1,15}$/.test(value)) {
    throw new UsageError(`invalid argument "${value}" for --${name}: it is no whole number`);
  }
  if (kind !== "bool") return value;
  const read = BOOLS[value.toLowerCase()];
  if (read === undefined) throw new UsageError(`invalid argument "${value}" for --${name}: true or false`);
  return read;
}
