/** runtimes: finding agent CLIs, versions, registration, custom profiles, drift, recovery. */
export * from "./types.ts";
export * from "./gone_gate.ts";
export * from "./offers.ts";
export * from "./register_refusals.ts";
export * from "./registrar.ts";
export * from "./registry.ts";
export * from "./discovery.ts";
export { diagnosePlaceholder, type Diagnosis, type Repair, repairOf } from "./discovery_diagnose.ts";
export {
  executableAt,
  FALLBACK_PATH,
  findCommand,
  hasSeparator,
  hostPath,
  type LocateContext,
  pathFor,
} from "./locate.ts";
export * from "./model_lists.ts";
export * from "./versions.ts";
