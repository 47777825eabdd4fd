/** Protocol drivers, loaded when first needed. Literal imports only, so that they are bundled. */
import type { Driver } from "./contract.ts";

const LOADERS = {
  claude: () => import("./claude.ts").then((module) => module.claudeDriver),
  qwen: () => import("./qwen.ts").then((module) => module.qwenDriver),
  codebuddy: () => import("./codebuddy.ts").then((module) => module.codebuddyDriver),
  codex: () => import("./codex.ts").then((module) => module.codexDriver),
  copilot: () => import("./copilot.ts").then((module) => module.copilotDriver),
  cursor: () => import("./cursor.ts").then((module) => module.cursorDriver),
  opencode: () => import("./opencode.ts").then((module) => module.openCodeDriver),
} as const satisfies Record<string, () => Promise<Driver>>;

/** Name of a driver. */
export type DriverId = keyof typeof LOADERS;

/** Loads one driver. */
export function loadDriver(id: DriverId): Promise<Driver> {
  return LOADERS[id]();
}
