/** agents: backend contract, drivers, catalog, failures, models and thinking levels. */
export * from "./contract.ts";
