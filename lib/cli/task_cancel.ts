/** `multica-host task cancel ID`. */
import type { CliContext } from "./context.ts";
import { localClient, localContext } from "./local_login.ts";
import { painter, shortTask, statusText } from "./task_lines.ts";

/** Cancels; the host stops the agent within seconds. A task that has ended stays as it is. */
export async function taskCancel(
  outer: CliContext,
  _options: unknown,
  args: readonly string[],
): Promise<number> {
  const context = localContext(outer);
  const task = await localClient(context).cancel(args[0] ?? "");
  const status = statusText(task.status, painter(context.colour));
  const late = task.status === "cancelled" ? "" : " (it had ended before)";
  context.out(`Task ${shortTask(task.id)}: ${status}${late}`);
  return 0;
}
