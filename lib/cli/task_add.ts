/** `multica-host task add "…" --dir PATH --agent claude`: gives an agent of this machine a task. */
import { absolutePath } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { type CliContext, profileFlag } from "./context.ts";
import { LOCAL_PROFILE, localClient, localContext } from "./local_login.ts";
import { followTask } from "./task_follow.ts";
import { painter, shortTask } from "./task_lines.ts";

/** Adds the task; with `--follow` shows it to its end. */
export async function taskAdd(
  outer: CliContext,
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
): Promise<number> {
  const context = localContext(outer);
  const client = localClient(context);
  const text = (name: string) => typeof options[name] === "string" ? options[name] as string : undefined;
  const dir = text("dir") === undefined ? undefined : await directory(context, text("dir")!);
  const [agent, title] = [text("agent"), text("title")];
  const task = await client.add({
    prompt: args.join(" "),
    ...(agent === undefined ? {} : { agent }),
    ...(title === undefined ? {} : { title }),
    ...(dir === undefined ? {} : { dir }),
  });
  const id = shortTask(task.id);
  const paint = painter(context.colour);
  context.out(`Task ${paint(id, "bold")} for ${task.agent_name}, in ${dir ?? "a directory of its own"}`);
  if (options["follow"] === true) return await followTask(context, client, task.id);
  const flag = context.profile === LOCAL_PROFILE ? "" : profileFlag(context.profile);
  context.out(`  watch it:  multica-host task show ${id} --follow${flag}`);
  context.out(`  stop it:   multica-host task cancel ${id}${flag}`);
  return 0;
}

async function directory({ machine }: CliContext, given: string): Promise<string> {
  const path = absolutePath(given, machine.cwd, machine.home);
  const stat = await Deno.stat(path).catch(() => undefined); // every reason means the same here
  if (stat?.isDirectory) return path;
  throw new HostError(`--dir "${path}" is no directory`, {
    code: "no_directory",
    hint: "name an existing one",
  });
}
