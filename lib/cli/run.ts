/** Runs one command line. */

/** Runs `args` (without the program's name) and gives the exit code. Never throws. */
export async function runCli(args: readonly string[]): Promise<number> {
  try {
    if (isPlainVersion(args)) {
      const { printVersion } = await import("./version.ts");
      return printVersion(args);
    }
    // Agents call this often: it comes before the command parser.
    if (args[0] === "__multica") return await (await import("./multica.ts")).multica(args.slice(1));
    if (args[0] === "__rehearsal") return await (await import("./rehearsal.ts")).rehearse(args);
    if (args[0] === undefined || args[0].startsWith("--")) {
      const code = await runPlainHost(args);
      if (code !== undefined) return code;
    }
    const { runProgram } = await import("./program.ts");
    return await runProgram(args);
  } catch (error) {
    const [{ presentError }, { debugInEnvironment }] = await Promise.all([
      import("./present_error.ts"),
      import("../config/mod.ts"),
    ]);
    return presentError(
      error,
      (text) => console.error(text),
      args.includes("--debug") || debugInEnvironment(),
    );
  }
}

/** Runs the host where the line has nothing but its options; undefined for any other line. */
async function runPlainHost(args: readonly string[]): Promise<number | undefined> {
  const { plainHostOptions } = await import("./plain_host.ts");
  const options = plainHostOptions(args);
  if (options === undefined) return undefined;
  const [{ host }, { makeContext }] = await Promise.all([import("./host.ts"), import("./context.ts")]);
  return await host(makeContext(options));
}

/** The forms that need no command parser: programs ask them often and want a fast answer. */
function isPlainVersion(args: readonly string[]): boolean {
  const [verb = "", ...rest] = args;
  if (verb === "--version" || verb === "-V") return rest.length === 0;
  return verb === "version" &&
    (rest.length === 0 || ["--output json", "--output=json"].includes(rest.join(" ")));
}
