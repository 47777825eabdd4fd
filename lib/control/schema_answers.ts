/** Answers of the plain endpoints: workspaces, registration, profiles, task rows, transcript, checks (spec 01 §4). */
import * as z from "zod";
import type { RegisterResponse, RuntimeProfile, WorkspaceRepos } from "./types.ts";
import type { TaskMessage, TaskRow } from "./types_report.ts";
import { flag, int, list, record, text, texts } from "./values.ts";
import { repoSchema } from "./schema_task.ts";

export const renewSchema = z.object({ renewed: flag, expires_at: text });

const workspaceRow = z.object({ id: z.string().min(1), name: text });

export const workspacesSchema = z.array(z.unknown()).nullable().transform((items) =>
  (items ?? []).flatMap((item) => {
    const parsed = workspaceRow.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  })
);

const repos = list(repoSchema).transform((items) => items.filter((repo) => repo.url.trim() !== ""));

const runtimeRow = z.object({
  id: z.string().min(1),
  name: text,
  provider: text,
  status: text,
  profile_id: text,
});

/** Key absent → undefined, present → null or the object; malformed settings count as default (spec 01 §4.6). */
const settings = z.record(z.string(), z.unknown()).nullable().optional().catch(null).transform((value) => {
  if (value === null || value === undefined) return value;
  const { github_enabled, co_authored_by_enabled, ...rest } = value;
  return {
    ...rest,
    ...(typeof github_enabled === "boolean" ? { github_enabled } : {}),
    ...(typeof co_authored_by_enabled === "boolean" ? { co_authored_by_enabled } : {}),
  };
});

const reposAnswer = z.object({ repos, repos_version: text, settings: settings.optional() });

export const reposSchema = reposAnswer.transform((value): WorkspaceRepos => ({
  ...value,
  settings: value.settings,
}));

export const registerSchema = reposAnswer.extend({ runtimes: list(runtimeRow) })
  .transform((value): RegisterResponse => ({ ...value, settings: value.settings }));

const profile: z.ZodType<RuntimeProfile> = z.object({
  id: z.string().min(1),
  display_name: text,
  protocol_family: text,
  command_name: text,
  fixed_args: texts,
  visibility: text,
  enabled: z.boolean().catch(true),
});

export const profilesSchema = z.object({
  runtime_profiles: z.array(z.unknown()).nullable().transform((items) =>
    (items ?? []).flatMap((item) => {
      const parsed = profile.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    })
  ),
});

export const orphansSchema = z.object({ orphaned: int, retried: int });

export const taskRowSchema: z.ZodType<TaskRow> = z.object({ id: text, status: text });

export const taskStatusSchema = z.object({ status: text });

const messageRow = z.object({
  seq: int,
  type: z.enum(["thinking", "text", "tool_use", "tool_result", "error"]),
  tool: z.string().optional().catch(undefined),
  content: z.string().optional().catch(undefined),
  input: record,
  output: z.string().optional().catch(undefined),
}).transform((row): TaskMessage => ({
  seq: row.seq,
  type: row.type,
  ...(row.tool === undefined ? {} : { tool: row.tool }),
  ...(row.content === undefined ? {} : { content: row.content }),
  ...(row.input === undefined ? {} : { input: row.input }),
  ...(row.output === undefined ? {} : { output: row.output }),
}));

export const messagesSchema = z.array(z.unknown()).nullable().transform((rows): TaskMessage[] =>
  (rows ?? []).flatMap((row) => {
    const parsed = messageRow.safeParse(row);
    return parsed.success ? [parsed.data] : [];
  })
);

/** `0001-01-01T00:00:00Z` stands for no time. */
const time = text.transform((value) => value.startsWith("0001-01-01") ? "" : value);

export const gcCheckSchema = z.object({ status: text, updated_at: time, completed_at: time });

export const issuesGcSchema = z.object({
  issues: list(z.object({ id: text, found: flag, status: text, updated_at: time })),
});

export const pendingTasksSchema = list(taskRowSchema);
