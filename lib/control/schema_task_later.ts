/** Fields of a claimed task that only later servers send (spec 05 §27.1, 27.3); older ones leave them out. */
import * as z from "zod";
import type { LaterTaskFields } from "./types_claim.ts";
import { flag, list, text } from "./values.ts";

const author = { author_type: text, author_name: text };

const laterSchema = z.object({
  coalesced_comments: list(
    z.object({ id: z.string().min(1), thread_id: text, ...author, created_at: text, content: text }),
  ),
  active_sibling_runs: list(z.object({
    task_id: z.string().min(1),
    issue_id: text,
    issue_identifier: text,
    issue_title: text,
    status: text,
    started_at: text,
    created_at: text,
  })),
  issue_statuses: list(z.object({ key: z.string().min(1), name: text, category: text })),
  /** A count or a flag: either way some are missing from the list. */
  issue_statuses_omitted: z.union([z.boolean(), z.number()]).default(false).catch(false).transform(Boolean),
  chat_type: text,
  chat_channel_type: text,
  chat_in_thread: flag,
  chat_channel_delivers_files: flag,
  connected_apps: list(z.union([z.string(), z.object({ name: z.string() }).transform((app) => app.name)])),
  quick_create_priority: text,
  quick_create_due_date: text,
  leader_role_resolved: flag,
});

/** The later fields that are there, and no others. */
export function laterTaskFields(raw: unknown): LaterTaskFields {
  const parsed = laterSchema.safeParse(raw);
  if (!parsed.success) return {};
  const present = raw as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(parsed.data).filter(([key]) => present[key] !== undefined && present[key] !== null),
  );
}
