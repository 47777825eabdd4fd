/** core/platform: process tables and the ending of trees, one shape for Linux, macOS and Windows. */
export { currentPlatform } from "./current.ts";
export { DirectProcessControl } from "./direct_control.ts";
export { SharedScan } from "./shared_scan.ts";
export { type TreeFacts, type TreeView, treeView } from "./tree.ts";
export type {
  EndSignal,
  MarkedPids,
  ProcessPlatform,
  ProcessRow,
  ProcessScan,
  SignalTarget,
} from "./types.ts";
