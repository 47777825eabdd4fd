/** Tokens of one Codex turn: running totals of the thread, turn objects, or the rollout file (spec 06 §5.12, §11.9). */
import type { TokenUsage } from "./contract.ts";
import { isObject, type Json, obj, str } from "./stream_json.ts";
import { addUsage, firstCount, hasTokens, NO_USAGE, tokenCount } from "./usage.ts";

/** Raw totals; `input` still contains what was cached. */
interface Totals {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
}

const ZERO: Totals = { input: 0, cached: 0, cacheWrite: 0, output: 0 };

/** Adds up growth of totals; a total that went down was reset and counts from zero. */
class Growth {
  #before: Totals | undefined;
  #sum = ZERO;

  baseline(totals: Totals): void {
    this.#before = totals;
  }

  get known(): boolean {
    return this.#before !== undefined;
  }

  grow(totals: Totals): void {
    const before = this.#before ?? ZERO;
    const reset = totals.input < before.input || totals.output < before.output;
    this.#sum = plus(this.#sum, reset ? totals : minus(totals, before));
    this.#before = totals;
  }

  get usage(): TokenUsage {
    return exclusive(this.#sum);
  }
}

/** Usage of one run as its notifications tell it. */
export class CodexUsage {
  readonly #growth = new Growth();
  #counted = false;
  #turns = NO_USAGE;

  /** `resumed`: the thread has totals from before; they are no part of this run. */
  constructor(private readonly resumed: () => boolean) {}

  /** `thread/tokenUsage/updated`; `own` = it belongs to the turn of this run. */
  threadTotals(tokenUsage: unknown, own: boolean): void {
    const total = camelTotals(obj(obj(tokenUsage).total));
    if (!own) {
      if (!this.#counted) this.#growth.baseline(total);
      return;
    }
    if (!this.#growth.known && this.resumed()) {
      this.#growth.baseline(minus(total, camelTotals(obj(obj(tokenUsage).last))));
    }
    this.#counted = true;
    this.#growth.grow(total);
  }

  /** Usage inside a `turn/completed` turn or a legacy `task_complete`: added up. */
  turnObject(turn: Json): void {
    const source = [turn.usage, turn.token_usage, turn.tokens].find(isObject);
    if (source === undefined) return;
    this.#turns = addUsage(
      this.#turns,
      exclusive({
        input: firstCount(source, ["input_tokens", "input", "prompt_tokens"]),
        output: firstCount(source, ["output_tokens", "output", "completion_tokens"]),
        cached: firstCount(source, ["cached_input_tokens", "cache_read_tokens", "cache_read_input_tokens"]),
        cacheWrite: 0,
      }),
    );
    const cacheWriteTokens = firstCount(source, ["cache_write_tokens", "cache_creation_input_tokens"]);
    this.#turns = addUsage(this.#turns, { ...NO_USAGE, cacheWriteTokens });
  }

  /** What the notifications said; running totals win over turn objects. */
  get usage(): TokenUsage {
    return this.#counted && hasTokens(this.#growth.usage) ? this.#growth.usage : this.#turns;
  }
}

/** What a rollout file says about one run. */
export interface RolloutUsage {
  readonly usage: TokenUsage;
  /** "" when the file names none. */
  readonly model: string;
}

/**
 * Follows the lines of a rollout: own usage = totals at the end minus totals before `startMs` (wall clock). Events
 * without a time count as baseline of a resumed thread, else as own.
 */
export class RolloutScan {
  readonly #growth = new Growth();
  #model = "";

  constructor(private readonly startMs: number, private readonly resumed: boolean) {}

  line(line: string): void {
    if (!line.includes("token_count") && !line.includes("turn_context")) return;
    let event: Json;
    try {
      event = obj(JSON.parse(line));
    } catch {
      return; // a half-written last line
    }
    const payload = obj(event.payload);
    if (event.type === "turn_context") {
      this.#model = str(payload.model) || this.#model;
      return;
    }
    if (payload.type !== "token_count") return;
    const info = obj(payload.info);
    this.#model = str(info.model) || this.#model;
    const source = isObject(info.total_token_usage) ? info.total_token_usage : info.last_token_usage;
    if (!isObject(source)) return;
    const at = Date.parse(str(event.timestamp));
    const before = Number.isNaN(at) ? this.resumed : at < this.startMs;
    const totals = snakeTotals(source);
    if (before) this.#growth.baseline(totals);
    else this.#growth.grow(totals);
  }

  get result(): RolloutUsage {
    return { usage: this.#growth.usage, model: this.#model };
  }
}

function camelTotals(usage: Json): Totals {
  return {
    input: tokenCount(usage.inputTokens),
    cached: tokenCount(usage.cachedInputTokens),
    cacheWrite: tokenCount(usage.cacheWriteInputTokens),
    output: tokenCount(usage.outputTokens),
  };
}

/** Reasoning is part of the output where the total says so (0.169.0 does), and beside it where it does not. */
function snakeTotals(usage: Json): Totals {
  const input = tokenCount(usage.input_tokens);
  const output = tokenCount(usage.output_tokens);
  const inside = tokenCount(usage.total_tokens) === input + output;
  return {
    input,
    cached: firstCount(usage, ["cached_input_tokens", "cache_read_input_tokens"]),
    cacheWrite: tokenCount(usage.cache_write_input_tokens),
    output: inside ? output : output + tokenCount(usage.reasoning_output_tokens),
  };
}

function exclusive(totals: Totals): TokenUsage {
  return {
    inputTokens: Math.max(0, totals.input - totals.cached - totals.cacheWrite),
    outputTokens: totals.output,
    cacheReadTokens: totals.cached,
    cacheWriteTokens: totals.cacheWrite,
  };
}

function plus(a: Totals, b: Totals): Totals {
  return {
    input: a.input + b.input,
    cached: a.cached + b.cached,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
  };
}

function minus(a: Totals, b: Totals): Totals {
  return {
    input: Math.max(0, a.input - b.input),
    cached: Math.max(0, a.cached - b.cached),
    cacheWrite: Math.max(0, a.cacheWrite - b.cacheWrite),
    output: Math.max(0, a.output - b.output),
  };
}
