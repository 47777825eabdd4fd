/**
 * agents: one driver per protocol behind one contract, and a catalog of providers as data. It turns a run request
 * into events and one result, and knows nothing of servers, journals or work directories.
 */
export * from "./args.ts";
export * from "./catalog.ts";
export type { DriverId } from "./catalog_drivers.ts";
export { type ProviderRow, PROVIDERS } from "./catalog_rows.ts";
export * from "./child_launch.ts";
export * from "./child_run.ts";
export * from "./codex.ts";
export * from "./codex_rollout.ts";
export * from "./contract.ts";
export * from "./failures.ts";
export * from "./model_catalog.ts";
export * from "./failures_poison.ts";
export * from "./model_sources.ts";
export { REHEARSAL_VERB, runRehearsalAgent } from "./rehearsal.ts";
export * from "./resume.ts";
export * from "./sanitise.ts";
export * from "./usage.ts";
export * from "./usage_window.ts";
export * from "./windows_launch.ts";
