/** Agents: creation, which runtime they are bound to, and the `agent` object of a claim (spec 01 §5.2). */
import { agentSkills, skillRefOf } from "./skills.ts";
import { fromJson, type Store } from "./store.ts";
import type { AgentDb } from "./types.ts";

/** See {@link createAgent}. One of `provider`, `profileId` and `runtimeId` binds it. */
export interface NewAgent {
  readonly workspaceId: string;
  readonly name: string;
  readonly provider?: string;
  readonly profileId?: string;
  readonly runtimeId?: string;
  readonly instructions?: string;
  readonly customEnv?: Readonly<Record<string, string>>;
  readonly customArgs?: readonly string[];
  readonly mcpConfig?: unknown;
  readonly model?: string;
  readonly thinkingLevel?: string;
  readonly serviceTier?: string;
  readonly runtimeConfig?: unknown;
  /** @default 6 */
  readonly maxConcurrentTasks?: number;
  readonly skillIds?: readonly string[];
}

/** Creates an agent, bound now if a runtime fits, else when one registers. Returns its id. */
export function createAgent(store: Store, spec: NewAgent): string {
  const id = store.newId();
  const provider = spec.provider?.trim().toLowerCase() ?? null;
  const runtimeId = spec.runtimeId ??
    findRuntimeFor(store, spec.workspaceId, provider, spec.profileId ?? null);
  store.db.run(
    `INSERT INTO agents (id, workspace_id, runtime_id, provider, profile_id, name, instructions, custom_env,
       custom_args, mcp_config, model, thinking_level, service_tier, runtime_config, max_concurrent_tasks, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.workspaceId,
    runtimeId,
    provider,
    spec.profileId ?? null,
    spec.name,
    spec.instructions ?? "",
    JSON.stringify(spec.customEnv ?? {}),
    JSON.stringify(spec.customArgs ?? []),
    spec.mcpConfig === undefined ? null : JSON.stringify(spec.mcpConfig),
    spec.model ?? "",
    spec.thinkingLevel ?? "",
    spec.serviceTier ?? "",
    spec.runtimeConfig === undefined ? null : JSON.stringify(spec.runtimeConfig),
    spec.maxConcurrentTasks ?? 6,
    store.now(),
  );
  for (const skillId of spec.skillIds ?? []) {
    store.db.run("INSERT OR IGNORE INTO agent_skills (agent_id, skill_id) VALUES (?, ?)", id, skillId);
  }
  return id;
}

/** Binds the workspace's unbound agents of this provider or profile, with their waiting tasks, to a new runtime. */
export function bindAgents(
  store: Store,
  workspaceId: string,
  runtimeId: string,
  provider: string,
  profileId: string | null,
): void {
  const waiting = profileId === null
    ? store.db.all<AgentDb>(
      "SELECT * FROM agents WHERE workspace_id = ? AND runtime_id IS NULL AND profile_id IS NULL AND provider = ?",
      workspaceId,
      provider,
    )
    : store.db.all<AgentDb>(
      "SELECT * FROM agents WHERE workspace_id = ? AND runtime_id IS NULL AND profile_id = ?",
      workspaceId,
      profileId,
    );
  for (const agent of waiting) {
    store.db.run("UPDATE agents SET runtime_id = ? WHERE id = ?", runtimeId, agent.id);
    const tasks = store.db.all<{ id: string }>(
      "SELECT id FROM tasks WHERE agent_id = ? AND runtime_id IS NULL AND status = 'queued'",
      agent.id,
    );
    store.db.run(
      "UPDATE tasks SET runtime_id = ? WHERE agent_id = ? AND runtime_id IS NULL",
      runtimeId,
      agent.id,
    );
    for (const task of tasks) store.hint({ type: "task_available", runtimeId, taskId: task.id });
  }
}

/** The agent row, or undefined. */
export function findAgent(store: Store, id: string): AgentDb | undefined {
  return store.db.get<AgentDb>("SELECT * FROM agents WHERE id = ?", id);
}

/** The agent of that name in a workspace, any case. */
export function findAgentByName(store: Store, workspaceId: string, name: string): AgentDb | undefined {
  return store.db.get<AgentDb>(
    "SELECT * FROM agents WHERE workspace_id = ? AND lower(name) = lower(?) ORDER BY created_at LIMIT 1",
    workspaceId,
    name,
  );
}

/** The `agent` object of a claim; `refs` = the host takes skill references. */
export function claimAgent(store: Store, row: AgentDb, refs: boolean): Record<string, unknown> {
  const skills = agentSkills(store, row.id);
  const env = fromJson<Record<string, string>>(row.custom_env, {});
  const args = fromJson<string[]>(row.custom_args, []);
  const runtimeConfig = fromJson<unknown>(row.runtime_config, null);
  return {
    id: row.id,
    name: row.name,
    instructions: row.instructions,
    ...(skills.length > 0 ? refs ? { skill_refs: skills.map(skillRefOf) } : { skills } : {}),
    ...(Object.keys(env).length > 0 ? { custom_env: env } : {}),
    ...(args.length > 0 ? { custom_args: args } : {}),
    ...(row.mcp_config !== null ? { mcp_config: JSON.parse(row.mcp_config) } : {}),
    ...(row.model !== "" ? { model: row.model } : {}),
    ...(row.thinking_level !== "" ? { thinking_level: row.thinking_level } : {}),
    ...(store.later && row.service_tier !== "" ? { service_tier: row.service_tier } : {}),
    ...(runtimeConfig !== null && JSON.stringify(runtimeConfig) !== "{}"
      ? { runtime_config: runtimeConfig }
      : {}),
  };
}

function findRuntimeFor(
  store: Store,
  workspaceId: string,
  provider: string | null,
  profileId: string | null,
): string | null {
  const row = profileId !== null
    ? store.db.get<{ id: string }>(
      "SELECT id FROM runtimes WHERE workspace_id = ? AND profile_id = ? ORDER BY status DESC, last_seen_at DESC LIMIT 1",
      workspaceId,
      profileId,
    )
    : store.db.get<{ id: string }>(
      `SELECT id FROM runtimes WHERE workspace_id = ? AND provider = ? AND profile_id IS NULL
       ORDER BY status DESC, last_seen_at DESC LIMIT 1`,
      workspaceId,
      provider,
    );
  return row?.id ?? null;
}
