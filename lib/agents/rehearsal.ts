/**
 * The rehearsal agent: a program without a model that speaks Claude's stream-json, so that the whole way of a task can
 * be tried on a clean machine. It really reads and changes files in its working directory, and says what it is.
 */
import { readLines, sleep, systemClock } from "../core/mod.ts";
import { planRehearsal, type RehearsalStep } from "./rehearsal_plan.ts";
import { isObject, type Json, list, obj, parseLine, str } from "./stream_json.ts";

/** What the program needs of its surroundings. */
export interface RehearsalIo {
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: WritableStream<Uint8Array>;
  readonly cwd: string;
}

/** Hidden verb of the binary that runs this program. */
export const REHEARSAL_VERB = "__rehearsal";

/** Name it uses where others name a model. */
export const REHEARSAL_MODEL = "rehearsal-no-model";

/**
 * Runs the program: one prompt from stdin, events to stdout. `args` are Claude's; only `--resume` and `--version`
 * matter. @returns the exit code.
 */
export async function runRehearsalAgent(
  args: readonly string[],
  io: RehearsalIo = realIo(),
): Promise<number> {
  const out = new Talker(io.stdout);
  try {
    if (args.includes("--version")) {
      await out.raw("1.0.0 (rehearsal agent, no model)");
      return 0;
    }
    const inbox = new Inbox(io.stdin);
    const prompt = await inbox.prompt();
    if (prompt === undefined) return 1;
    await new Rehearsal(out, inbox, io.cwd, option(args, "--resume")).perform(prompt);
    await inbox.end();
    return 0;
  } finally {
    out.release();
  }
}

function realIo(): RehearsalIo {
  return { stdin: Deno.stdin.readable, stdout: Deno.stdout.writable, cwd: Deno.cwd() };
}

function option(args: readonly string[], flag: string): string {
  const at = args.indexOf(flag);
  return at < 0 ? "" : args[at + 1] ?? "";
}

/** One performance: plan, do each step for real, tell about it. */
class Rehearsal {
  readonly #session: string;
  #calls = 0;

  constructor(
    private readonly out: Talker,
    private readonly inbox: Inbox,
    private readonly cwd: string,
    resume: string,
  ) {
    this.#session = resume || crypto.randomUUID();
  }

  async perform(prompt: string): Promise<void> {
    const began = systemClock.monotonic();
    const plan = await planRehearsal(prompt, this.cwd, systemClock.now());
    await this.#event({ type: "system", subtype: "init", cwd: this.cwd, model: REHEARSAL_MODEL });
    await this.#say({ type: "thinking", thinking: plan.thought });
    await this.#say({ type: "text", text: plan.opening });
    if (plan.waitMs > 0) await sleep(systemClock, plan.waitMs);
    for (const step of plan.steps) await this.#step(step);
    if (plan.failure === "") await this.#say({ type: "text", text: plan.closing });
    await this.#event({
      type: "result",
      subtype: "success",
      is_error: plan.failure !== "",
      result: plan.failure || plan.closing,
      terminal_reason: plan.failure === "" ? "completed" : "api_error",
      duration_ms: Math.round(systemClock.monotonic() - began),
      num_turns: plan.steps.length + 1,
      modelUsage: {},
    });
  }

  async #step(step: RehearsalStep): Promise<void> {
    const id = `rehearsal_${++this.#calls}`;
    await this.#say({ type: "tool_use", id, name: step.tool, input: step.input });
    const allowed = !step.asks || await this.#ask(id, step);
    const output = allowed ? await step.act() : "not allowed";
    const content = [{ type: "tool_result", tool_use_id: id, content: output, is_error: !allowed }];
    await this.#event({ type: "user", message: { role: "user", content }, parent_tool_use_id: null });
  }

  /** Changes are asked for first, as the real program does: the way back over stdin is part of the rehearsal. */
  async #ask(id: string, step: RehearsalStep): Promise<boolean> {
    const request = { subtype: "can_use_tool", tool_name: step.tool, input: step.input };
    await this.#event({ type: "control_request", request_id: id, request });
    return await this.inbox.allowed(id);
  }

  #say(block: Json): Promise<void> {
    const usage = { input_tokens: 0, output_tokens: 0 };
    const message = { role: "assistant", model: REHEARSAL_MODEL, content: [block], usage };
    return this.#event({ type: "assistant", message, parent_tool_use_id: null });
  }

  #event(event: Json): Promise<void> {
    return this.out.line({ ...event, session_id: this.#session });
  }
}

/** Writes events, one a line. */
class Talker {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();

  constructor(stdout: WritableStream<Uint8Array>) {
    this.#writer = stdout.getWriter();
  }

  line(event: Json): Promise<void> {
    return this.raw(JSON.stringify(event));
  }

  raw(text: string): Promise<void> {
    return this.#writer.write(this.#encoder.encode(text + "\n"));
  }

  release(): void {
    this.#writer.releaseLock();
  }
}

/** Reads what the host writes, one object at a time. */
class Inbox {
  readonly #events: AsyncIterator<Json>;

  constructor(stdin: ReadableStream<Uint8Array>) {
    this.#events = objects(stdin);
  }

  /** The first user message's text, undefined when stdin ended before one came. */
  async prompt(): Promise<string | undefined> {
    for (let next = await this.#events.next(); !next.done; next = await this.#events.next()) {
      if (next.value.type !== "user") continue;
      const content = obj(next.value.message).content;
      if (typeof content === "string") return content;
      return list(content).map((block) => str(obj(block).text)).join("\n");
    }
    return undefined;
  }

  /** The answer to a permission request. False when stdin ended. */
  async allowed(requestId: string): Promise<boolean> {
    for (let next = await this.#events.next(); !next.done; next = await this.#events.next()) {
      const response = obj(next.value.response);
      if (next.value.type !== "control_response" || response.request_id !== requestId) continue;
      return isObject(response.response) && response.response.behavior === "allow";
    }
    return false;
  }

  /** Waits for the end of stdin, as the real program does after its result. */
  async end(): Promise<void> {
    while (!(await this.#events.next()).done);
  }
}

function objects(stdin: ReadableStream<Uint8Array>): AsyncIterator<Json> {
  const { readable, writable } = new TransformStream<Json, Json>();
  const writer = writable.getWriter();
  const read = readLines(stdin, async ({ lines }) => {
    for (const line of lines) {
      const event = parseLine(line);
      if (event !== undefined) await writer.write(event);
    }
  });
  read.then(() => writer.close(), (error: unknown) => writer.abort(error)).catch(() => {}); // the reader has gone
  return readable.values();
}
