/** Shapes of the request bodies, parsed at the plane's own border. Unknown keys are ignored, as the server does. */
import * as z from "zod";
import { Refusal } from "./types.ts";

const text = z.string().nullish().transform((value) => value ?? "");
const strings = z.array(z.string()).nullish().transform((value) => value ?? []);
const int = z.number().nullish().transform((value) => Math.trunc(value ?? 0));

/** `POST /api/daemon/register` (spec 01 §4.3). */
export const RegisterBody = z.object({
  workspace_id: text,
  daemon_id: text,
  legacy_daemon_ids: strings,
  device_name: text,
  cli_version: text,
  launched_by: text,
  runtimes: z.array(z.object({ name: text, type: text, version: text, status: text, profile_id: text }))
    .nullish()
    .transform((value) => value ?? []),
  failed_profiles: z.array(z.object({ profile_id: text, command_name: text, reason: text })).nullish()
    .transform((value) => value ?? []),
});
export type RegisterBody = z.infer<typeof RegisterBody>;

export const DeregisterBody = z.object({
  runtime_ids: strings,
  offline_reasons: z.record(z.string(), z.unknown()).nullish(),
});

export const HeartbeatBody = z.object({
  runtime_id: text,
  supports_batch_import: z.boolean().nullish().transform((value) => value ?? false),
});

export const BatchClaimBody = z.object({ daemon_id: text, runtime_ids: strings, max_tasks: int });

export const SessionBody = z.object({ session_id: text, work_dir: text });

export const ProgressBody = z.object({ summary: text, step: int, total: int });

export const ReasonBody = z.object({ reason: text });

export const UsageBody = z.object({
  usage: z.array(z.object({
    provider: text,
    model: text,
    input_tokens: int,
    output_tokens: int,
    cache_read_tokens: int,
    cache_write_tokens: int,
    cost_usd_ticks: int,
  })).nullish().transform((value) => value ?? []),
});
export type UsageBody = z.infer<typeof UsageBody>;

export const CompleteBody = z.object({
  output: text,
  branch_name: text,
  session_id: text,
  work_dir: text,
  pr_url: text,
  durable_work_dir: text,
  session_rollout_missing: z.boolean().nullish(),
  retired_session_id: text,
});
export type CompleteBody = z.infer<typeof CompleteBody>;

export const FailBody = z.object({
  error: text,
  failure_reason: text,
  branch_name: text,
  session_id: text,
  work_dir: text,
  retired_session_id: text,
});
export type FailBody = z.infer<typeof FailBody>;

export const CancelAckBody = z.object({ branch_name: text, error_message: text, failure_reason: text });

export const SkillResolveBody = z.object({
  skills: z.array(z.object({ id: text, source: text, hash: text })).nullish().transform((value) =>
    value ?? []
  ),
});

export const ActionBody = z.looseObject({ status: text, error: text });

export const IssueChecksBody = z.object({ issue_ids: strings });

/** Parses a body; anything unfit is 400 `invalid request body`, as the server says. */
export function parseBody<T extends z.ZodType>(schema: T, body: string): z.infer<T> {
  const parsed = schema.safeParse(jsonOf(body));
  if (!parsed.success) throw new Refusal(400, "invalid request body");
  return parsed.data;
}

/** The JSON of a body; 400 when it is none. An empty body reads as `{}`. */
export function jsonOf(body: string): unknown {
  if (body === "") return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(400, "invalid request body");
  }
}
