/** agents: backend contract, drivers, catalog, failures, models and thinking levels. */
export * from "./args.ts";
export * from "./child_run.ts";
export * from "./contract.ts";
