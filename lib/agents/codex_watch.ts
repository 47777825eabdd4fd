/** The two clocks of a Codex turn: silence, and no first sign of progress (spec 06 §5.10, §10.5). */
import type { Clock, Timer } from "../core/mod.ts";
import { isTurnProgress } from "./codex_session.ts";

/** Silence allowed when the request names none, ms. */
export const SEMANTIC_DEFAULT_MS = 600_000;
/** Most time a turn may take to show progress, ms. */
export const FIRST_TURN_CEILING_MS = 60_000;

/** Limit to the first progress: an override above 0, else four fifths of the semantic limit, at most a minute. */
export function firstTurnLimit(semanticMs: number, overrideMs = 0): number {
  if (overrideMs > 0) return overrideMs;
  if (semanticMs <= 0 || semanticMs * 4 / 5 > FIRST_TURN_CEILING_MS) return FIRST_TURN_CEILING_MS;
  return semanticMs * 4 / 5;
}

/** Which clock ran out, and after how long. */
export interface Stall {
  readonly kind: "semantic" | "first_turn";
  readonly limitMs: number;
  /** Last activity heard, "" for none. */
  readonly lastActivity: string;
}

/** Watches one turn. Calls back at most once. */
export class TurnWatch {
  readonly semanticMs: number;
  readonly firstTurnMs: number;
  /** True once the turn showed real progress. */
  progressed = false;

  #lastActivity = "";
  #heardAt = 0;
  #timer: Timer | undefined;
  #first: Timer | undefined;
  #over = false;

  constructor(
    private readonly clock: Clock,
    limits: { readonly semanticMs: number; readonly firstTurnMs?: number | undefined },
    private readonly onStall: (stall: Stall) => void,
  ) {
    this.semanticMs = limits.semanticMs > 0 ? limits.semanticMs : SEMANTIC_DEFAULT_MS;
    this.firstTurnMs = firstTurnLimit(limits.semanticMs, limits.firstTurnMs);
  }

  /** The turn was asked for: silence counts from now. Idempotent. */
  arm(): void {
    if (this.#over || this.#timer !== undefined) return;
    this.#heardAt = this.clock.monotonic();
    this.#wait(this.semanticMs);
  }

  /** A sign of life. Cheap: the timer is moved when it fires. */
  activity(what: string): void {
    if (this.#over) return;
    this.#lastActivity = what;
    this.#heardAt = this.clock.monotonic();
    if (isTurnProgress(what)) {
      this.progressed = true;
      this.#first?.cancel();
    } else if (what === "status:running" && this.#first === undefined && !this.progressed) {
      this.#first = this.clock.timer(this.firstTurnMs, () => this.#stall("first_turn", this.firstTurnMs));
    }
  }

  /** Stops both clocks. Idempotent. */
  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#first?.cancel();
  }

  #wait(ms: number): void {
    this.#timer = this.clock.timer(ms, () => {
      const left = this.semanticMs - (this.clock.monotonic() - this.#heardAt);
      if (left > 0) this.#wait(left);
      else this.#stall("semantic", this.semanticMs);
    });
  }

  #stall(kind: Stall["kind"], limitMs: number): void {
    if (this.#over) return;
    this.stop();
    this.onStall({ kind, limitMs, lastActivity: this.#lastActivity });
  }
}
