/** Making a task of each kind with everything it hangs on: issue, comment, chat, autopilot run, prompt. */
import { addChatMessage, createChat, type PlaneAttachment } from "./chats.ts";
import { addComment, addResource, createIssue, createProject, findIssue } from "./issues.ts";
import type { Store } from "./store.ts";
import { enqueue } from "./tasks.ts";
import { type QuickCreate, Refusal } from "./types.ts";

interface Common {
  readonly workspaceId: string;
  readonly agentId: string;
  /** Overrides the agent's runtime. */
  readonly runtimeId?: string;
  /** 0–4; default by kind. */
  readonly priority?: number;
  /** @default 2; 1 disables automatic retries. */
  readonly maxAttempts?: number;
  readonly forceFresh?: boolean;
}

/** An issue assigned to the agent; a new issue unless `issueId` names one. */
export interface IssueTask extends Common {
  readonly kind?: "issue";
  readonly issueId?: string;
  readonly title?: string;
  /** Description of the new issue. */
  readonly prompt?: string;
  readonly handoffNote?: string;
  readonly projectId?: string;
  /** Absolute path; becomes a project with a `local_directory` resource (spec 01 §5.4). */
  readonly localDir?: string;
  /** Machine of `localDir`; default: the machine that claims. */
  readonly daemonId?: string;
  /** Git repositories of the new project. */
  readonly repos?: readonly string[];
}

/** A comment that wants an answer. */
export interface CommentTask extends Common {
  readonly kind: "comment";
  readonly issueId?: string;
  readonly title?: string;
  readonly comment: string;
  readonly parentCommentId?: string;
  readonly authorAgentId?: string;
}

/** A chat message; a new session unless `chatSessionId` names one. */
export interface ChatTask extends Common {
  readonly kind: "chat";
  readonly chatSessionId?: string;
  readonly title?: string;
  readonly message: string;
  readonly attachments?: readonly PlaneAttachment[];
}

/** A run-only autopilot run. */
export interface AutopilotTask extends Common {
  readonly kind: "autopilot";
  readonly title: string;
  readonly description?: string;
  readonly source?: "manual" | "schedule" | "webhook" | "api";
  readonly payload?: unknown;
}

/** A prompt from which the agent makes an issue. */
export interface QuickCreateTask extends Common {
  readonly kind: "quick-create";
  readonly quick: QuickCreate;
}

/** Any kind of new task. */
export type TaskSpec = IssueTask | CommentTask | ChatTask | AutopilotTask | QuickCreateTask;

/** Creates the task for `userId`; returns its id. Must run in a transaction. */
export function addTask(store: Store, userId: string, spec: TaskSpec): string {
  const common = {
    workspaceId: spec.workspaceId,
    agentId: spec.agentId,
    ...(spec.runtimeId === undefined ? {} : { runtimeId: spec.runtimeId }),
    ...(spec.maxAttempts === undefined ? {} : { maxAttempts: spec.maxAttempts }),
    ...(spec.forceFresh === undefined ? {} : { forceFresh: spec.forceFresh }),
  };
  switch (spec.kind) {
    case "chat":
      return enqueue(store, { ...common, priority: spec.priority ?? 2, ...chatOf(store, userId, spec) });
    case "comment":
      return enqueue(store, { ...common, priority: spec.priority ?? 0, ...commentOf(store, userId, spec) });
    case "autopilot":
      return enqueue(store, { ...common, priority: spec.priority ?? 0, ...autopilotOf(store, spec) });
    case "quick-create":
      return enqueue(store, { ...common, priority: spec.priority ?? 3, quickCreate: spec.quick });
    default:
      return enqueue(store, {
        ...common,
        priority: spec.priority ?? 0,
        issueId: issueOf(store, userId, spec),
        handoffNote: spec.handoffNote ?? null,
      });
  }
}

function issueOf(store: Store, userId: string, spec: IssueTask): string {
  if (spec.issueId !== undefined) {
    if (findIssue(store, spec.issueId) === undefined) throw new Refusal(404, "issue not found");
    return spec.issueId;
  }
  const prompt = spec.prompt ?? "";
  const title = spec.title ?? (prompt.trim().split("\n")[0] ?? "").slice(0, 120);
  return createIssue(store, {
    workspaceId: spec.workspaceId,
    title: title === "" ? "Task" : title,
    creatorId: userId,
    assigneeAgentId: spec.agentId,
    projectId: spec.projectId ?? projectFor(store, spec),
    ...(prompt === "" ? {} : { description: prompt }),
  }).id;
}

function projectFor(store: Store, spec: IssueTask): string | null {
  const repos = spec.repos ?? [];
  if (spec.localDir === undefined && repos.length === 0) return null;
  const title = spec.localDir?.split("/").at(-1) || "Project";
  const projectId = createProject(store, { workspaceId: spec.workspaceId, title });
  if (spec.localDir !== undefined) {
    const ref = { local_path: spec.localDir, daemon_id: spec.daemonId ?? "" };
    addResource(store, { projectId, type: "local_directory", ref });
  }
  for (const url of repos) addResource(store, { projectId, type: "github_repo", ref: { url } });
  return projectId;
}

function commentOf(store: Store, userId: string, spec: CommentTask) {
  const issueId = spec.issueId ??
    createIssue(store, {
      workspaceId: spec.workspaceId,
      title: spec.title ?? "Discussion",
      creatorId: userId,
    }).id;
  const comment = addComment(store, {
    issueId,
    authorType: spec.authorAgentId === undefined ? "member" : "agent",
    authorId: spec.authorAgentId ?? userId,
    content: spec.comment,
    parentId: spec.parentCommentId ?? null,
  });
  return {
    issueId,
    triggerCommentId: comment.id,
    triggerSummary: spec.comment.slice(0, 200),
    initiatorUserId: userId,
  };
}

function chatOf(store: Store, userId: string, spec: ChatTask) {
  const chatSessionId = spec.chatSessionId ?? createChat(store, {
    workspaceId: spec.workspaceId,
    agentId: spec.agentId,
    creatorId: userId,
    ...(spec.title === undefined ? {} : { title: spec.title }),
  });
  addChatMessage(store, {
    sessionId: chatSessionId,
    role: "user",
    content: spec.message,
    attachments: spec.attachments ?? [],
  });
  return { chatSessionId, initiatorUserId: userId };
}

function autopilotOf(store: Store, spec: AutopilotTask) {
  const id = store.newId();
  store.db.run(
    `INSERT INTO autopilot_runs (id, workspace_id, autopilot_id, title, description, source, trigger_payload, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.workspaceId,
    store.newId(),
    spec.title,
    spec.description ?? "",
    spec.source ?? "manual",
    spec.payload === undefined ? null : JSON.stringify(spec.payload),
    store.now(),
  );
  return { autopilotRunId: id };
}
