/** The opening of a Codex conversation: handshake, thread, the turn's request (spec 06 §5.6, §11.5, §11.9). */
import { errorText, getLog, HostError, wireText } from "../core/mod.ts";
import { codexRollout } from "./codex_rollout.ts";
import type { CodexSession } from "./codex_session.ts";
import type { RunRequest } from "./contract.ts";
import { type RpcClient, RpcError, RpcTimeout } from "./json_rpc.ts";
import { obj, str } from "./stream_json.ts";

const log = getLog("agents", "codex");

/** Start-up limit per request when the run names none, ms (spec 06 §11.5). */
export const HANDSHAKE_DEFAULT_MS = 30_000;

/** The request under way; `turn` once the turn runs. */
export type OpeningPhase =
  | "initialize"
  | "thread/resume"
  | "thread/start"
  | "thread/name/set"
  | "turn/start"
  | "turn";

/** Why no turn came to run; the message is the run's error. */
export class OpeningFailure extends HostError {
  constructor(message: string, readonly phase: OpeningPhase, readonly timedOut: boolean, cause?: unknown) {
    super(message, { code: "codex_opening_failed", cause });
  }

  /** False where stderr may echo environment or configuration (N-17). */
  get stderrIsSafe(): boolean {
    return !startsThread(this.phase) && !(this.timedOut && this.phase === "initialize");
  }
}

/** True for the requests that hand the server its configuration. */
export function startsThread(phase: OpeningPhase): boolean {
  return phase === "thread/start" || phase === "thread/resume";
}

/** What the opening works with. */
export interface OpeningPorts {
  readonly request: RunRequest;
  readonly rpc: RpcClient;
  readonly session: CodexSession;
  /** The turn has been heard of, whatever became of its request. */
  readonly turnHeard: () => boolean;
  /** The turn is over already: its request need not have been answered. */
  readonly turnDecided: () => boolean;
}

/** One opening. */
export class CodexOpening {
  phase: OpeningPhase = "initialize";
  /** Where the server says the thread's file is, "" when it does not. */
  rolloutPath = "";
  /** Model of the thread, "" when nobody said. */
  model = "";
  readonly #request: RunRequest;
  readonly #session: CodexSession;
  readonly #handshakeMs: number;

  constructor(private readonly ports: OpeningPorts) {
    this.#request = ports.request;
    this.#session = ports.session;
    const { handshakeMs } = ports.request;
    this.#handshakeMs = handshakeMs > 0 ? handshakeMs : HANDSHAKE_DEFAULT_MS;
  }

  /** Talks until the turn runs. @returns why it does not, undefined when it does. Never rejects. */
  async run(): Promise<OpeningFailure | undefined> {
    try {
      await this.#ask("initialize", {
        clientInfo: { name: "multica-agent-sdk", title: "Multica Agent SDK", version: "0.2.0" },
        capabilities: { experimentalApi: true },
      });
      this.ports.rpc.notify("initialized");
      const resumed = await this.#resume();
      if (!resumed) await this.#startThread();
      await this.#startTurn();
      return undefined;
    } catch (error) {
      if (error instanceof OpeningFailure) return error;
      const text = `codex ${this.phase} failed: ${errorText(error)}`;
      return new OpeningFailure(text, this.phase, error instanceof RpcTimeout, error);
    }
  }

  /** One start-up request under the handshake limit. */
  #ask(phase: OpeningPhase, params: unknown): Promise<unknown> {
    this.phase = phase;
    return this.ports.rpc.request(phase, params, this.#handshakeMs);
  }

  /** True when the old thread is there again. A refusal means a fresh one; a dead pipe ends the run. */
  async #resume(): Promise<boolean> {
    const threadId = this.#request.resumeSessionId;
    if (threadId === "") return false;
    const known = await codexRollout(this.#request.env, threadId);
    if (known.state === "missing") {
      log.warn("codex thread has no rollout here, starting fresh", { thread: threadId });
      return false;
    }
    try {
      const result = obj(
        await this.#ask("thread/resume", {
          threadId,
          cwd: this.#request.cwd,
          model: this.#request.model || null,
          developerInstructions: null,
          excludeTurns: true,
          ...this.#config(),
          ...this.#tier(),
        }),
      );
      if (this.#adopt(result)) {
        this.#session.resumed = true;
        this.rolloutPath ||= known.path;
        return true;
      }
      log.warn("codex resumed no thread, starting fresh", { thread: threadId });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      log.warn("codex cannot resume the thread, starting fresh", { thread: threadId, error: error.message });
    }
    return false;
  }

  async #startThread(): Promise<void> {
    const result = await this.#ask("thread/start", {
      model: this.#request.model || null,
      modelProvider: null,
      profile: null,
      cwd: this.#request.cwd,
      approvalPolicy: null,
      sandbox: null,
      config: null,
      ...this.#config(),
      baseInstructions: null,
      developerInstructions: null,
      compactPrompt: null,
      includeApplyPatchTool: null,
      experimentalRawEvents: false,
      persistExtendedHistory: true,
      ...this.#tier(),
    });
    if (!this.#adopt(obj(result))) {
      throw new OpeningFailure("codex thread/start returned no thread ID", this.phase, false);
    }
    const name = this.#request.threadName.trim();
    if (name === "") return;
    try {
      await this.#ask("thread/name/set", { threadId: this.#session.threadId, name });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      log.warn("codex did not take the thread's title", { error: error.message });
    }
  }

  async #startTurn(): Promise<void> {
    const fresh = this.#request.resumeSessionId !== "" && !this.#session.resumed;
    const notice = fresh ? this.#request.continuityNotice : "";
    const text = notice === "" ? this.#request.prompt : `${notice}\n\n${this.#request.prompt}`;
    this.#session.openGate();
    try {
      const asked = this.#ask("turn/start", {
        threadId: this.#session.threadId,
        input: [{ type: "text", text: wireText(text) }],
        ...(this.#request.thinkingLevel === "" ? {} : { effort: this.#request.thinkingLevel }),
        ...this.#tier(),
      });
      const turn = obj(obj(await asked).turn);
      this.#session.turnId ||= str(turn.id);
    } catch (error) {
      // The turn may be over, or under way, although its start was never confirmed.
      if (this.ports.turnDecided()) return;
      if (!(error instanceof RpcTimeout) || !this.ports.turnHeard()) throw error;
      log.warn("codex confirmed no turn start, but the turn runs", { thread: this.#session.threadId });
    }
    this.phase = "turn";
  }

  #config(): { config?: unknown } {
    const effort = this.#request.thinkingLevel;
    return effort === "" ? {} : { config: { model_reasoning_effort: effort } };
  }

  #tier(): { serviceTier?: string } {
    return this.#request.serviceTier === "" ? {} : { serviceTier: this.#request.serviceTier };
  }

  #adopt(result: Readonly<Record<string, unknown>>): boolean {
    const thread = obj(result.thread);
    this.#session.threadId = str(thread.id);
    this.rolloutPath = str(thread.path);
    this.model = this.#request.model || str(result.model) || str(thread.model);
    return this.#session.threadId !== "";
  }
}
