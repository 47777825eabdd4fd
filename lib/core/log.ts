/** The house's logger: structured, one event a line, category by room. Sinks are set by whoever owns the process. */
import { getLogger } from "@logtape/logtape";

/** Facts of one event. Never secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A room's logger. The message is constant text; what varies goes into the fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Root category under which every room logs. */
export const LOG_ROOT = "multica";

/** The logger of one room, e.g. `getLog("engine")`. Silent until sinks are configured. */
export function getLog(room: string, ...more: string[]): Log {
  const logger = getLogger([LOG_ROOT, room, ...more]);
  return {
    debug: (message, fields) => logger.debug(message, fields ?? {}),
    info: (message, fields) => logger.info(message, fields ?? {}),
    warn: (message, fields) => logger.warn(message, fields ?? {}),
    error: (message, fields) => logger.error(message, fields ?? {}),
  };
}
