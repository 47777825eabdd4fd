/** One WebSocket from dial to end: writer, heartbeats, reader, half-open watch, calls (spec 02 §6, 17.1). */
import { type Clock, errorText, type Timer } from "../core/mod.ts";
import { beatPlan, type BeatStep } from "./beat_plan.ts";
import { heartbeatFrame, parseFrame, type ServerFrame } from "./frames.ts";
import { outbound, OutboundQueue, queueCapacity } from "./outbound_queue.ts";
import { RpcCalls } from "./rpc_calls.ts";

/** Why a connection ended. */
export type EndCause =
  /** Never opened: refused, unreachable, too slow. */
  | "failed"
  /** The peer or the network closed it. */
  | "closed"
  /** Half open: nothing came for too long. */
  | "silent"
  /** The peer stopped reading. */
  | "stuck"
  /** We ended it: another runtime set. */
  | "set_changed"
  /** We ended it: the machine slept, or somebody asked. */
  | "dropped"
  /** We ended it: shutdown. */
  | "stopped";

/** How a connection ended. */
export interface ConnectionEnd {
  readonly cause: EndCause;
  readonly why: string;
  /** Status of a refused upgrade; 0 when there was none. */
  readonly status: number;
  /** It was open. */
  readonly opened: boolean;
  /** Time it was open, ms. */
  readonly livedMs: number;
}

/** What a connection is made of and whom it tells. */
export interface ConnectionOptions {
  /** @throws for a base URL that has none. */
  readonly url: () => string;
  readonly headers: Readonly<Record<string, string>>;
  readonly runtimeIds: readonly string[];
  readonly clock: Clock;
  readonly intervalMs: number;
  /** The server is known to acknowledge heartbeats, from this connection or an earlier one. */
  readonly serverAcks: () => boolean;
  readonly onOpen: () => void;
  readonly onFrame: (frame: ServerFrame) => void;
}

const HANDSHAKE_MS = 10_000;
const decoder = new TextDecoder();

/** Ends once, for one cause; after that nothing of it is heard. */
export class SocketConnection {
  readonly ended: Promise<ConnectionEnd>;
  /** Resolves when the platform has let go of the socket; for a dead peer that can take very long. */
  readonly closed: Promise<void>;
  /** The server listed `rpc-v1` in an ack on this connection (spec 02 §17.3). */
  rpcOffered = false;

  readonly #ws: WebSocket | undefined;
  #resolveEnded: (end: ConnectionEnd) => void = () => {};
  #resolveClosed: () => void = () => {};
  #over = false;
  #openedAt: number | undefined;
  #error = "";
  #queue: OutboundQueue | undefined;
  #calls: RpcCalls | undefined;
  #handshake: Timer | undefined;
  #beat: Timer | undefined;
  #watch: Timer | undefined;
  #lastMessage = 0;
  #acked = false;
  readonly #acks = new Map<string, ServerFrame>();

  constructor(private readonly options: ConnectionOptions) {
    this.ended = new Promise((resolve) => this.#resolveEnded = resolve);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
    try {
      this.#ws = new WebSocket(options.url(), { headers: { ...options.headers } });
    } catch (error) {
      this.#resolveClosed();
      this.#finish("failed", errorText(error));
      return;
    }
    this.#attach(this.#ws);
    this.#handshake = options.clock.timer(
      HANDSHAKE_MS,
      () => this.#finish("failed", `no handshake within ${HANDSHAKE_MS / 1000} s`),
    );
  }

  /** Open and usable. */
  get open(): boolean {
    return this.#openedAt !== undefined && !this.#over;
  }

  /** Calls over this connection; undefined while it is not open. */
  get calls(): RpcCalls | undefined {
    return this.open ? this.#calls : undefined;
  }

  /** Ends it for a reason of ours; a dead peer is not waited for. */
  end(cause: EndCause, why: string): void {
    this.#finish(cause, why);
  }

  #attach(ws: WebSocket): void {
    ws.binaryType = "arraybuffer";
    ws.onopen = () => this.#opened(ws);
    ws.onmessage = ({ data }) => this.#message(typeof data === "string" ? data : decoder.decode(data));
    ws.onerror = (event) => this.#error = event instanceof ErrorEvent ? event.message : "connection error";
    ws.onclose = ({ code, reason }) => {
      this.#resolveClosed();
      if (this.#openedAt === undefined) return this.#finish("failed", shortError(this.#error));
      const said = reason === "" ? "" : `: ${reason}`;
      this.#finish(
        "closed",
        this.#error === "" ? `closed by the server (${code}${said})` : shortError(this.#error),
      );
    };
  }

  #opened(ws: WebSocket): void {
    if (this.#over) return;
    const { clock, runtimeIds, intervalMs } = this.options;
    this.#handshake?.cancel();
    this.#openedAt = this.#lastMessage = clock.monotonic();
    this.#queue = new OutboundQueue(
      ws,
      queueCapacity(runtimeIds.length),
      clock,
      (why) => this.#finish("stuck", why),
    );
    this.#calls = new RpcCalls(this.#queue);
    this.options.onOpen();
    this.#beatNext(beatPlan(runtimeIds, intervalMs));
    this.#armWatch();
  }

  #beatNext(plan: Generator<BeatStep, void>): void {
    if (this.#over) return;
    const { value: step } = plan.next();
    if (!step) return;
    for (const id of step.ids) {
      // A full queue drops the beat: the next interval or HTTP covers it.
      if (!this.#queue?.push(outbound(heartbeatFrame(id)))) break;
    }
    if (!this.#over) this.#beat = this.options.clock.timer(step.thenMs, () => this.#beatNext(plan));
  }

  #message(text: string): void {
    if (this.#over) return;
    this.#lastMessage = this.options.clock.monotonic();
    const frame = this.#frame(text);
    if (frame.type === "ack") {
      if (frame.answer.server_capabilities.includes("rpc-v1")) this.rpcOffered = true;
      if (!this.#acked) {
        this.#acked = true;
        this.#armWatch();
      }
    }
    if (frame.type === "rpc_response") this.#calls?.deliver(frame.response);
    else this.options.onFrame(frame);
  }

  /** The frame of a text. Acks that bring nothing are the same every time, and are read once. */
  #frame(text: string): ServerFrame {
    const known = this.#acks.get(text);
    if (known !== undefined) return known;
    const frame = parseFrame(text);
    if (frame.type === "ack" && this.#acks.size < this.options.runtimeIds.length) this.#acks.set(text, frame);
    return frame;
  }

  /** Longest healthy silence, ms; undefined where the server never acknowledges. */
  #silenceLimit(): number | undefined {
    const interval = this.options.intervalMs > 0 ? this.options.intervalMs : 15_000;
    if (this.options.runtimeIds.length === 0) return undefined;
    if (this.#acked) return 2 * interval;
    return this.options.serverAcks() ? 4 * interval : undefined;
  }

  #armWatch(): void {
    this.#watch?.cancel();
    const limit = this.#silenceLimit();
    if (limit === undefined || this.#over) return;
    const silentFor = this.options.clock.monotonic() - this.#lastMessage;
    this.#watch = this.options.clock.timer(Math.max(0, limit - silentFor), () => {
      const silence = this.options.clock.monotonic() - this.#lastMessage;
      if (silence < limit) return this.#armWatch();
      this.#finish("silent", `nothing heard for ${Math.round(silence / 1000)} s`);
    });
  }

  #finish(cause: EndCause, why: string): void {
    if (this.#over) return;
    this.#over = true;
    const { clock } = this.options;
    for (const timer of [this.#beat, this.#handshake, this.#watch]) timer?.cancel();
    this.#queue?.close();
    if (this.#ws !== undefined) closeQuietly(this.#ws);
    // Only now: a claim that falls back to HTTP must not also be written here.
    this.#calls?.detach(why);
    const opened = this.#openedAt !== undefined;
    const livedMs = clock.monotonic() - (this.#openedAt ?? clock.monotonic());
    this.#resolveEnded({
      cause,
      why,
      opened,
      livedMs,
      status: cause === "failed" ? upgradeStatus(this.#error) : 0,
    });
  }
}

/** `close()` may throw in a state that is closing anyway; the peer may never answer it. */
function closeQuietly(ws: WebSocket): void {
  if (ws.readyState !== WebSocket.CONNECTING && ws.readyState !== WebSocket.OPEN) return;
  try {
    ws.close(1000);
  } catch {
    // Nothing left to close.
  }
}

function shortError(message: string): string {
  return message.replace(/^(?:\w+: )?failed to connect to WebSocket: /, "") || "connection failed";
}

/** The HTTP status in the platform's message about a refused upgrade; 0 when it names none. */
export function upgradeStatus(message: string): number {
  return Number(/status code: (\d{3})/i.exec(message)?.[1] ?? 0);
}
