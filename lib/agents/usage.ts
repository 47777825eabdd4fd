/** Token usage: exclusive buckets, added up and merged per model (spec 06 §1.4, §8.5). */
import type { TokenUsage, UsageByModel } from "./contract.ts";

/** No tokens at all. */
export const NO_USAGE: TokenUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

/** Bucket by bucket. */
export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  };
}

/** True when any bucket is above zero. */
export function hasTokens(usage: TokenUsage): boolean {
  return usage.inputTokens > 0 || usage.outputTokens > 0 || usage.cacheReadTokens > 0 ||
    usage.cacheWriteTokens > 0;
}

/** Sum per model of two runs; models of either side are kept (spec 06 §8.5). */
export function mergeUsage(a: UsageByModel, b: UsageByModel): UsageByModel {
  const merged: Record<string, TokenUsage> = { ...a };
  for (const [model, usage] of Object.entries(b)) {
    const before = Object.hasOwn(merged, model) ? merged[model] : undefined;
    merged[model] = before === undefined ? usage : addUsage(before, usage);
  }
  return merged;
}

/** Usage of a run, collected model by model. */
export class UsageTally {
  readonly #byModel = new Map<string, TokenUsage>();

  /** Adds to one model's buckets. */
  add(model: string, usage: TokenUsage): void {
    this.#byModel.set(model, addUsage(this.#byModel.get(model) ?? NO_USAGE, usage));
  }

  /** Models with at least one token. */
  get result(): UsageByModel {
    return Object.fromEntries([...this.#byModel].filter(([, usage]) => hasTokens(usage)));
  }

  /** True while nothing was counted. */
  get empty(): boolean {
    return ![...this.#byModel.values()].some(hasTokens);
  }
}

/** A token count from a foreign object: a finite number above 0, whole, else 0. */
export function tokenCount(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.trunc(value) : 0;
}

/** First count above zero under any of `keys`. */
export function firstCount(source: Readonly<Record<string, unknown>>, keys: readonly string[]): number {
  for (const key of keys) {
    const count = tokenCount(source[key]);
    if (count > 0) return count;
  }
  return 0;
}
