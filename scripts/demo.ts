/**
 * The main job on a clean machine: an embedded control plane, a host, one task on a small sample repository.
 *
 *   deno task demo                     with the bundled rehearsal agent (no account, no model)
 *   deno task demo --agent claude      with an agent CLI of yours, under your own login
 *   deno task demo --real              with the real Claude Code from npm against a scripted model on loopback
 *   deno task demo --binary FILE       with a compiled multica-host instead of the sources
 *
 * Everything it makes is in a temporary directory (with --agent: and in a throw-away profile) and is removed at the end.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { perPrompt, startModelServer } from "../tests/fixtures/model_server/server.ts";
import { installCli } from "./agent_clis.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    agent: { type: "string" },
    real: { type: "boolean", default: false },
    binary: { type: "string" },
  },
});

const repoRoot = new URL("..", import.meta.url).pathname;
const agent = values.real ? "claude" : values.agent ?? "rehearsal";
const ownLogin = values.agent !== undefined && values.agent !== "rehearsal" && !values.real;
const base = await Deno.makeTempDir({ prefix: "multica-demo-" });
const profile = `demo-${crypto.randomUUID().slice(0, 8)}`;

function say(text: string): void {
  console.log(`\n\u25b8 ${text}`);
}

const host: readonly [string, ...string[]] = values.binary === undefined
  ? [Deno.execPath(), "run", "-q", "-P=host", `--config=${repoRoot}deno.json`, `${repoRoot}main.ts`]
  : [values.binary.startsWith("/") ? values.binary : join(repoRoot, values.binary)];

/** The sample: a git repository with something to find and something to change. */
async function sampleRepository(): Promise<string> {
  const dir = join(base, "sample");
  await Deno.mkdir(join(dir, "src"), { recursive: true });
  await Deno.writeTextFile(join(dir, "README.md"), "# Greeter\n\nSays hello.\n\nTODO: say how to run it.\n");
  await Deno.writeTextFile(join(dir, "src/greet.js"), "// TODO: greet by name\nconsole.log('hello');\n");
  for (const args of [["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Sample"]]) {
    const { success, stderr } = await new Deno.Command("git", {
      args: ["-C", dir, "-c", "user.name=Demo", "-c", "user.email=demo@example.com", ...args],
    }).output();
    if (!success) throw new Error(`git ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  }
  return dir;
}

/** Environment of host and commands; what an agent needs is inherited through the host. */
function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const home = ownLogin ? Deno.env.get("HOME") ?? base : join(base, "home", "demo");
  return {
    ...Deno.env.toObject(),
    HOME: home,
    DENO_DIR: Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "", ".cache/deno"),
    MULTICA_WORKSPACES_ROOT: join(base, "workspaces"),
    LOG_LEVEL: "warn",
    ...more,
  };
}

/** A scripted model that reads, changes a file and reports, for the real Claude Code. */
async function realClaude(
  sample: string,
): Promise<{ env: Record<string, string>; close: () => Promise<void> }> {
  say("fetching the real Claude Code CLI from npm (once) and starting a scripted model on loopback");
  const path = await installCli("claude");
  const file = join(sample, "NOTES.md");
  const model = startModelServer(perPrompt([
    {
      thinking: "The task is to leave a note in the repository.",
      text: "I will write the note.",
      tools: [{
        name: "Write",
        input: { file_path: file, content: "# Notes\n\nWritten by the real CLI.\n" },
      }],
    },
    { text: "Wrote NOTES.md. (The words came from a script, the file from the real Claude Code.)" },
  ]));
  return {
    env: {
      MULTICA_CLAUDE_PATH: path,
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: "sk-scripted",
      IS_SANDBOX: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    },
    close: () => model.close(),
  };
}

/** Starts `multica-host local` and waits until it takes work. Its own lines go to a file that is shown on failure. */
async function startLocal(
  env: Record<string, string>,
): Promise<{ stop: () => Promise<void>; log: () => string }> {
  const child = new Deno.Command(host[0], {
    args: [...host.slice(1), "local", "--profile", profile],
    env,
    clearEnv: true,
    cwd: base,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  let ended = false;
  const ready = Promise.withResolvers<void>();
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      log += text;
      if (/Local control plane on/.test(log)) ready.resolve();
    }
  };
  const output = Promise.all([read(child.stdout), read(child.stderr)]);
  child.status.then(() => {
    ended = true;
    ready.reject(new Error(`the local host ended early:\n${log}`));
  });
  await ready.promise;
  return {
    log: () => log,
    stop: async () => {
      if (!ended) child.kill("SIGTERM");
      await child.status;
      await output;
    },
  };
}

async function command(args: readonly string[], env: Record<string, string>): Promise<number> {
  const { code } = await new Deno.Command(host[0], {
    args: [...host.slice(1), ...args],
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

async function main(): Promise<number> {
  await Deno.mkdir(join(base, "home", "demo"), { recursive: true });
  const sample = await sampleRepository();
  const real = values.real ? await realClaude(sample) : undefined;
  const env = environment(real?.env ?? {});
  say("starting control plane and host: multica-host local");
  const local = await startLocal(env);
  try {
    say(`giving the task to ${agent}: multica-host task add … --dir ${sample} --follow`);
    const title = "Look at this repository, leave a short note about it, and say what you found";
    const code = await command(
      ["task", "add", title, "--dir", sample, "--agent", agent, "--follow", "--profile", profile],
      env,
    );
    say("what changed in the sample repository: git status, git diff");
    for (const args of [["status", "--short"], ["--no-pager", "diff", "--stat"]]) {
      await new Deno.Command("git", { args: ["-C", sample, ...args], stdout: "inherit", stderr: "inherit" })
        .output();
    }
    if (code !== 0) {
      console.error(`\nthe task did not complete (exit ${code}); the host said:\n${local.log()}`);
    } else say("the task completed; the host stops now");
    return code;
  } finally {
    await local.stop();
    await real?.close();
    if (ownLogin) {
      await Deno.remove(join(env["HOME"]!, ".multica/profiles", profile), { recursive: true }).catch(
        () => {},
      );
    }
  }
}

let code = 1;
try {
  code = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
} finally {
  await Deno.remove(base, { recursive: true }).catch(() => {});
}
Deno.exit(code);
