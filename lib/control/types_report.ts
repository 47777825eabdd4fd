/** What the host tells the server about a task: transcript, usage, outcome, answers to actions (spec 01 §4.13–4.22). */
import type { TaskStatus } from "./types.ts";

/** What the host reads of a task row in answers to start, complete, fail (spec 01 §4.13, 4.19). */
export interface TaskRow {
  readonly id: string;
  readonly status: TaskStatus;
}

export type MessageType = "thinking" | "text" | "tool_use" | "tool_result" | "error";

/** One transcript row (spec 01 §4.15). Absent fields are left out. */
export interface TaskMessage {
  readonly seq: number;
  readonly type: MessageType;
  readonly tool?: string;
  readonly content?: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly output?: string;
}

export interface UsageEntry {
  readonly provider: string;
  readonly model: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  /** Only when > 0. */
  readonly cost_usd_ticks?: number;
}

export interface CompleteBody {
  readonly output: string;
  readonly branch_name?: string;
  readonly session_id?: string;
  readonly work_dir?: string;
  readonly retired_session_id?: string;
  readonly session_rollout_missing?: boolean;
}

export interface FailBody {
  readonly error: string;
  readonly failure_reason?: string;
  readonly branch_name?: string;
  readonly session_id?: string;
  readonly work_dir?: string;
  readonly retired_session_id?: string;
  readonly session_rollout_missing?: boolean;
}

export interface CancelAckBody {
  readonly branch_name?: string;
  readonly error_message?: string;
  readonly failure_reason?: string;
}

export interface ModelEntry {
  readonly id: string;
  readonly label: string;
  readonly provider?: string;
  readonly default?: boolean;
  readonly thinking?: {
    readonly supported_levels: readonly {
      readonly value: string;
      readonly label: string;
      readonly description?: string;
    }[];
    readonly default_level?: string;
  };
}

export interface LocalSkillEntry {
  readonly key: string;
  readonly name: string;
  readonly source_path: string;
  readonly provider: string;
  readonly description?: string;
  readonly root?: string;
  /** The plugin it belongs to. */
  readonly plugin?: string;
  readonly file_count: number;
  /** The agent can be kept from seeing it. */
  readonly can_disable?: boolean;
}

/** Result bodies of the asynchronous actions (spec 01 §4.22). */
export type AsyncReport =
  | { readonly kind: "models"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "local-skills"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "local-skills/import"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "update"; readonly body: Readonly<Record<string, unknown>> };
