/** agents: backend contract, drivers, catalog, failures, models and thinking levels. */
export * from "./contract.ts";
export * from "./failures.ts";
export * from "./failures_poison.ts";
export * from "./resume.ts";
export * from "./usage.ts";
export * from "./usage_window.ts";
