/** The shared life of one agent child: launch, pipes, stop, exit, proof that its tree is gone (spec 06 §1.6, §2.7, §11.5). */
import {
  type Child,
  type EndReport,
  errorText,
  type ExitStatus,
  getLog,
  type LineBatch,
  OVER,
  type ProcessGroup,
  readLines,
} from "../core/mod.ts";
import { launchAgent } from "./child_launch.ts";
import { StderrTail } from "./child_stderr.ts";
import { StdinWriter } from "./child_stdin.ts";
import {
  type ChildEnd,
  type ChildProtocol,
  type ChildRunOptions,
  failedResult,
  type StopCause,
} from "./child_types.ts";
import type { AgentEvent, AgentResult, AgentRun } from "./contract.ts";

export * from "./child_types.ts";

const log = getLog("agents");

/** How long a child may take to exit by itself after its terminal event, ms. */
export const EXIT_GRACE_MS = 10_000;
/** How long reading goes on after the tree was ended, ms: only an escaped holder of the pipe needs it. */
export const DRAIN_MS = 2_000;

/** A running agent child. Create with {@link startChild}. */
export class ChildRun {
  readonly group: ProcessGroup;
  /** What the rest of the host sees. */
  readonly run: AgentRun;
  readonly stdin: StdinWriter;

  readonly #options: ChildRunOptions;
  readonly #protocol: ChildProtocol;
  readonly #child: Child;
  readonly #stderr: StderrTail;
  readonly #startedAt: number;
  readonly #result = Promise.withResolvers<AgentResult>();
  readonly #terminal = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #exit = Promise.withResolvers<ExitStatus>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #reading = new AbortController();

  #settled = false;
  #terminalSeen = false;
  #stopCause: StopCause | undefined;
  #exitStatus: ExitStatus | undefined;
  #ending: Promise<EndReport> | undefined;
  #pressure: Promise<void> | undefined;
  #readError = "";
  #cutBytes = 0;

  constructor(child: Child, options: ChildRunOptions, attach: (run: ChildRun) => ChildProtocol) {
    this.#child = child;
    this.#options = options;
    this.group = { pid: child.pid, marker: options.request.marker };
    this.#startedAt = options.ports.clock.monotonic();
    this.stdin = new StdinWriter(child.stdin);
    this.#stderr = new StderrTail(child.stderr);
    this.#protocol = attach(this);
    this.run = {
      group: this.group,
      result: this.#result.promise,
      ended: this.#live(),
      exited: this.#exited.promise,
    };
  }

  /** Milliseconds since the launch. */
  get durationMs(): number {
    return Math.round(this.#options.ports.clock.monotonic() - this.#startedAt);
  }

  /** Why the run is being stopped, if it is. */
  get stopCause(): StopCause | undefined {
    return this.#stopCause;
  }

  /** Hands an event on, at once and in order. */
  emit(event: AgentEvent): void {
    const wait = this.#options.ports.emit(event);
    if (wait !== undefined) this.#pressure = wait;
  }

  /** Queues text for the child's stdin. */
  send(text: string): void {
    this.stdin.write(text);
  }

  /** The protocol has said its last word: the child gets {@link EXIT_GRACE_MS} to exit, then its tree is ended. */
  terminal(): void {
    if (this.#terminalSeen) return;
    this.#terminalSeen = true;
    this.#terminal.resolve();
  }

  /** {@link terminal}, and this is the outcome. The first decision stands. */
  decide(result: AgentResult): void {
    this.#settle(result);
    this.terminal();
  }

  /** Stops the run politely, then for good; the outcome comes from {@link ChildProtocol.conclude}. Idempotent. */
  stop(cause: StopCause): void {
    if (this.#stopCause !== undefined) return;
    this.#stopCause = cause;
    this.#stopped.resolve();
  }

  #settle(result: AgentResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#result.resolve(result);
  }

  async #live(): Promise<EndReport> {
    const { ports, request } = this.#options;
    const onAbort = () => this.stop("cancelled");
    ports.signal.addEventListener("abort", onAbort, { once: true });
    if (ports.signal.aborted) onAbort();
    const limit = request.timeoutMs > 0
      ? ports.clock.timer(request.timeoutMs, () => this.stop("timeout"))
      : undefined;
    this.#watchExit();
    const reading = this.#read();
    try {
      await Promise.race([this.#exit.promise, this.#terminal.promise, this.#stopped.promise]);
      if (this.#exitStatus === undefined) await this.#letGo();
      const report = await this.#endTree(reading);
      await this.#concludeRun(reading);
      return report;
    } finally {
      limit?.cancel();
      ports.signal.removeEventListener("abort", onAbort);
      await this.#tidy();
      this.#exited.resolve();
    }
  }

  #watchExit(): void {
    this.#child.status.then((status) => {
      this.#exitStatus = status;
      this.#exit.resolve(status);
      return this.#options.ports.processes.groupEmpty(this.group);
    }).then((empty) => {
      if (empty) this.#exited.resolve();
    }, (error: unknown) => {
      log.warn("cannot learn whether the agent exited", { pid: this.group.pid, error: errorText(error) });
    });
  }

  /** After the terminal event: time to exit. After a stop: the polite way first. */
  async #letGo(): Promise<void> {
    if (this.#terminalSeen) {
      this.stdin.close();
      await this.#within(EXIT_GRACE_MS, Promise.race([this.#exit.promise, this.#stopped.promise]));
      return;
    }
    try {
      const polite = Promise.resolve(this.#protocol.stop?.(this.#stopCause ?? "cancelled"));
      polite.catch(() => {}); // reported below unless it came too late to matter
      await this.#within(this.#options.politeMs ?? 2_000, Promise.race([polite, this.#exit.promise]));
    } catch (error) {
      log.warn("polite stop of the agent failed", { provider: this.#provider, error: errorText(error) });
    }
    this.stdin.close();
  }

  /** Ends whatever is left of the tree; reading goes on meanwhile, so that nobody blocks on a full pipe. */
  async #endTree(reading: Promise<void>): Promise<EndReport> {
    const { ports, graceMs } = this.#options;
    let report: EndReport;
    try {
      report = await ports.processes.end(this.group, { graceMs });
    } catch (error) {
      log.error("cannot end the agent's process tree", { pid: this.group.pid, error: errorText(error) });
      report = { empty: false, leftovers: [], killed: false };
    }
    await this.#within(DRAIN_MS, Promise.all([reading, this.#stderr.done, this.#exit.promise]));
    this.#reading.abort(OVER);
    await this.#stderr.cancel();
    await reading;
    return report;
  }

  async #concludeRun(reading: Promise<void>): Promise<void> {
    await reading;
    this.stdin.abort();
    const end = this.#end();
    log.debug("agent exited", {
      provider: this.#provider,
      exitCode: end.exit?.code,
      signal: end.exit?.signal,
      stopCause: end.stopCause,
      stderrBytes: this.#stderr.bytes,
      ...(this.#options.logStderr === false ? {} : { stderr: end.stderrTail }),
    });
    if (this.#settled) return;
    try {
      this.#settle(this.#protocol.conclude(end));
    } catch (error) {
      log.error("agent driver failed", { provider: this.#provider, error: errorText(error) });
      this.#settle(failedResult(`${this.#options.name} driver failed: ${errorText(error)}`, end.durationMs));
    }
  }

  #end(): ChildEnd {
    return {
      exit: this.#exitStatus,
      stopCause: this.#stopCause,
      stderrTail: this.#stderr.text(),
      readError: this.#readError,
      stdinError: this.stdin.error,
      cutBytes: this.#cutBytes,
      durationMs: this.durationMs,
    };
  }

  async #tidy(): Promise<void> {
    try {
      await this.#protocol.cleanup?.();
    } catch (error) {
      log.warn("cannot clean up after the agent", { provider: this.#provider, error: errorText(error) });
    }
  }

  async #read(): Promise<void> {
    const { maxLineBytes } = this.#options;
    const { signal } = this.#reading;
    try {
      const options = { signal, ...(maxLineBytes === undefined ? {} : { maxBytes: maxLineBytes }) };
      await readLines(this.#child.stdout, (batch) => {
        this.#handle(batch);
        const wait = this.#pressure ?? this.stdin.pressure;
        this.#pressure = undefined;
        return wait && Promise.race([wait, this.#stopped.promise, this.#exit.promise]);
      }, options);
    } catch (error) {
      if (!signal.aborted) this.#readError = errorText(error);
    }
  }

  #handle(batch: LineBatch): void {
    const { lines, cut } = batch;
    if (cut.length > 0) return this.#handleCut(batch);
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      if (line.length > 0) this.#protocol.line(line);
    }
  }

  #handleCut(batch: LineBatch): void {
    batch.lines.forEach((line, index) => {
      const cut = batch.cut.find((entry) => entry.index === index);
      if (cut === undefined) {
        if (line.length > 0) this.#protocol.line(line);
        return;
      }
      this.#cutBytes += cut.bytes;
      this.emit({ type: "gap", what: "a line of agent output was longer than the limit", bytes: cut.bytes });
      this.#protocol.cutLine?.(line.slice(0, 4096), cut.bytes);
    });
  }

  get #provider(): string {
    return this.#options.request.provider;
  }

  /** Waits for `work`, at most `ms`. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#options.ports.clock.timer(ms, late.resolve);
    try {
      await Promise.race([work, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}

/**
 * Launches the CLI and starts reading. `attach` gets the run before the first line and returns the driver's side.
 * @throws {LaunchError} when nothing was started; the signal's reason when it had already aborted.
 */
export function startChild(options: ChildRunOptions, attach: (run: ChildRun) => ChildProtocol): ChildRun {
  const { request, ports } = options;
  ports.signal.throwIfAborted();
  const child = launchAgent(options.name, {
    executable: request.executable,
    args: options.args,
    env: { ...(options.env ?? request.env), PWD: request.cwd },
    cwd: request.cwd,
    stdin: options.stdin,
    detached: true,
  }, ports.launch);
  ports.processes.started({ pid: child.pid, marker: request.marker });
  return new ChildRun(child, options, attach);
}
