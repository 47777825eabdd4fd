/** A claimed task and everything it carries, as the server sends it (spec 01 §5, 05 §27). */
import type { RepoRef } from "./types.ts";

export interface SkillFile {
  readonly path: string;
  readonly content: string;
  readonly sha256: string;
  readonly size_bytes: number;
}

export interface Skill {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly description: string;
  readonly hash: string;
  readonly size_bytes: number;
  readonly content: string;
  readonly files: readonly SkillFile[];
}

export interface SkillRef {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly description: string;
  readonly hash: string;
  readonly size_bytes: number;
  readonly file_count: number;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly size_bytes: number }[];
}

export interface TaskAgent {
  readonly id: string;
  readonly name: string;
  readonly instructions: string;
  readonly skills: readonly Skill[];
  readonly skill_refs: readonly SkillRef[];
  readonly custom_env: Readonly<Record<string, string>>;
  readonly custom_args: readonly string[];
  /** undefined for absent or `null`. */
  readonly mcp_config: Readonly<Record<string, unknown>> | undefined;
  readonly model: string;
  readonly thinking_level: string;
  readonly service_tier: string;
  readonly runtime_config: unknown;
  /** Skills of the machine to hide; absent on older servers (spec 01 §11.12). */
  readonly disabled_runtime_skills?: readonly DisabledRuntimeSkill[];
}

/** A skill of one machine's provider that an agent must not see, as the host listed it. */
export interface DisabledRuntimeSkill {
  readonly runtime_id: string;
  readonly provider: string;
  /** `provider`, `universal` or `plugin`. */
  readonly root: string;
  readonly key: string;
  readonly name: string;
  readonly plugin: string;
}

export interface ProjectResource {
  readonly id: string;
  readonly resource_type: string;
  readonly resource_ref: Readonly<Record<string, unknown>>;
  readonly label: string;
}

export interface Attachment {
  readonly id: string;
  readonly filename: string;
  readonly content_type: string;
}

/** An earlier comment folded into one queued run (spec 05 §27.3). */
export interface CoalescedComment {
  readonly id: string;
  readonly thread_id: string;
  readonly author_type: string;
  readonly author_name: string;
  readonly created_at: string;
  readonly content: string;
}

/** Another run that is at work in the same neighbourhood (spec 05 §27.3). */
export interface SiblingRun {
  readonly task_id: string;
  readonly issue_id: string;
  readonly issue_identifier: string;
  readonly issue_title: string;
  readonly status: string;
  readonly started_at: string;
  readonly created_at: string;
}

/** Fields of a claimed task that older servers do not send: absent there (spec 05 §27.1, 27.3). */
export interface LaterTaskFields {
  readonly coalesced_comments?: readonly CoalescedComment[];
  readonly active_sibling_runs?: readonly SiblingRun[];
  /** The workspace's own status catalogue. */
  readonly issue_statuses?: readonly {
    readonly key: string;
    readonly name: string;
    readonly category: string;
  }[];
  /** The catalogue above is not complete. */
  readonly issue_statuses_omitted?: boolean;
  /** `group`, `p2p`, or what else a server names. */
  readonly chat_type?: string;
  readonly chat_channel_type?: string;
  readonly chat_in_thread?: boolean;
  readonly chat_channel_delivers_files?: boolean;
  /** Names of the apps mounted for this run. */
  readonly connected_apps?: readonly string[];
  readonly quick_create_priority?: string;
  readonly quick_create_due_date?: string;
  /** `is_leader_task` is the whole truth; otherwise the instructions' text decides. */
  readonly leader_role_resolved?: boolean;
}

/** A claimed task (spec 01 §5). Missing fields are "" / 0 / [] / undefined as spec 01 says. */
export interface ClaimedTask extends LaterTaskFields {
  readonly id: string;
  readonly agent_id: string;
  readonly runtime_id: string;
  readonly issue_id: string;
  readonly workspace_id: string;
  readonly workspace_context: string;
  readonly thread_name: string;
  readonly status: string;
  readonly attempt: number;
  /** RFC 3339; fences reports by claim. "" on servers that omit it. */
  readonly dispatched_at: string;
  readonly created_at: string;
  readonly agent: TaskAgent | undefined;
  readonly repos: readonly RepoRef[];
  readonly project_id: string;
  readonly project_title: string;
  readonly project_description: string;
  readonly project_resources: readonly ProjectResource[];
  readonly prior_session_id: string;
  readonly prior_work_dir: string;
  readonly prior_session_resume_unavailable: boolean;
  readonly trigger_comment_id: string;
  readonly trigger_thread_id: string;
  readonly trigger_comment_content: string;
  readonly trigger_author_type: string;
  readonly trigger_author_name: string;
  readonly new_comment_count: number;
  readonly new_comments_since: string;
  readonly chat_session_id: string;
  readonly chat_message: string;
  readonly chat_message_attachments: readonly Attachment[];
  readonly autopilot_run_id: string;
  readonly autopilot_id: string;
  readonly autopilot_title: string;
  readonly autopilot_description: string;
  readonly autopilot_source: string;
  readonly autopilot_trigger_payload: unknown;
  readonly quick_create_prompt: string;
  readonly quick_create_attachment_ids: readonly string[];
  readonly handoff_note: string;
  readonly squad_id: string;
  readonly squad_name: string;
  readonly parent_issue_id: string;
  readonly parent_issue_identifier: string;
  readonly requesting_user_name: string;
  readonly requesting_user_profile_description: string;
  readonly initiator_type: string;
  readonly initiator_id: string;
  readonly initiator_name: string;
  readonly initiator_email: string;
  readonly auth_token: string;
  /** Squad-leader role as data on later servers; undefined = decide by text (spec 05 §2). */
  readonly is_leader_task: boolean | undefined;
  /** A task kind of later servers that is refused where it is not implemented; "" or absent otherwise (spec 01 §11.12). */
  readonly regenerate_quick_actions_for?: string;
  /** Fields that came with a type the contract does not know and were read as zero; absent when there are none. */
  readonly malformed?: readonly string[];
}
