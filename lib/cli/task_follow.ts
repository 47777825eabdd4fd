/** Shows a task live until it ends. */
import type { LocalPlaneClient } from "../plane/mod.ts";
import type { CliContext } from "./context.ts";
import { endLines, messageLines, painter, statusText } from "./task_lines.ts";

const FINAL: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

/** Prints everything so far, then what comes; exit code 0 when the task completed, 1 otherwise. */
export async function followTask(context: CliContext, client: LocalPlaneClient, id: string): Promise<number> {
  const paint = painter(context.colour);
  let last = "";
  for await (const event of client.follow(id)) {
    if (event.type === "message") messageLines(event.message, paint).forEach(context.out);
    else if (event.type === "progress") context.out(paint(event.summary, "dim"));
    else if (event.type === "state" && event.task.status !== last) {
      last = event.task.status;
      if (!FINAL.has(last)) context.out(statusText(last, paint));
    } else if (event.type === "deleted") last = "deleted";
  }
  if (last === "deleted") {
    context.note("The task was deleted");
    return 1;
  }
  const { task, usage } = await client.show(id);
  context.out("");
  endLines(task, usage, paint).forEach(context.out);
  return task.status === "completed" ? 0 : 1;
}
