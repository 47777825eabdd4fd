/**
 * core: what every room stands on. Time, scopes, small synchronisation, lines, text, logs, processes, safe files.
 * It owns no state and imports nothing from the rooms above.
 */
export * from "./backoff.ts";
export * from "./build_info.ts";
export * from "./clock.ts";
export * from "./duration.ts";
export * from "./errors.ts";
export * from "./failure.ts";
export * from "./file_primitives.ts";
export * from "./files.ts";
export * from "./files_brokered.ts";
export * from "./ids.ts";
export * from "./lines.ts";
export * from "./log.ts";
export * from "./log_format.ts";
export * from "./log_sinks.ts";
export * from "./platform/mod.ts";
export * from "./process.ts";
export * from "./redact.ts";
export * from "./rotating_file.ts";
export * from "./scope.ts";
export * from "./sync.ts";
export * from "./text.ts";
export * from "./words.ts";
