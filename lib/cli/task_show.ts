/** `multica-host task show ID`: a task with its transcript. */
import type { CliContext } from "./context.ts";
import { localClient, localContext } from "./local_login.ts";
import { followTask } from "./task_follow.ts";
import { endLines, messageLines, painter, shortTask } from "./task_lines.ts";

/** Prints the whole transcript and how the task stands; exit code 0 unless `--follow` saw it fail. */
export async function taskShow(
  outer: CliContext,
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
): Promise<number> {
  const context = localContext(outer);
  const client = localClient(context);
  const { task, usage } = await client.show(args[0] ?? "");
  const messages = options["follow"] === true ? [] : await client.messages(task.id);
  if (options["output"] === "json") {
    context.out(JSON.stringify({ task, usage, messages }, null, 2));
    return 0;
  }
  const paint = painter(context.colour);
  context.out(`${paint(`Task ${shortTask(task.id)}`, "bold")} for ${task.agent_name}: ${task.title}`);
  if (options["follow"] === true) return await followTask(context, client, task.id);
  for (const message of messages) messageLines(message, paint).forEach(context.out);
  const said = messages.some((message) => message.type === "text");
  if (!said && task.output !== "") context.out(`\n${task.output}`);
  context.out("");
  endLines(task, usage, paint).forEach(context.out);
  return 0;
}
