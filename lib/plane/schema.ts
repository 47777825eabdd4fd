/** The plane's SQLite schema. It only grows: new columns and tables, never a change of meaning. */

/** Creates what is missing; safe to run at every open. */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS users (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL DEFAULT '',
  profile_description TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
  hash TEXT PRIMARY KEY, kind TEXT NOT NULL, user_id TEXT, workspace_id TEXT, daemon_id TEXT,
  agent_id TEXT, task_id TEXT, expires_at INTEGER, created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS tokens_task ON tokens (task_id);
CREATE TABLE IF NOT EXISTS workspaces (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, slug TEXT NOT NULL, issue_prefix TEXT NOT NULL, description TEXT,
  context TEXT, settings TEXT, repos TEXT NOT NULL DEFAULT '[]', issue_seq INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS members (
  workspace_id TEXT NOT NULL, user_id TEXT NOT NULL, role TEXT NOT NULL DEFAULT 'member',
  created_at INTEGER NOT NULL, PRIMARY KEY (workspace_id, user_id)
);
CREATE TABLE IF NOT EXISTS runtimes (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, daemon_id TEXT, provider TEXT NOT NULL, profile_id TEXT,
  name TEXT NOT NULL, status TEXT NOT NULL, device_info TEXT NOT NULL DEFAULT '', metadata TEXT NOT NULL DEFAULT '{}',
  owner_id TEXT, visibility TEXT NOT NULL DEFAULT 'private', last_seen_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS runtimes_builtin ON runtimes (workspace_id, daemon_id, provider) WHERE profile_id IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS runtimes_profile ON runtimes (workspace_id, daemon_id, profile_id) WHERE profile_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS profiles (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, display_name TEXT NOT NULL, protocol_family TEXT NOT NULL,
  command_name TEXT NOT NULL, description TEXT, fixed_args TEXT NOT NULL DEFAULT '[]',
  visibility TEXT NOT NULL DEFAULT 'workspace', created_by TEXT, enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS agents (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, runtime_id TEXT, provider TEXT, profile_id TEXT, name TEXT NOT NULL,
  instructions TEXT NOT NULL DEFAULT '', custom_env TEXT NOT NULL DEFAULT '{}', custom_args TEXT NOT NULL DEFAULT '[]',
  mcp_config TEXT, model TEXT NOT NULL DEFAULT '', thinking_level TEXT NOT NULL DEFAULT '',
  service_tier TEXT NOT NULL DEFAULT '', runtime_config TEXT, max_concurrent_tasks INTEGER NOT NULL DEFAULT 6,
  owner_id TEXT, created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS agents_runtime ON agents (runtime_id);
CREATE TABLE IF NOT EXISTS skills (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT 'workspace', content TEXT NOT NULL, files TEXT NOT NULL DEFAULT '[]', created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS agent_skills (
  agent_id TEXT NOT NULL, skill_id TEXT NOT NULL, PRIMARY KEY (agent_id, skill_id)
);
CREATE TABLE IF NOT EXISTS projects (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS project_resources (
  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, resource_type TEXT NOT NULL, resource_ref TEXT NOT NULL,
  label TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS resources_project ON project_resources (project_id);
CREATE TABLE IF NOT EXISTS issues (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL, description TEXT,
  status TEXT NOT NULL DEFAULT 'todo', priority TEXT NOT NULL DEFAULT 'none', assignee_type TEXT, assignee_id TEXT,
  creator_type TEXT NOT NULL, creator_id TEXT NOT NULL, parent_issue_id TEXT, project_id TEXT,
  metadata TEXT NOT NULL DEFAULT '{}', created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS issues_number ON issues (workspace_id, number);
CREATE TABLE IF NOT EXISTS comments (
  id TEXT PRIMARY KEY, issue_id TEXT NOT NULL, author_type TEXT NOT NULL, author_id TEXT NOT NULL, content TEXT NOT NULL,
  type TEXT NOT NULL DEFAULT 'comment', parent_id TEXT, source_task_id TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS comments_issue ON comments (issue_id, created_at);
CREATE TABLE IF NOT EXISTS chat_sessions (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, agent_id TEXT NOT NULL, title TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'active', session_id TEXT, work_dir TEXT, runtime_id TEXT,
  creator_id TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS chat_messages (
  id TEXT PRIMARY KEY, chat_session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL,
  attachments TEXT NOT NULL DEFAULT '[]', task_id TEXT, failure_reason TEXT, created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS chat_messages_session ON chat_messages (chat_session_id);
CREATE TABLE IF NOT EXISTS autopilot_runs (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, autopilot_id TEXT NOT NULL, title TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT 'manual', trigger_payload TEXT,
  status TEXT NOT NULL DEFAULT 'running', created_at INTEGER NOT NULL, completed_at INTEGER
);
CREATE TABLE IF NOT EXISTS tasks (
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, agent_id TEXT NOT NULL, runtime_id TEXT, issue_id TEXT,
  chat_session_id TEXT, autopilot_run_id TEXT, quick_create TEXT, trigger_comment_id TEXT, trigger_summary TEXT,
  handoff_note TEXT, status TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 1,
  max_attempts INTEGER NOT NULL DEFAULT 2, parent_task_id TEXT, force_fresh INTEGER NOT NULL DEFAULT 0,
  initiator_user_id TEXT, created_at INTEGER NOT NULL, run_after INTEGER, dispatched_at INTEGER, started_at INTEGER,
  completed_at INTEGER, lease_until INTEGER, wait_reason TEXT, session_id TEXT, work_dir TEXT, branch_name TEXT,
  result TEXT, error TEXT, failure_reason TEXT, cancel_acked_at INTEGER
);
CREATE INDEX IF NOT EXISTS tasks_queue ON tasks (runtime_id, status, priority DESC, created_at);
CREATE INDEX IF NOT EXISTS tasks_agent ON tasks (agent_id, status);
CREATE INDEX IF NOT EXISTS tasks_issue ON tasks (issue_id, agent_id);
CREATE INDEX IF NOT EXISTS tasks_chat ON tasks (chat_session_id);
CREATE TABLE IF NOT EXISTS messages (
  task_id TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, tool TEXT, content TEXT, input TEXT, output TEXT,
  created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_task ON messages (task_id, seq);
CREATE TABLE IF NOT EXISTS usage (
  task_id TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,
  cost_usd_ticks INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (task_id, provider, model)
);
CREATE TABLE IF NOT EXISTS actions (
  id TEXT PRIMARY KEY, runtime_id TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, payload TEXT NOT NULL DEFAULT '{}',
  result TEXT, created_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER
);
CREATE INDEX IF NOT EXISTS actions_runtime ON actions (runtime_id, status);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
`;
