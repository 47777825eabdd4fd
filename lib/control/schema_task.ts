/** The claimed task (spec 01 §5, 11.12): one foreign field never loses the claim. */
import * as z from "zod";
import { laterTaskFields } from "./schema_task_later.ts";
import { skillRefSchema, skillSchema } from "./schema_skills.ts";
import type { ClaimedTask, TaskAgent } from "./types_claim.ts";
import { flag, foreignFields, int, list, maybe, record, text, textMap, texts } from "./values.ts";

export const repoSchema = z.object({ url: text, description: text, ref: text });

const disabledSkill = z.object({
  runtime_id: text,
  provider: text,
  root: text,
  key: text,
  name: text,
  plugin: text,
});

const agentSchema = z.object({
  id: text,
  name: text,
  instructions: text,
  skills: list(skillSchema),
  skill_refs: list(skillRefSchema),
  custom_env: textMap,
  custom_args: texts,
  mcp_config: record,
  model: text,
  thinking_level: text,
  service_tier: text,
  runtime_config: z.unknown().optional(),
  disabled_runtime_skills: list(disabledSkill),
}).transform((agent): TaskAgent => ({
  ...agent,
  mcp_config: agent.mcp_config,
  runtime_config: agent.runtime_config,
}));

const resourceSchema = z.object({
  id: text,
  resource_type: text,
  resource_ref: z.record(z.string(), z.unknown()).default({}).catch({}),
  label: text,
});

const attachmentSchema = z.object({ id: text, filename: text, content_type: text });

const taskSchema = z.object({
  id: z.string().min(1),
  agent_id: text,
  runtime_id: text,
  issue_id: text,
  workspace_id: text,
  workspace_context: text,
  thread_name: text,
  status: text,
  attempt: int,
  dispatched_at: text,
  created_at: text,
  agent: maybe(agentSchema),
  repos: list(repoSchema).transform((repos) => repos.filter((repo) => repo.url.trim() !== "")),
  project_id: text,
  project_title: text,
  project_description: text,
  project_resources: list(resourceSchema),
  prior_session_id: text,
  prior_work_dir: text,
  prior_session_resume_unavailable: flag,
  trigger_comment_id: text,
  trigger_thread_id: text,
  trigger_comment_content: text,
  trigger_author_type: text,
  trigger_author_name: text,
  new_comment_count: int,
  new_comments_since: text,
  chat_session_id: text,
  chat_message: text,
  chat_message_attachments: list(attachmentSchema),
  autopilot_run_id: text,
  autopilot_id: text,
  autopilot_title: text,
  autopilot_description: text,
  autopilot_source: text,
  autopilot_trigger_payload: z.unknown().optional(),
  quick_create_prompt: text,
  quick_create_attachment_ids: texts,
  handoff_note: text,
  squad_id: text,
  squad_name: text,
  parent_issue_id: text,
  parent_issue_identifier: text,
  requesting_user_name: text,
  requesting_user_profile_description: text,
  initiator_type: text,
  initiator_id: text,
  initiator_name: text,
  initiator_email: text,
  auth_token: text,
  is_leader_task: z.boolean().optional().catch(undefined),
  regenerate_quick_actions_for: text,
});

/**
 * A claimed task out of JSON; undefined only when it has no id. Fields of a type the contract does not know are
 * zero and named in `malformed`, so that the task can be failed with a reason instead of vanishing.
 */
export function parseClaimedTask(raw: unknown): ClaimedTask | undefined {
  const parsed = taskSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const { agent, ...rest } = parsed.data;
  const malformed = [
    ...foreignFields(raw, parsed.data),
    ...(agent === undefined ? [] : foreignAgentFields((raw as { agent: unknown }).agent, agent)),
  ];
  return {
    ...rest,
    ...laterTaskFields(raw),
    agent,
    autopilot_trigger_payload: rest.autopilot_trigger_payload,
    is_leader_task: rest.is_leader_task,
    ...(malformed.length === 0 ? {} : { malformed }),
  };
}

function foreignAgentFields(raw: unknown, agent: TaskAgent): string[] {
  const { custom_env, custom_args } = raw as { custom_env?: unknown; custom_args?: unknown };
  const found = foreignFields(raw, agent, "agent.");
  if (typeof custom_env === "object" && custom_env !== null && !Array.isArray(custom_env)) {
    for (const [name, value] of Object.entries(custom_env)) {
      if (typeof value !== "string") found.push(`agent.custom_env.${name}`);
    }
  }
  if (Array.isArray(custom_args) && custom_args.length !== agent.custom_args.length) {
    found.push("agent.custom_args[]");
  }
  return found;
}

/** The answer to a claim: `{"task": null | {…}}`. */
export const claimSchema = z.object({ task: z.unknown().optional() });

/** The answer to a batch claim: `{"tasks": [{…}]}`. */
export const claimBatchSchema = z.object({ tasks: z.array(z.unknown()).nullish() });
