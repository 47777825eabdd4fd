/** What a user does in the server's own interface, as methods: for tests and the local commands. */
import { findTask } from "./access.ts";
import { action, type ActionKind, type ActionView, requestAction } from "./actions.ts";
import { createAgent, findAgentByName, type NewAgent } from "./agents.ts";
import { commentJson, createIssue, findIssue, issueJson, listComments, type NewIssue } from "./issues.ts";
import { addTask, type TaskSpec } from "./new_task.ts";
import { createProfile, deleteProfile, type NewProfile, updateProfile } from "./profiles.ts";
import { deleteRuntime, runtimeJson } from "./runtimes.ts";
import { createSkill, type NewSkill, updateSkill } from "./skills.ts";
import type { Store } from "./store.ts";
import { sweep } from "./sweeper.ts";
import { type TaskView, taskView } from "./task_view.ts";
import { deleteTask } from "./tasks.ts";
import { cancelTask, rerunTask } from "./terminal.ts";
import { createUser, mintToken, revokeToken, type TokenBinding } from "./tokens.ts";
import { readMessages, readUsage } from "./transcript.ts";
import {
  type AgentDb,
  type MessageView,
  type Principal,
  Refusal,
  type RuntimeDb,
  type TaskDb,
  type UsageView,
} from "./types.ts";
import {
  addMember,
  createWorkspace,
  type NewWorkspace,
  removeMember,
  updateWorkspace,
} from "./workspaces.ts";

/** Administration of a plane; every call is one transaction. */
export class PlaneAdmin {
  readonly store: Store;
  /** The plane's default user, owner of what is created here. */
  readonly userId: string;

  constructor(store: Store, userId: string) {
    this.store = store;
    this.userId = userId;
  }

  /** Creates a user; returns the id. */
  createUser(
    user: { readonly name: string; readonly email?: string; readonly profileDescription?: string },
  ): string {
    return this.tx(() => createUser(this.store, user));
  }

  /** Mints a token: `mul` for a user, `mdt` for (workspace, daemon). `secret` fixes its text. */
  mintToken(kind: Principal["tokenKind"], binding: TokenBinding, secret?: string): string {
    return this.tx(() => mintToken(this.store, kind, binding, secret));
  }

  /** From now on requests with this token get 401. */
  revokeToken(token: string): void {
    this.tx(() => revokeToken(this.store, token));
  }

  /** Creates a workspace of the default user unless `userIds` says otherwise; returns its id. */
  createWorkspace(spec: Omit<NewWorkspace, "userIds"> & { readonly userIds?: readonly string[] }): string {
    return this.tx(() => createWorkspace(this.store, { userIds: [this.userId], ...spec }));
  }

  /** Changes name, repositories, settings or context. */
  updateWorkspace(id: string, change: Parameters<typeof updateWorkspace>[2]): void {
    this.tx(() => updateWorkspace(this.store, id, change));
  }

  /** Makes a user a member (again). */
  addMember(workspaceId: string, userId: string = this.userId): void {
    this.tx(() => addMember(this.store, workspaceId, userId));
  }

  /** Takes a user out of a workspace and cancels the tasks on that user's runtimes, as the server does. */
  removeMember(workspaceId: string, userId: string = this.userId): void {
    this.tx(() => {
      removeMember(this.store, workspaceId, userId);
      const tasks = this.store.db.all<TaskDb>(
        `SELECT t.* FROM tasks t JOIN runtimes r ON r.id = t.runtime_id WHERE t.workspace_id = ? AND r.owner_id = ?`,
        workspaceId,
        userId,
      );
      for (const task of tasks) cancelTask(this.store, task, "member removed");
    });
  }

  /** Creates an agent; returns its id. */
  createAgent(spec: NewAgent): string {
    return this.tx(() => createAgent(this.store, spec));
  }

  /** The agent of that name, if any. */
  agentByName(workspaceId: string, name: string): AgentDb | undefined {
    return findAgentByName(this.store, workspaceId, name);
  }

  /** All agents of a workspace. */
  agents(workspaceId: string): AgentDb[] {
    return this.store.db.all<AgentDb>(
      "SELECT * FROM agents WHERE workspace_id = ? ORDER BY created_at",
      workspaceId,
    );
  }

  /** Creates a skill; give its id to an agent. */
  createSkill(spec: NewSkill): string {
    return this.tx(() => createSkill(this.store, spec));
  }

  /** Changes a skill's content, and with it its hash. */
  updateSkill(id: string, change: Parameters<typeof updateSkill>[2]): void {
    this.tx(() => updateSkill(this.store, id, change));
  }

  /** Creates an issue without a task; returns its id. */
  createIssue(spec: Omit<NewIssue, "creatorId"> & { readonly creatorId?: string }): string {
    return this.tx(() => createIssue(this.store, { creatorId: this.userId, ...spec }).id);
  }

  /** The wire form of an issue. */
  issue(id: string): Record<string, unknown> | undefined {
    const row = findIssue(this.store, id);
    return row === undefined ? undefined : issueJson(this.store, row);
  }

  /** The comments of an issue, oldest first. */
  comments(issueId: string): Record<string, unknown>[] {
    return listComments(this.store, issueId).map(commentJson);
  }

  /** Deletes an issue with its tasks. */
  deleteIssue(id: string): void {
    this.tx(() => {
      const tasks = this.store.db.all<TaskDb>("SELECT * FROM tasks WHERE issue_id = ?", id);
      for (const task of tasks) deleteTask(this.store, task);
      this.store.db.run("DELETE FROM comments WHERE issue_id = ?", id);
      this.store.db.run("DELETE FROM issues WHERE id = ?", id);
    });
  }

  /** Adds a task of any kind (default: a new issue assigned to the agent) and wakes its host. */
  addTask(spec: TaskSpec): TaskView {
    return this.tx(() => this.view(addTask(this.store, this.userId, spec)));
  }

  /** The task, or undefined when its row is gone. */
  task(id: string): TaskView | undefined {
    const task = findTask(this.store, id);
    return task === undefined ? undefined : taskView(this.store, task);
  }

  /** All tasks, newest first. */
  tasks(
    filter: { readonly workspaceId?: string; readonly status?: string; readonly limit?: number } = {},
  ): TaskView[] {
    return this.store.db.all<TaskDb>(
      `SELECT * FROM tasks WHERE (?1 IS NULL OR workspace_id = ?1) AND (?2 IS NULL OR status = ?2)
       ORDER BY created_at DESC, rowid DESC LIMIT ?3`,
      filter.workspaceId ?? null,
      filter.status ?? null,
      filter.limit ?? 100_000,
    ).map((task) => taskView(this.store, task));
  }

  /** Cancels as a user does. @throws {Refusal} 404 */
  cancelTask(id: string): TaskView {
    return this.tx(() => taskView(this.store, cancelTask(this.store, this.row(id))));
  }

  /** Deletes the row: the host gets 404 `task not found`. */
  deleteTask(id: string): void {
    this.tx(() => deleteTask(this.store, this.row(id)));
  }

  /** Runs a task again without memory; returns the new task. */
  rerunTask(id: string): TaskView {
    return this.tx(() => this.view(rerunTask(this.store, this.row(id))));
  }

  /** The transcript, by sequence number. */
  messages(taskId: string, since = 0): MessageView[] {
    const task = findTask(this.store, taskId);
    return task === undefined ? [] : readMessages(this.store, task, since);
  }

  /** The usage rows. */
  usage(taskId: string): UsageView[] {
    return readUsage(this.store, taskId);
  }

  /** All runtime rows, or those of one workspace. */
  runtimes(workspaceId?: string): RuntimeDb[] {
    return this.store.db.all<RuntimeDb>(
      "SELECT * FROM runtimes WHERE ?1 IS NULL OR workspace_id = ?1 ORDER BY created_at, rowid",
      workspaceId ?? null,
    );
  }

  /** The wire form of a runtime row, or undefined. */
  runtime(id: string): Record<string, unknown> | undefined {
    const row = this.runtimes().find((one) => one.id === id);
    return row === undefined ? undefined : runtimeJson(row);
  }

  /** Deletes a runtime as a user does: its tasks go with it. */
  deleteRuntime(id: string): void {
    this.tx(() => deleteRuntime(this.store, id));
  }

  /** Adds a custom runtime profile; returns its id. */
  createProfile(spec: NewProfile): string {
    return this.tx(() => createProfile(this.store, spec));
  }

  /** Changes, enables or disables a profile. */
  updateProfile(id: string, change: Parameters<typeof updateProfile>[2]): void {
    this.tx(() => updateProfile(this.store, id, change));
  }

  /** Deletes a profile. */
  deleteProfile(id: string): void {
    this.tx(() => deleteProfile(this.store, id));
  }

  /** Asks a host for its models; returns the request id. */
  requestModels(runtimeId: string): string {
    return this.#request(runtimeId, "models");
  }

  /** Asks a host for its local skills. */
  requestLocalSkills(runtimeId: string): string {
    return this.#request(runtimeId, "local-skills");
  }

  /** Asks a host to upload one local skill. */
  requestSkillImport(runtimeId: string, skillKey: string): string {
    return this.#request(runtimeId, "local-skills/import", { skill_key: skillKey });
  }

  /** Asks a host to update itself. */
  requestUpdate(runtimeId: string, targetVersion: string): string {
    return this.#request(runtimeId, "update", { target_version: targetVersion });
  }

  /** A request and what came of it. */
  action(id: string): ActionView | undefined {
    return action(this.store, id);
  }

  /** Runs one tick of the server's sweeper now. */
  sweep(): void {
    sweep(this.store);
  }

  /** One transaction. */
  protected tx<T>(work: () => T): T {
    return this.store.db.tx(work);
  }

  protected view(id: string): TaskView {
    return taskView(this.store, this.row(id));
  }

  protected row(id: string): TaskDb {
    const task = findTask(this.store, id);
    if (task === undefined) throw new Refusal(404, "task not found");
    return task;
  }

  #request(runtimeId: string, kind: ActionKind, payload?: Readonly<Record<string, unknown>>): string {
    return this.tx(() => requestAction(this.store, runtimeId, kind, payload));
  }
}
