/**
 * Fetches pinned agent CLIs from npm into a cache, for the tests with real CLIs and for `demo --real`:
 * `deno run -A scripts/agent_clis.ts [claude codex opencode copilot qwen]` prints `name path` for each.
 */
import process from "node:process";

/** A CLI on npm. `setup` is run once by node, in the package's directory, where npm may not run install scripts. */
interface CliPackage {
  readonly package: string;
  readonly version: string;
  readonly bin: string;
  readonly setup?: string;
}

/** The CLIs and versions the streams under `tests/fixtures/streams` were captured with. */
export const AGENT_CLIS = {
  claude: {
    package: "@anthropic-ai/claude-code",
    version: "2.1.332",
    bin: "claude",
    setup: "install.cjs",
  },
  codex: { package: "@openai/codex", version: "0.169.0", bin: "codex" },
  opencode: { package: "opencode-ai", version: "1.18.33", bin: "opencode", setup: "postinstall.mjs" },
  copilot: { package: "@github/copilot", version: "1.0.102", bin: "copilot" },
  qwen: { package: "@qwen-code/qwen-code", version: "0.24.4", bin: "qwen" },
} as const satisfies Record<string, CliPackage>;

/** Name of a CLI this script knows. */
export type AgentCliName = keyof typeof AGENT_CLIS;

/** `$XDG_CACHE_HOME/multica-host/agent-clis`, else below `~/.cache`. */
export function agentCliCache(): string {
  const cache = process.env.XDG_CACHE_HOME || `${process.env.HOME ?? "/root"}/.cache`;
  return `${cache}/multica-host/agent-clis`;
}

/** Absolute path of an installed CLI, undefined when it is not in the cache. */
export function installedCli(name: AgentCliName): string | undefined {
  const path = executablePath(installDir(name), AGENT_CLIS[name]);
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Installs a CLI if it is missing. @returns its absolute path. @throws {Error} when npm fails. */
export async function installCli(name: AgentCliName): Promise<string> {
  const known = installedCli(name);
  if (known !== undefined) return known;
  const cli: CliPackage = AGENT_CLIS[name];
  await Deno.mkdir(agentCliCache(), { recursive: true });
  const dir = await Deno.makeTempDir({ dir: agentCliCache(), prefix: ".install-" });
  try {
    const wanted = `${cli.package}@${cli.version}`;
    await run("npm", ["install", "--prefix", dir, "--no-audit", "--no-fund", "--no-save", wanted], dir);
    const packageDir = `${dir}/node_modules/${cli.package}`;
    if (cli.setup !== undefined) await run("node", [cli.setup], packageDir);
    await Deno.rename(dir, installDir(name)).catch(async (error: unknown) => {
      await Deno.remove(dir, { recursive: true });
      if (installedCli(name) === undefined) throw error; // else another process was first
    });
  } catch (error) {
    await Deno.remove(dir, { recursive: true }).catch(() => {});
    throw error;
  }
  const path = installedCli(name);
  if (path === undefined) {
    throw new Error(`${cli.package} ${cli.version} was installed but has no ${cli.bin}`);
  }
  return path;
}

function installDir(name: AgentCliName): string {
  return `${agentCliCache()}/${name}@${AGENT_CLIS[name].version}`;
}

function executablePath(dir: string, cli: CliPackage): string {
  return `${dir}/node_modules/.bin/${cli.bin}`;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    stdout: "null",
    stderr: "piped",
  })
    .output();
  if (code === 0) return;
  const text = new TextDecoder().decode(stderr).trim();
  throw new Error(`${command} ${args[0]} ended with ${code}: ${text.slice(-800)}`);
}

if (import.meta.main) {
  const names = Deno.args.length > 0 ? Deno.args : Object.keys(AGENT_CLIS);
  for (const name of names) {
    if (!(name in AGENT_CLIS)) {
      throw new Error(`Unknown CLI "${name}"; known: ${Object.keys(AGENT_CLIS).join(", ")}`);
    }
    const path = await installCli(name as AgentCliName);
    await Deno.stdout.write(new TextEncoder().encode(`${name} ${path}\n`));
  }
}
