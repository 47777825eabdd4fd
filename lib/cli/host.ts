/** `multica-host`: runs the host of a profile in the foreground. */
import { type CliContext, configOf, refuseInsideTask } from "./context.ts";
import { runForeground } from "./run_foreground.ts";

/** Runs until a signal or `multica-host stop`. */
export function host(context: CliContext): Promise<number> {
  refuseInsideTask(context, "multica-host");
  return runForeground(context, configOf(context, { createIdentity: true }));
}
