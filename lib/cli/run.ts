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

/** The forms that need no command parser: programs ask them often and want a fast answer. */
function isPlainVersion(args: readonly string[]): boolean {
  const [verb = "", ...rest] = args;
  if (verb === "--version" || verb === "-V") return rest.length === 0;
  return verb === "version" &&
    (rest.length === 0 || ["--output json", "--output=json"].includes(rest.join(" ")));
}
