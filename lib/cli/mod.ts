/**
 * cli: the commands people type. One file a command: parse, call, print, exit code; no logic.
 * `runCli(args)` runs one and gives its exit code. Verbs are loaded when they are used.
 */
export { runCli } from "./run.ts";
