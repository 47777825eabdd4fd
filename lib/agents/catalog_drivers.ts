/** Protocol drivers, loaded when first needed. Literal imports only, so that they are bundled. */
import type { Driver } from "./contract.ts";

const LOADERS = {
  claude: () => import("./claude.ts").then((module) => module.claudeDriver),
  qwen: () => import("./qwen.ts").then((module) => module.qwenDriver),
  codex: () => import("./codex.ts").then((module) => module.codexDriver),
} as const satisfies Record<string, () => Promise<Driver>>;

/** Name of a driver. */
export type DriverId = keyof typeof LOADERS;

/** Loads one driver. */
export function loadDriver(id: DriverId): Promise<Driver> {
  return LOADERS[id]();
}
