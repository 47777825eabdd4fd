/** Finds the agent CLIs of this machine, each on its own: no probe can delay another (spec 03 §6, 17.9; 06 §11.6). */
import { sanitiseDiagnostic } from "../agents/mod.ts";
import { errorText, getLog, LaunchError, Semaphore, sleep } from "../core/mod.ts";
import { DiscoveryCache } from "./discovery_cache.ts";
import { diagnosePlaceholder, type Diagnosis } from "./discovery_diagnose.ts";
import { probeEnvironment, type ProbePorts, type ProbeRun, runProbe } from "./discovery_run.ts";
import { executableAt, findCommand, hasSeparator, insideHooks, type LocateContext } from "./locate.ts";
import { ProgramIndex } from "./locate_index.ts";
import { LoginShell, type ShellPaths } from "./login_shell.ts";
import type { DiscoveredAgent } from "./types.ts";
import { checkMinimum, versionLine } from "./versions.ts";

const log = getLog("runtimes", "discovery");

const PROBE_LIMITS = { limitMs: 10_000, heldMs: 2_000 };
const PARALLEL_PROBES = 8;
/** A second attempt is made only after a first that failed this fast, and after this pause. */
const QUICK_FAILURE_MS = 1_000;
const SECOND_ATTEMPT_MS = 500;
const NO_PATHS: ShellPaths = new Map();

/** What discovery needs to know of a provider: the agents' catalog has rows that fit. */
export interface DiscoverableAgent {
  readonly provider: string;
  /** Default command name. */
  readonly command: string;
  /** "" or absent = none. */
  readonly minVersion?: string;
  /** Fallback files inside applications, `~/` for home; looked at for the default command only. */
  readonly bundled?: readonly string[];
  /** This version has no driver for it: found and told of, never offered. */
  readonly unsupported?: boolean;
  /** More directories to look in, `~/` for home. */
  readonly dirs?: readonly string[];
  /** How it is installed, shown when it is missing; "" or absent = unknown. */
  readonly install?: string;
  /** The CLI's own files below the home directory, for the engine's rights. */
  readonly homes?: readonly string[];
}

/** Everything discovery depends on. */
export interface DiscoveryOptions extends LocateContext, ProbePorts {
  readonly catalog: readonly DiscoverableAgent[];
  /** Provider → command or path set by the operator (`MULTICA_<X>_PATH`). */
  readonly overrides: Readonly<Record<string, string>>;
  /** Cache file; absent = in memory. */
  readonly cacheFile?: string;
}

/** One pass of discovery. */
export interface DiscoveryRun {
  readonly onAgent?: (agent: DiscoveredAgent) => void;
  readonly signal?: AbortSignal;
}

/** Owner of what is known about the CLIs here. */
export class AgentDiscovery {
  readonly #cache: DiscoveryCache;
  readonly #shell: LoginShell;
  readonly #probes = new Semaphore(PARALLEL_PROBES);

  constructor(private readonly options: DiscoveryOptions) {
    this.#cache = new DiscoveryCache(options.cacheFile);
    this.#shell = new LoginShell(options, options);
  }

  /** What can be said at once: paths by looking, versions as remembered for unchanged files. Starts nothing. */
  locate(): readonly DiscoveredAgent[] {
    const index = new ProgramIndex(this.options);
    const remembered = this.#cache.shellPaths(this.#shellKey());
    return this.options.catalog.map((row) => {
      const path = this.#find(row, index, (name) => this.#rescued(remembered[name]));
      if (path === "") return this.#absent(row);
      const known = this.#cache.version(path);
      return this.#judge(row, path, known?.version ?? "", known?.probedAt ?? 0);
    });
  }

  /**
   * Finds and probes everything again. Never rejects; what is wrong stands in each agent's `problem`. `onAgent` hears each
   * agent as soon as it is known, so that one that hangs delays only itself.
   */
  async discover(run: DiscoveryRun = {}): Promise<readonly DiscoveredAgent[]> {
    const index = new ProgramIndex(this.options);
    const missing = this.options.catalog
      .map((row) => this.#command(row))
      .filter((command) => !hasSeparator(command) && index.onPath(command) === undefined);
    const shell = this.#askShell(missing);
    const agents = await Promise.all(this.options.catalog.map(async (row) => {
      const answer = missing.includes(this.#command(row)) ? await shell : NO_PATHS;
      const path = this.#find(row, index, (name) => this.#rescued(answer.get(name)));
      const agent = path === ""
        ? this.#absent(row)
        : row.unsupported === true
        ? this.#judge(row, path, "", this.options.clock.now())
        : await this.#probe(row, path, run.signal);
      run.onAgent?.(agent);
      return agent;
    }));
    this.#cache.save();
    return agents;
  }

  /** The version line a program prints, "" when it prints none. @throws when it cannot start, fails or hangs. */
  async version(path: string, prefixArgs: readonly string[], signal?: AbortSignal): Promise<string> {
    await this.#probes.acquire(signal);
    try {
      const run = await this.#attempt(path, prefixArgs);
      if (run.timedOut) {
        throw new Error(`${path} --version did not end within ${PROBE_LIMITS.limitMs / 1000} s`);
      }
      if (run.code !== 0) {
        const said = lastLine(run.stderr);
        throw new Error(`${path} --version failed: exit status ${run.code}${said === "" ? "" : `: ${said}`}`);
      }
      return versionLine(run.stdout);
    } finally {
      this.#probes.release();
    }
  }

  async #askShell(missing: readonly string[]): Promise<ShellPaths> {
    if (missing.length === 0) return NO_PATHS;
    const paths = await this.#shell.paths(missing);
    this.#cache.setShellPaths(this.#shellKey(), this.options.clock.now(), paths);
    return paths;
  }

  #command(row: DiscoverableAgent): string {
    return (this.options.overrides[row.provider] ?? "").trim() || row.command;
  }

  /** Path, or "". Order: PATH, login shell, well-known directories, bundled (spec 03 §6.2). */
  #find(row: DiscoverableAgent, index: ProgramIndex, shell: (name: string) => string | undefined): string {
    const command = this.#command(row);
    const direct = hasSeparator(command) ? findCommand(command, this.options) : index.onPath(command);
    if (direct !== undefined || hasSeparator(command)) return direct ?? "";
    const home = (path: string) => path.replace(/^~(?=\/)/, this.options.home);
    const dirs = [...(row.dirs ?? []).map(home), ...index.wellKnown];
    const rescued = shell(command) ?? index.find(command, dirs);
    if (rescued !== undefined) return rescued;
    if (command !== row.command) return "";
    for (const file of row.bundled ?? []) {
      const found = executableAt(home(file), this.options);
      if (found !== undefined) return found;
    }
    return "";
  }

  #rescued(path: string | undefined): string | undefined {
    if (path === undefined || insideHooks(path, this.options.home)) return undefined;
    return executableAt(path, this.options);
  }

  #shellKey(): string {
    const { env } = this.options;
    return JSON.stringify([env["PATH"] ?? "", env["SHELL"] ?? "", env["HOME"] ?? ""]);
  }

  async #probe(row: DiscoverableAgent, path: string, signal?: AbortSignal): Promise<DiscoveredAgent> {
    const began = this.options.clock.monotonic();
    try {
      return await this.#probeOnce(row, path, signal);
    } catch (first) {
      if (signal?.aborted) return this.#broken(row, path, first);
      const quick = this.options.clock.monotonic() - began < QUICK_FAILURE_MS;
      if (!quick) return this.#broken(row, path, first);
    }
    try {
      await sleep(this.options.clock, SECOND_ATTEMPT_MS, signal);
      return await this.#probeOnce(row, path, signal);
    } catch (second) {
      return this.#broken(row, path, second);
    }
  }

  async #probeOnce(row: DiscoverableAgent, path: string, signal?: AbortSignal): Promise<DiscoveredAgent> {
    const version = await this.version(path, [], signal);
    const probedAt = this.options.clock.now();
    const agent = this.#judge(row, path, version, probedAt);
    if (version !== "") this.#cache.setVersion(path, { version, probedAt });
    return agent;
  }

  async #attempt(path: string, prefixArgs: readonly string[]): Promise<ProbeRun> {
    const env = probeEnvironment(this.options.env, path);
    return await runProbe(
      { executable: path, args: [...prefixArgs, "--version"], env, cwd: this.options.home },
      PROBE_LIMITS,
      this.options,
    );
  }

  #judge(row: DiscoverableAgent, path: string, version: string, probedAt: number): DiscoveredAgent {
    const agent = { provider: row.provider, path, version, probedAt, problem: "", fix: "" };
    if (row.unsupported === true) return { ...agent, problem: unsupported(row.provider) };
    if (probedAt === 0) return agent;
    const placeholder = version === "" ? diagnosePlaceholder(path, this.options) : undefined;
    if (placeholder) return { ...agent, ...placeholder };
    const verdict = checkMinimum(row.provider, version, row.minVersion ?? "");
    if (verdict.kind === "ok") return agent;
    const fix = verdict.kind === "too_old"
      ? row.install || `upgrade ${row.command}`
      : `run ${path} --version`;
    const fault = verdict.kind === "too_old" ? "below_minimum" : "unavailable";
    return { ...agent, problem: verdict.problem, fault, fix };
  }

  #broken(row: DiscoverableAgent, path: string, error: unknown): DiscoveredAgent {
    this.#cache.forgetVersion(path);
    const reason = error instanceof LaunchError ? error.message : errorText(error);
    log.warn("agent program does not answer", { provider: row.provider, path, error: reason });
    const diagnosis: Diagnosis = diagnosePlaceholder(path, this.options) ??
      {
        problem: `detect version for ${path}: ${reason}`,
        fault: refusedBySystem(error) ? "not_executable" : "unavailable",
        fix: `run ${path} --version`,
      };
    return {
      provider: row.provider,
      path,
      version: "",
      probedAt: this.options.clock.now(),
      ...diagnosis,
    };
  }

  #absent(row: DiscoverableAgent): DiscoveredAgent {
    const command = this.#command(row);
    const variable = `MULTICA_${row.provider.toUpperCase()}_PATH`;
    const problem = command === row.command
      ? `${command} was not found on PATH, by the login shell or in the usual directories`
      : `${variable} names "${command}", which is not an executable on this machine`;
    const fix = command === row.command
      ? row.install || `install ${row.command}, or set ${variable}`
      : `correct or unset ${variable}`;
    const misnamed = command !== row.command;
    return {
      provider: row.provider,
      path: "",
      version: "",
      probedAt: 0,
      problem,
      fault: "not_found",
      fix,
      ...(misnamed ? { misnamed } : {}),
    };
  }
}

/** The system itself will not start the file: no right, or no program in it. */
function refusedBySystem(error: unknown): boolean {
  if (!(error instanceof LaunchError) || !(error.cause instanceof Error)) return false;
  return error.cause instanceof Deno.errors.PermissionDenied ||
    /exec format error/i.test(error.cause.message);
}

function unsupported(provider: string): string {
  return `${provider} is not supported by this version yet`;
}

/** What a failed program said last, short. */
function lastLine(stderr: string): string {
  return sanitiseDiagnostic(stderr).trim().split("\n").at(-1)!.trim().slice(0, 200);
}
