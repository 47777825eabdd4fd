/** Long text: inline, from stdin, or from a file of the work directory (spec 05 §18, §27.4). */
import { errorText } from "../core/mod.ts";
import { LocalError } from "./failures.ts";
import { readTaskFile } from "./task_files.ts";
import { EXTERNAL_FILE_FLAG } from "./text_flags.ts";
import type { Call } from "./types.ts";

/** The text that was given, or undefined for none. @throws {LocalError} */
export async function textInput({ given, io }: Call, name: string): Promise<string | undefined> {
  const [stdin, file] = [`${name}-stdin`, `${name}-file`];
  const ways = [given.bool(stdin), given.text(name) !== "", given.text(file) !== ""];
  if (ways.filter(Boolean).length > 1) {
    throw new LocalError(`--${name}, --${stdin} and --${file} are mutually exclusive`);
  }
  if (given.bool(stdin)) return whole(`--${stdin}`, await io.stdin());
  if (given.text(file) !== "") {
    const bytes = await readTaskFile(
      `--${file}`,
      given.text(file),
      io.cwd,
      given.bool(EXTERNAL_FILE_FLAG.name),
    );
    return whole(`--${file}`, bytes);
  }
  return given.text(name) === "" ? undefined : decodeInline(given.text(name));
}

/** Decodes `\n`, `\r`, `\t` and `\\`, left to right; other backslashes stay. */
export function decodeInline(text: string): string {
  return text.replace(/\\([nrt\\])/g, (_, c: string) => ({ n: "\n", r: "\r", t: "\t" })[c] ?? "\\");
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function whole(flag: string, bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes).replace(/\n$/, "");
  } catch (error) {
    throw new LocalError(`${flag}: the text is not UTF-8 (${errorText(error)}); save it as UTF-8`, error);
  }
  if (text === "") throw new LocalError(`${flag}: the text is empty`);
  return text;
}
