/** The tree of commands: names, options, help. What a command does is loaded when it runs. */
import { Command, CommanderError, Option } from "commander";
import { type Setting, SETTINGS } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { type CliContext, makeContext } from "./context.ts";
import { nearest } from "./nearest.ts";

/** Runs `args` through commander and gives the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const program = new Program();
  if (args[0] === "complete") {
    const { addCompletions } = await import("./completions.ts");
    addCompletions(program.root);
  }
  try {
    await program.root.parseAsync([...args], { from: "user" });
    return program.exitCode;
  } catch (error) {
    // Commander has printed its own text already; help and version are no failures.
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
}

const TASK_STATUSES = [
  "queued",
  "dispatched",
  "waiting_local_directory",
  "running",
  "completed",
  "failed",
  "cancelled",
];

type Verb = (context: CliContext, options: Readonly<Record<string, unknown>>, args: readonly string[]) =>
  | Promise<number>
  | number;

/** The commander tree and the exit code its action leaves behind. */
export class Program {
  exitCode = 0;
  readonly root: Command;

  constructor() {
    this.root = new Command("multica-host");
    this.root
      .description(
        "Turns this machine into an agent host for a Multica server.\nWithout a command: runs the host here, until Ctrl-C.",
      )
      .exitOverride()
      .showHelpAfterError("(see multica-host --help)")
      .allowExcessArguments()
      .optionsGroup("Global options:")
      .option("--profile <name>", "profile to use: own settings, port, log and workspaces root")
      .option("--workspace-id <id>", "workspace to work in")
      .option("-V, --version", "print the version");
    this.#hostOptions();
    this.#verb(this.root, async () => (await import("./host.ts")).host);
    this.#commands();
    this.root.addHelpText("after", EXAMPLES);
  }

  /** Every row of the settings table that has a flag. */
  #hostOptions(): void {
    for (const row of Object.values(SETTINGS) as Setting<unknown>[]) {
      const { flag, about } = row;
      if (flag === undefined) continue;
      const names = flag.value === undefined ? `--${flag.name}` : `--${flag.name} <${flag.value}>`;
      const global = ["server-url", "debug"].includes(flag.name);
      const option = new Option(names, flag.about ?? about);
      this.root.addOption(
        option.helpGroup(
          global
            ? "Global options:"
            : "Host options (also as variables and in config.json, see multica-host config):",
        ),
      );
    }
  }

  #commands(): void {
    const { root } = this;
    const json = () =>
      new Option("--output <form>", "table or json").choices(["table", "json"]).default("table");

    root.commandsGroup("The host:");
    this.#verb(
      root.command("status").description("is it running, and is it claiming tasks, and why not").addOption(
        json(),
      ),
      async () => (await import("./status.ts")).status,
    );
    this.#verb(
      root.command("stop").description("ask the running host to stop").option("--wait", "until it has ended"),
      async () => (await import("./stop.ts")).stop,
    );
    const logs = (command: Command) =>
      this.#verb(
        command.description("show the host's log").option("-n, --lines <n>", "last lines to show", "50")
          .option("-f, --follow", "go on as lines come"),
        async () => (await import("./logs.ts")).logs,
      );
    logs(root.command("logs"));
    this.#verb(
      root.command("agents").description("agent programs found here, and what is wrong with the others")
        .addOption(json()),
      async () => (await import("./agents.ts")).agents,
    );
    this.#verb(
      root.command("rights").description("what the engine, which runs tasks, may touch on this machine"),
      async () => (await import("./rights.ts")).rights,
    );
    this.#daemon(logs, json);

    root.commandsGroup("Without a server:");
    this.#verb(
      root.command("local").description("run a small control plane and the host together on this machine")
        .option("--port <n>", "port of the control plane"),
      async () => (await import("./local.ts")).local,
    );
    this.#tasks(json);

    root.commandsGroup("Set-up:");
    this.#login();
    this.#config(json);
    this.#verb(
      root.command("allow").argument("[name]", "command name or absolute path; * for all")
        .description("let the server name this program for custom runtimes")
        .option("--remove", "take it back"),
      async () => (await import("./allow.ts")).allow,
    );
    this.#verb(
      root.command("version").description("print version, build and platform").addOption(json()),
      async () => (await import("./version.ts")).version,
    );
    root.command("complete").argument("[shell]").description(
      "print completions for zsh, bash, fish or powershell",
    );
  }

  #daemon(logs: (command: Command) => void, json: () => Option): void {
    const daemon = this.root.command("daemon").description("the same commands under their older names");
    this.#verb(
      daemon.command("start").description("run the host (with --foreground)").option(
        "--foreground",
        "stay in this terminal",
      ),
      async () => (await import("./daemon.ts")).start,
    );
    this.#verb(
      daemon.command("restart").description("stop the running host, then run it here (with --foreground)")
        .option("--foreground", "stay in this terminal"),
      async () => (await import("./daemon.ts")).restart,
    );
    this.#verb(
      daemon.command("status").description("as status").addOption(json()),
      async () => (await import("./status.ts")).status,
    );
    this.#verb(
      daemon.command("stop").description("as stop").option("--wait", "until it has ended"),
      async () => (await import("./stop.ts")).stop,
    );
    logs(daemon.command("logs"));
  }

  #tasks(json: () => Option): void {
    const task = this.root.command("task").description("tasks of the control plane on this machine");
    this.#verb(
      task.command("add").argument("<prompt...>", "what is to be done").description("give an agent a task")
        .option("--agent <name>", "agent to do it (multica-host agents lists them)")
        .option("--dir <path>", "work in this directory (default: one made for the task)")
        .option("--title <text>", "short title")
        .option("-f, --follow", "show what it does until it ends"),
      async () => (await import("./task_add.ts")).taskAdd,
    );
    this.#verb(
      task.command("list").description("tasks, newest first")
        .addOption(new Option("--status <status>", "only these").choices(TASK_STATUSES))
        .option("--limit <n>", "how many", "20").addOption(json()),
      async () => (await import("./task_list.ts")).taskList,
    );
    this.#verb(
      task.command("show").argument("<id>", "id, or its beginning or end").description(
        "a task and its transcript",
      )
        .option("-f, --follow", "go on until it ends").addOption(json()),
      async () => (await import("./task_show.ts")).taskShow,
    );
    this.#verb(
      task.command("cancel").argument("<id>", "id, or its beginning or end").description("stop a task"),
      async () => (await import("./task_cancel.ts")).taskCancel,
    );
  }

  #login(): void {
    this.#verb(
      this.root.command("login").argument("[token]", "the token").description(
        "log in with a token (mul_… or mcn_…)",
      )
        .option("--token [token]", "the token; without a value it is asked for"),
      async () => (await import("./login.ts")).login,
    );
    this.#verb(
      this.root.command("logout").description("forget the token of the profile"),
      async () => (await import("./auth.ts")).logout,
    );
    const auth = this.root.command("auth").description("who am I");
    this.#verb(
      auth.command("status").description("who the profile's token belongs to"),
      async () => (await import("./auth.ts")).authStatus,
    );
    this.#verb(
      auth.command("logout").description("as logout"),
      async () => (await import("./auth.ts")).logout,
    );
  }

  #config(json: () => Option): void {
    const show = async () => (await import("./config.ts")).configShow;
    const config = this.root.command("config").description("every setting and where it comes from").addOption(
      json(),
    );
    this.#verb(config, show);
    this.#verb(config.command("show").description("as config").addOption(json()), show);
    this.#verb(
      config.command("set").argument("<key>").argument("<value>", '"" removes it')
        .description("write a setting to the profile's config.json"),
      async () => (await import("./config.ts")).configSet,
    );
  }

  #verb(command: Command, load: () => Promise<Verb>): void {
    if (command !== this.root) {
      command.allowExcessArguments(false).showHelpAfterError(`(see ${pathOf(command)} --help)`);
    }
    command.action(async (...given: unknown[]) => {
      const options = command.optsWithGlobals();
      if (command === this.root) {
        if (options["version"] === true) {
          return void (this.exitCode = (await import("./version.ts")).printVersion([]));
        }
        this.#refuseUnknown(command);
      }
      const args = given.slice(0, -2).flat().filter((arg): arg is string => typeof arg === "string");
      this.exitCode = await (await load())(makeContext(options), options, args);
    });
  }

  #refuseUnknown(root: Command): void {
    const [word] = root.args;
    if (word === undefined) return;
    const close = nearest(word, root.commands.map((command) => command.name()));
    throw new HostError(`"${word}" is no command`, {
      code: "unknown_command",
      hint: close === undefined ? "multica-host --help" : `did you mean multica-host ${close}?`,
    });
  }
}

/** `multica-host task show`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

const EXAMPLES = `
Examples:
  multica-host local                                     try it without any server, in one terminal
  multica-host task add "Fix the typo" --dir . --agent claude --follow
  multica-host login --token mul_…                       work for a Multica server
  multica-host --profile staging                         run the host of another profile
`;
