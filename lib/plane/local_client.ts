/** The other side of `/api/local/*`: what `multica-host task …` talks with. */
import * as z from "zod";
import { HostError } from "../core/mod.ts";
import type { LocalTaskBody } from "./local_routes.ts";

const time = z.number().nullable();

/** A task in answers; unknown keys are kept. */
const Task = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  agent_id: z.string(),
  agent_name: z.string(),
  issue_id: z.string(),
  kind: z.string(),
  title: z.string(),
  status: z.string(),
  attempt: z.number(),
  created_at: z.number(),
  started_at: time,
  completed_at: time,
  session_id: z.string(),
  work_dir: z.string(),
  output: z.string(),
  error: z.string(),
  failure_reason: z.string(),
});

const Message = z.looseObject({
  seq: z.number(),
  type: z.string(),
  tool: z.string().optional(),
  content: z.string().optional(),
  input: z.record(z.string(), z.unknown()).optional(),
  output: z.string().optional(),
  created_at: z.string(),
});

const Usage = z.looseObject({
  provider: z.string(),
  model: z.string(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cache_read_tokens: z.number(),
  cache_write_tokens: z.number(),
});

const Agent = z.looseObject({
  id: z.string(),
  name: z.string(),
  provider: z.string().nullable(),
  runtime_id: z.string().nullable(),
});

/** A task of the local plane. */
export type LocalTask = z.infer<typeof Task>;
/** A transcript row. */
export type LocalMessage = z.infer<typeof Message>;
/** Token totals of one model. */
export type LocalUsage = z.infer<typeof Usage>;
/** An agent that tasks can be given to. */
export type LocalAgent = z.infer<typeof Agent>;

/** What {@link LocalPlaneClient.follow} yields. */
export type FollowEvent =
  | { readonly type: "state"; readonly task: LocalTask }
  | { readonly type: "message"; readonly message: LocalMessage }
  | { readonly type: "progress"; readonly summary: string }
  /** The row is gone. */
  | { readonly type: "deleted" };

/** The local plane refused a request. */
export class LocalPlaneRefused extends HostError {
  constructor(readonly status: number, message: string) {
    super(`The local control plane refused: ${message}`, {
      code: "local_plane_refused",
      facts: { status },
      ...(status === 404 ? { exitCode: 4, hint: "multica-host task list shows what there is" } : {}),
    });
  }
}

/** Nobody answers at the local plane's address. */
export class LocalPlaneAway extends HostError {
  constructor(readonly url: string, start: string, cause: unknown) {
    super("The local control plane does not run", {
      code: "local_plane_away",
      exitCode: 2,
      hint: `start it in another terminal: ${start}`,
      cause,
      facts: { url },
    });
  }
}

/** Adds, lists, shows, cancels and follows tasks of a local plane in another process. */
export class LocalPlaneClient {
  readonly #url: string;
  readonly #token: string;
  readonly #start: string;

  /** `start`: the command that starts this plane. @default "multica-host local" */
  constructor(options: { readonly url: string; readonly token: string; readonly start?: string }) {
    this.#url = options.url.replace(/\/+$/, "");
    this.#token = options.token;
    this.#start = options.start ?? "multica-host local";
  }

  /** Adds a task; the agent's host is woken at once. @throws {LocalPlaneRefused} unknown agent, empty prompt */
  async add(task: LocalTaskBody, signal?: AbortSignal): Promise<LocalTask> {
    return Task.parse(await this.#call("POST", "/tasks", task, signal));
  }

  /** Newest first. */
  async list(
    options: { readonly status?: string; readonly limit?: number; readonly signal?: AbortSignal } = {},
  ): Promise<LocalTask[]> {
    const query = new URLSearchParams();
    if (options.status !== undefined) query.set("status", options.status);
    if (options.limit !== undefined) query.set("limit", String(options.limit));
    return z.array(Task).parse(await this.#call("GET", `/tasks?${query}`, undefined, options.signal));
  }

  /** One task by id or a unique piece of it. @throws {LocalPlaneRefused} 404, 409 */
  async show(ref: string, signal?: AbortSignal): Promise<{ task: LocalTask; usage: LocalUsage[] }> {
    const path = `/tasks/${encodeURIComponent(ref)}`;
    return z.object({ task: Task, usage: z.array(Usage) }).parse(
      await this.#call("GET", path, undefined, signal),
    );
  }

  /** The transcript above `since`. */
  async messages(ref: string, since = 0, signal?: AbortSignal): Promise<LocalMessage[]> {
    const path = `/tasks/${encodeURIComponent(ref)}/messages?since=${since}`;
    return z.array(Message).parse(await this.#call("GET", path, undefined, signal));
  }

  /** Cancels; a task that has ended stays as it is. */
  async cancel(ref: string, signal?: AbortSignal): Promise<LocalTask> {
    return Task.parse(await this.#call("POST", `/tasks/${encodeURIComponent(ref)}/cancel`, {}, signal));
  }

  /** Runs again without memory; returns the new task. */
  async rerun(ref: string, signal?: AbortSignal): Promise<LocalTask> {
    return Task.parse(await this.#call("POST", `/tasks/${encodeURIComponent(ref)}/rerun`, {}, signal));
  }

  /** Deletes the task with its transcript. */
  async remove(ref: string, signal?: AbortSignal): Promise<void> {
    await this.#call("DELETE", `/tasks/${encodeURIComponent(ref)}`, undefined, signal);
  }

  /** The agents tasks can be given to. */
  async agents(signal?: AbortSignal): Promise<LocalAgent[]> {
    return z.array(Agent).parse(await this.#call("GET", "/agents", undefined, signal));
  }

  /** Everything so far, then live, until the task has ended. */
  async *follow(ref: string, options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<FollowEvent> {
    const response = await this.#fetch(
      "GET",
      `/tasks/${encodeURIComponent(ref)}/events`,
      undefined,
      options.signal,
    );
    if (response.body === null) return;
    let buffer = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      buffer += chunk;
      const blocks = buffer.split("\n\n");
      buffer = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = followEvent(block);
        if (event !== undefined) yield event;
      }
    }
  }

  async #call(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const response = await this.#fetch(method, path, body, signal);
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  }

  async #fetch(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.#url}/api/local${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new LocalPlaneAway(this.#url, this.#start, error);
    }
    if (response.ok) return response;
    const text = await response.text();
    throw new LocalPlaneRefused(response.status, refusalText(text));
  }
}

function followEvent(block: string): FollowEvent | undefined {
  const name = /^event: (.+)$/m.exec(block)?.[1];
  const data: unknown = JSON.parse(/^data: (.+)$/m.exec(block)?.[1] ?? "null");
  if (name === "message") return { type: "message", message: Message.parse(data) };
  if (name === "progress") {
    return { type: "progress", summary: z.object({ summary: z.string() }).parse(data).summary };
  }
  if (name !== "state") return undefined;
  const task = Task.safeParse(data);
  return task.success ? { type: "state", task: task.data } : { type: "deleted" };
}

function refusalText(text: string): string {
  try {
    return z.object({ error: z.string() }).parse(JSON.parse(text)).error;
  } catch {
    return text.slice(0, 200) || "no reason given";
  }
}
