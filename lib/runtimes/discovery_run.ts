/** Runs a foreign program once, bounded in time and output: version probes, login shells, model lists. */
import {
  type Child,
  type Clock,
  type LaunchSpec,
  type ProcessControl,
  type ProcessGroup,
  sleep,
} from "../core/mod.ts";
import { hostPath, pathFor } from "./locate.ts";

/** What a bounded run needs. */
export interface ProbePorts {
  readonly clock: Clock;
  readonly launch: (spec: LaunchSpec) => Child;
  /** Ends what hangs, and what a probed program left behind. */
  readonly processes: ProcessControl;
}

/** What a bounded run printed (the beginning of it), and how it ended. */
export interface ProbeRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly ms: number;
}

/** Limits of a run; times in ms. */
export interface ProbeLimits {
  /** Until the program must have exited. */
  readonly limitMs: number;
  /** More for pipes that something else holds open. */
  readonly heldMs: number;
  /** Of each stream. Default 256 KiB. */
  readonly maxBytes?: number;
}

const MAX_OUTPUT_BYTES = 256 * 1024;
const MARKER = "MULTICA_HOST_PROBE";

/** What a probed CLI sees: the host's environment without the variables of a surrounding task or Claude session. */
export function probeEnvironment(
  env: Readonly<Record<string, string>>,
  path: string,
): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !/^(?:MULTICA_|CLAUDECODE)/i.test(name));
  return { ...Object.fromEntries(kept), PATH: pathFor(path, hostPath(env)) };
}

/** Runs to the end or to the limit. No process of it is left afterwards. @throws {LaunchError} when it cannot start. */
export async function runProbe(spec: LaunchSpec, limits: ProbeLimits, ports: ProbePorts): Promise<ProbeRun> {
  const { clock } = ports;
  const began = clock.monotonic();
  const mark = crypto.randomUUID();
  const child = ports.launch({
    ...spec,
    env: { ...spec.env, [MARKER]: mark },
    stdin: "null",
    detached: true,
  });
  const group: ProcessGroup = { pid: child.pid, marker: `${MARKER}=${mark}` };
  ports.processes.started(group);
  const out = new Collector(child.stdout, limits.maxBytes);
  const err = new Collector(child.stderr, limits.maxBytes);

  const exited = await within(clock, limits.limitMs, child.status);
  if (exited === undefined) await ports.processes.end(group, { graceMs: 0 });
  const piped = await within(clock, limits.heldMs, Promise.all([out.done, err.done]));
  if (piped === undefined) await Promise.all([out.stop(), err.stop()]);
  if (exited !== undefined) await ports.processes.end(group, { graceMs: 0 });
  const status = exited ?? await child.status;
  return {
    code: status.code,
    stdout: out.text(),
    stderr: err.text(),
    timedOut: exited === undefined,
    ms: clock.monotonic() - began,
  };
}

/** The value, or undefined when it did not come in time. */
async function within<T>(clock: Clock, limitMs: number, value: Promise<T>): Promise<T | undefined> {
  const abort = new AbortController();
  const late = sleep(clock, limitMs, abort.signal).then(() => undefined, () => undefined);
  try {
    return await Promise.race([value, late]);
  } finally {
    abort.abort();
  }
}

/** Reads a pipe to its end and keeps its beginning. */
class Collector {
  readonly done: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(stream: ReadableStream<Uint8Array>, private readonly maxBytes = MAX_OUTPUT_BYTES) {
    this.#reader = stream.getReader();
    this.done = this.#read();
  }

  async stop(): Promise<void> {
    await this.#reader.cancel();
    await this.done;
  }

  text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
  }

  async #read(): Promise<void> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      if (this.#bytes < this.maxBytes) {
        this.#chunks.push(value.subarray(0, this.maxBytes - this.#bytes));
      }
      this.#bytes += value.length;
    }
  }
}
