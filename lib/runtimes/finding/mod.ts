/**
 * The half of runtimes that finds agent CLIs: a door of its own, so that the supervisor's thread, which knows nothing of
 * the control plane, does not load it either.
 */
export type { DiscoveredAgent } from "../types.ts";
export * from "../discovery.ts";
export { diagnosePlaceholder, type Diagnosis, repairOf } from "../discovery_diagnose.ts";
export {
  executableAt,
  FALLBACK_PATH,
  findCommand,
  hasSeparator,
  hostPath,
  type LocateContext,
  pathFor,
} from "../locate.ts";
