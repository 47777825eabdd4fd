/** The zod schemas of the wire, by theme. Tolerant: unknown fields ignored, absent or null = zero value (spec 01 §1). */
export * from "./schema_answers.ts";
export * from "./schema_heartbeat.ts";
export * from "./schema_skills.ts";
export * from "./schema_task.ts";
