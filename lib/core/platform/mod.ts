/** core/platform: process tables, the ending of trees, kinds of file systems, one shape for Linux, macOS and Windows. */
export { currentPlatform } from "./current.ts";
export { liesOnLocalFileSystem } from "./file_system.ts";
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
