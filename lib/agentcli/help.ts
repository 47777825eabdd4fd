/** Help texts: the brief sends agents to `--help` (spec 05 §15). */
import { GLOBAL_FLAGS } from "./grammar.ts";
import type { CommandSpec, FlagSpec } from "./types.ts";

/** Help of one command: usage, purpose, flags. */
export function commandHelp({ path, args, about, flags, aliases = [] }: CommandSpec): string {
  const usage = ["multica", ...path, ...args.map(argument), "[flags]"].join(" ");
  return [
    about,
    "",
    `Usage:\n  ${usage}`,
    ...(aliases.length === 0 ? [] : ["", `Aliases:\n  ${[path.at(-1), ...aliases].join(", ")}`]),
    ...(flags.length === 0 ? [] : ["", `Flags:\n${flagLines(flags)}`]),
    "",
    `Global flags:\n${flagLines(GLOBAL_FLAGS)}`,
    "",
  ].join("\n");
}

/** Help of a group, or of everything: the commands below it. */
export function groupHelp(words: readonly string[], commands: readonly CommandSpec[]): string {
  const below = commands.filter(({ path }) => words.every((word, i) => path[i] === word));
  const rows = below.map(({ path, args, about }) =>
    [[...path, ...args.map(argument)].join(" "), about] as const
  );
  return [
    words.length === 0
      ? "The commands an agent uses inside its task: issues, comments, metadata, repositories."
      : `Commands of multica ${words.join(" ")}.`,
    "",
    `Usage:\n  multica ${[...words, "<command>"].join(" ")} [flags]`,
    "",
    `Commands:\n${aligned(rows)}`,
    "",
    `Global flags:\n${flagLines(GLOBAL_FLAGS)}`,
    "",
    `"multica <command> --help" shows a command's flags.`,
    "",
  ].join("\n");
}

function argument(name: string): string {
  return name.endsWith("?") ? `[${name.slice(0, -1)}]` : `<${name}>`;
}

function flagLines(flags: readonly FlagSpec[]): string {
  return aligned(flags.map(({ name, kind, about, short, otherwise }) => {
    const value = kind === "bool" ? "" : kind === "int" ? " N" : " TEXT";
    const names = short === undefined ? `    --${name}` : `-${short}, --${name}`;
    return [names + value, otherwise === undefined ? about : `${about} (default ${otherwise})`] as const;
  }));
}

function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
