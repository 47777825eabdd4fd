/** Where everything of a task lies (spec 04 §1, 20.1). Pure. */
import { dirname, join } from "node:path";
import { taskKey } from "../core/mod.ts";

/** Name of the work directory inside an env root. */
export const WORKDIR = "workdir";

/** Paths of one env root. */
export interface EnvPaths {
  readonly root: string;
  readonly workDir: string;
  readonly output: string;
  readonly logs: string;
  readonly owner: string;
  readonly lock: string;
  readonly managed: string;
  readonly manifest: string;
  readonly gcMeta: string;
  /** The agent's own `multica` configuration. */
  readonly config: string;
  readonly codexHome: string;
  readonly cursorData: string;
  /** Settings that hide skills of the machine from Claude. */
  readonly claudeSkills: string;
}

/** `<root>/<workspace>/<task key>`; "" when a part is empty. */
export function predictEnvRoot(workspacesRoot: string, workspaceId: string, taskId: string): string {
  const key = taskKey(taskId);
  return workspacesRoot === "" || workspaceId === "" || key === ""
    ? ""
    : join(workspacesRoot, workspaceId, key);
}

/** Everything below one env root. */
export function envPaths(root: string): EnvPaths {
  return {
    root,
    workDir: join(root, WORKDIR),
    output: join(root, "output"),
    logs: join(root, "logs"),
    owner: join(root, ".task_owner"),
    lock: join(root, ".task_lock"),
    managed: join(root, ".managed_env.json"),
    manifest: join(root, ".multica_sidecar_manifest.json"),
    gcMeta: join(root, ".gc_meta.json"),
    config: join(root, "multica-config"),
    codexHome: join(root, "codex-home"),
    cursorData: join(root, "cursor-data"),
    claudeSkills: join(root, "claude-runtime-skill-settings.json"),
  };
}

/** The env root of a work directory named by a server, "" for none. */
export function envRootOf(workDir: string): string {
  return workDir === "" ? "" : dirname(workDir);
}

/** Files an agent's provider reads in the work directory, from the catalog of providers. */
export interface ProviderFiles {
  /** `CLAUDE.md`, `AGENTS.md`, …; "" = no brief file. */
  readonly briefFile: string;
  /** Skill directory below the work directory; "" = none of its own. */
  readonly skillDir: string;
}

/** Where skills go when a provider has no place of its own. */
export const FALLBACK_SKILLS = ".agent_context/skills";
