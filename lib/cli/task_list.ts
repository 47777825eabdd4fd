/** `multica-host task list`. */
import { HostError } from "../core/mod.ts";
import type { CliContext } from "./context.ts";
import { localClient, localContext } from "./local_login.ts";
import { ago, table } from "./table.ts";
import { oneLine, painter, shortTask, statusText } from "./task_lines.ts";

/** Prints the newest tasks. */
export async function taskList(
  outer: CliContext,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  const context = localContext(outer);
  const limit = Number(options["limit"]);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new HostError(`--limit "${options["limit"]}": invalid integer`, {
      code: "bad_flag",
      hint: "--limit 20",
    });
  }
  const status = options["status"];
  const tasks = await localClient(context).list({ limit, ...(typeof status === "string" ? { status } : {}) });
  if (options["output"] === "json") {
    context.out(JSON.stringify(tasks, null, 2));
    return 0;
  }
  if (tasks.length === 0) {
    context.note(
      typeof status === "string"
        ? `No task is ${status}`
        : 'No tasks yet. Add one: multica-host task add "…" --dir . --agent claude',
    );
    return 0;
  }
  const now = context.machine.clock.now();
  const plain = painter(false);
  const rows = tasks.map((task) => [
    shortTask(task.id),
    statusText(task.status, plain),
    task.agent_name,
    ago(task.created_at, now),
    oneLine(task.title, 60),
  ]);
  table(rows, ["TASK", "STATUS", "AGENT", "ADDED", "TITLE"]).forEach(context.out);
  return 0;
}
