/** `multica-host task add "…" --dir PATH --agent claude`: gives an agent of this machine a task. */
import { absolutePath } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { type LocalPlaneClient, LocalPlaneRefused } from "../plane/mod.ts";
import { type CliContext, profileFlag } from "./context.ts";
import { LOCAL_PROFILE, localClient, localContext } from "./local_login.ts";
import { REHEARSAL } from "./rehearsal.ts";
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
  const chosen = agent ?? await onlyRealAgent(client);
  const task = await client.add({
    prompt: args.join(" "),
    ...(chosen === undefined ? {} : { agent: chosen }),
    ...(title === undefined ? {} : { title }),
    ...(dir === undefined ? {} : { dir }),
  }).catch(explained);
  const id = shortTask(task.id);
  const paint = painter(context.colour);
  context.out(`Task ${paint(id, "bold")} for ${task.agent_name}, in ${dir ?? "a directory of its own"}`);
  if (options["follow"] === true) return await followTask(context, client, task.id);
  const flag = context.profile === LOCAL_PROFILE ? "" : profileFlag(context.profile);
  context.out(`  watch it:  multica-host task show ${id} --follow${flag}`);
  context.out(`  stop it:   multica-host task cancel ${id}${flag}`);
  return 0;
}

/** The agent to take when none was named: the one that is no rehearsal. undefined = the plane says what to choose from. */
async function onlyRealAgent(client: LocalPlaneClient): Promise<string | undefined> {
  const real = (await client.agents()).filter((agent) => agent.provider !== REHEARSAL);
  return real.length === 1 ? real[0]!.id : undefined;
}

/** Refusals about the agent get the command that shows which there are. */
function explained(error: unknown): never {
  if (!(error instanceof LocalPlaneRefused) || !error.message.includes("agent")) throw error;
  throw new HostError(error.message.replace("The local control plane refused: ", "Cannot add the task: "), {
    code: error.code,
    hint: "multica-host agents shows which agent programs were found here, and how to install others",
    cause: error,
  });
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
