/**
 * A real host as a process of its own: the compiled binary named by `MULTICA_HOST_BINARY`, else the sources. It lives in a
 * private home, so nothing of the machine's own profile is touched.
 */
import { join } from "node:path";
import { Guard } from "./guard.ts";
import { moment } from "./moment.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** How `multica-host` is started here: program and leading arguments. */
export function hostCommand(): readonly [string, ...string[]] {
  const binary = Deno.env.get("MULTICA_HOST_BINARY");
  if (binary !== undefined && binary !== "") return [binary.startsWith("/") ? binary : join(ROOT, binary)];
  return sourceCommand(ROOT);
}

/** A host run from the sources below `root`, which ends in a slash. */
export function sourceCommand(root: string): readonly [string, ...string[]] {
  return [Deno.execPath(), "run", "-q", "-P=host", `--config=${root}deno.json`, `${root}main.ts`];
}

/** A home with a profile's `config.json`, removed at the end. */
export interface TestHome {
  readonly dir: string;
  readonly stateDir: string;
  readonly workspacesRoot: string;
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

export interface HomeOptions {
  readonly profile?: string;
  readonly serverUrl?: string;
  readonly token?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a home that is logged in. */
export async function makeHome(options: HomeOptions = {}): Promise<TestHome> {
  const dir = await Deno.makeTempDir({ prefix: "multica-home-" });
  const profile = options.profile ?? "";
  const stateDir = profile === "" ? join(dir, ".multica") : join(dir, ".multica/profiles", profile);
  await Deno.mkdir(stateDir, { recursive: true });
  const settings = { server_url: options.serverUrl, token: options.token };
  await Deno.writeTextFile(join(stateDir, "config.json"), JSON.stringify(settings, null, 2) + "\n", {
    mode: 0o600,
  });
  return {
    dir,
    stateDir,
    workspacesRoot: join(dir, profile === "" ? "multica_workspaces" : `multica_workspaces_${profile}`),
    env: {
      HOME: dir,
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      LANG: "C.UTF-8",
      NO_COLOR: "1",
      // The sources run on the shared module cache; the home stays private.
      DENO_DIR: Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "/root", ".cache/deno"),
      DENO_NO_UPDATE_CHECK: "1",
      ...options.env,
    },
    remove: () => Deno.remove(dir, { recursive: true }),
  };
}

/** Outcome of a command that ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one `multica-host` command to its end. */
export async function runHostCommand(
  home: TestHome,
  args: readonly string[],
  env: Record<string, string> = {},
  command = hostCommand(),
): Promise<Ran> {
  const [program, ...lead] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...lead, ...args],
    env: { ...home.env, ...env },
    clearEnv: true,
    cwd: home.dir,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** A host that runs in the foreground until it is told otherwise. */
export class HostProcess {
  #lines: string[] = [];
  readonly #waiters = new Set<() => void>();
  readonly #drained: Promise<unknown>;
  /** Exit code and signal, once it ended. */
  readonly ended: Promise<Deno.CommandStatus>;
  #over = false;

  private constructor(readonly child: Deno.ChildProcess, readonly port: number) {
    this.#drained = Promise.all([this.#read(child.stdout), this.#read(child.stderr)]);
    const guard = new Guard(child.pid);
    this.ended = child.status.then(async (status) => {
      await Promise.all([this.#drained, guard.release()]);
      this.#over = true;
      this.#wake();
      return status;
    });
  }

  /** Starts it; `port` is the profile's health port. */
  static start(
    home: TestHome,
    options: {
      readonly args?: readonly string[];
      readonly port?: number;
      readonly env?: Record<string, string>;
      /** @default {@link hostCommand} */
      readonly command?: readonly [string, ...string[]];
    } = {},
  ): HostProcess {
    const [program, ...lead] = options.command ?? hostCommand();
    const child = new Deno.Command(program, {
      args: [...lead, ...(options.args ?? [])],
      env: { ...home.env, ...options.env },
      clearEnv: true,
      cwd: home.dir,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new HostProcess(child, options.port ?? 19514);
  }

  /** Everything it printed so far. */
  get output(): string {
    return this.#lines.join("\n");
  }

  /** `/health`, or undefined while nobody answers. */
  async health(): Promise<Record<string, unknown> | undefined> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.port}/health`);
      return await answer.json() as Record<string, unknown>;
    } catch {
      return undefined;
    }
  }

  /** Waits for `/health` to say `running` for this very process. @throws with its output when it ended instead. */
  async ready(): Promise<Record<string, unknown>> {
    return await this.until((health) => health["status"] === "running" && health["pid"] === this.child.pid);
  }

  /** Waits until `/health` satisfies the condition. */
  async until(condition: (health: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      if (this.#over) throw new Error(`host ended early:\n${this.output}`);
      const health = await this.health();
      if (health !== undefined && condition(health)) return health;
      // The local API has no push: ask again after the next line of output, or a moment later.
      await Promise.race([this.#nextLine(), moment()]);
    }
  }

  /** Waits for a line of output that matches. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.#lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.#over) throw new Error(`host ended without printing ${pattern}:\n${this.output}`);
      await this.#nextLine();
    }
  }

  /** SIGKILL, and waits for the end. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  /** SIGTERM, and waits for the end. */
  async stop(): Promise<Deno.CommandStatus> {
    this.signal("SIGTERM");
    return await this.ended;
  }

  signal(name: Deno.Signal): void {
    if (this.#over) return;
    try {
      this.child.kill(name);
    } catch {
      // It ended in between: that is what was wanted.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) await this.kill();
  }

  #nextLine(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      this.#lines.push(...parts);
      if (this.#lines.length > 20_000) this.#lines = this.#lines.slice(-10_000);
      this.#wake();
    }
    if (rest !== "") this.#lines.push(rest);
    this.#wake();
  }
}
