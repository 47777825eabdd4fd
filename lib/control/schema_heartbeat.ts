/** The answer to a heartbeat, the same on both transports (spec 01 §4.5, 02 §4.2). */
import * as z from "zod";
import type { HeartbeatAnswer } from "./types.ts";
import { flag, int, list, maybe, text, textMap, texts } from "./values.ts";

const request = maybe(z.object({ id: z.string().min(1) }));
const skillImport = z.object({ id: z.string().min(1), skill_key: text });

const heartbeatSchema = z.object({
  status: text,
  runtime_id: text,
  runtime_gone: flag,
  pending_update: maybe(z.object({ id: z.string().min(1), target_version: text })),
  pending_model_list: request,
  pending_local_skills: request,
  pending_local_skill_import: maybe(skillImport),
  pending_local_skill_imports: list(skillImport),
  feature_flags: maybe(z.object({ version: int, flags: textMap })),
  server_capabilities: texts,
});

/**
 * A heartbeat answer out of JSON; undefined when it is no object. The plural import list wins, the singular one
 * is used only where the plural is empty; `runtime_gone` is true for the flag and for the status of that name.
 */
export function parseHeartbeat(raw: unknown): HeartbeatAnswer | undefined {
  const parsed = heartbeatSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const { pending_local_skill_import: single, pending_local_skill_imports: many } = data;
  return {
    status: data.status,
    runtime_id: data.runtime_id,
    runtime_gone: data.runtime_gone || data.status === "runtime_gone",
    ...(data.pending_update ? { pending_update: data.pending_update } : {}),
    ...(data.pending_model_list ? { pending_model_list: data.pending_model_list } : {}),
    ...(data.pending_local_skills ? { pending_local_skills: data.pending_local_skills } : {}),
    pending_local_skill_imports: many.length === 0 && single ? [single] : many,
    ...(data.feature_flags ? { feature_flags: data.feature_flags } : {}),
    server_capabilities: data.server_capabilities,
  };
}
