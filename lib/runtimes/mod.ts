/** runtimes: finding agent CLIs, versions, registration, custom profiles, drift, recovery. */
export * from "./types.ts";
export * from "./gone_gate.ts";
export * from "./offers.ts";
export * from "./offline_reasons.ts";
export * from "./register_refusals.ts";
export * from "./registrar.ts";
export * from "./registry.ts";
export * from "./finding/mod.ts";
export * from "./model_lists.ts";
export * from "./versions.ts";
