/** `multica-host` with nothing but long options: read without the command parser, which a start need not wait for. */
import { type Setting, SETTINGS } from "../config/mod.ts";

/** Option names without dashes that take a value, and those that do not. */
const [VALUED, BARE] = [new Set(["profile", "workspace-id"]), new Set<string>()];
for (const { flag } of Object.values(SETTINGS) as Setting<unknown>[]) {
  if (flag !== undefined) (flag.value === undefined ? BARE : VALUED).add(flag.name);
}

/**
 * The options as the command parser gives them, or undefined for a line that is the parser's: commands, short options,
 * help, and everything that is wrong.
 */
export function plainHostOptions(args: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const options: Record<string, unknown> = {};
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name = "", given] = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (VALUED.has(name)) {
      const value = given ?? rest.shift();
      if (value === undefined || value.startsWith("-")) return undefined;
      options[camel(name)] = value;
    } else if (BARE.has(name) && given === undefined) {
      options[camel(name.replace(/^no-/, ""))] = !name.startsWith("no-");
    } else {
      return undefined;
    }
  }
  return options;
}

/** Option names as the command parser has them: `poll-interval` is `pollInterval`. */
export function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
