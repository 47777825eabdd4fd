/** `multica-host version`, `--version` (spec 03 §12.5). */
import { archName, BUILD_DATE, COMMIT, platformName, VERSION } from "../core/mod.ts";

/** The verb, with its options parsed. */
export function version(_context: unknown, options: Readonly<Record<string, unknown>>): number {
  return printVersion(["version", String(options["output"])]);
}

/** Prints the version as `args` asks: one line, two lines, or JSON. */
export function printVersion(args: readonly string[]): number {
  const [os, arch] = [platformName(), archName()];
  const first = `multica-host ${VERSION} (commit: ${COMMIT}, built: ${BUILD_DATE})`;
  if (args.some((arg) => arg.includes("json"))) {
    const facts = {
      version: VERSION,
      commit: COMMIT,
      date: BUILD_DATE,
      go: "",
      deno: Deno.version.deno,
      os,
      arch,
    };
    console.log(JSON.stringify(facts, null, 2));
  } else if (args[0] === "version") {
    console.log(`${first}\ndeno ${Deno.version.deno}, ${os}/${arch}`);
  } else {
    console.log(first);
  }
  return 0;
}
