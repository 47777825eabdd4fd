/** Skills of a workspace: manifest hashes, references at claim, bundles on request (spec 01 §4.10, 5.3, 8.4). */
import { createHash } from "node:crypto";
import { fromJson, type Store } from "./store.ts";
import { Refusal, type TaskDb } from "./types.ts";

/** One file of a skill. */
export interface PlaneSkillFile {
  readonly path: string;
  readonly content: string;
}

/** See {@link createSkill}. */
export interface NewSkill {
  readonly workspaceId: string;
  readonly name: string;
  readonly description?: string;
  readonly content: string;
  readonly files?: readonly PlaneSkillFile[];
  /** `workspace` or `builtin`; a built-in's id is `builtin:<name>`. @default "workspace" */
  readonly source?: string;
}

/** A skill with everything computed, as claims and bundles carry it. */
export interface SkillView {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly description?: string;
  readonly hash: string;
  readonly size_bytes: number;
  readonly content: string;
  readonly files: readonly { path: string; content: string; sha256: string; size_bytes: number }[];
}

/** Stores a skill; returns its id. */
export function createSkill(store: Store, spec: NewSkill): string {
  const id = spec.source === "builtin" ? `builtin:${spec.name}` : store.newId();
  store.db.run(
    `INSERT OR REPLACE INTO skills (id, workspace_id, name, description, source, content, files, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    spec.workspaceId,
    spec.name,
    spec.description ?? "",
    spec.source ?? "workspace",
    spec.content,
    JSON.stringify(spec.files ?? []),
    store.now(),
  );
  return id;
}

/** Changes content or files of a skill, which changes its hash. */
export function updateSkill(
  store: Store,
  id: string,
  change: { readonly content?: string; readonly files?: readonly PlaneSkillFile[] },
): void {
  store.db.run(
    "UPDATE skills SET content = COALESCE(?, content), files = COALESCE(?, files) WHERE id = ?",
    change.content ?? null,
    change.files === undefined ? null : JSON.stringify(change.files),
    id,
  );
}

/** All skills of an agent: workspace skills, then built-ins. */
export function agentSkills(store: Store, agentId: string): SkillView[] {
  return store.db.all<SkillDb>(
    `SELECT s.* FROM skills s JOIN agent_skills a ON a.skill_id = s.id WHERE a.agent_id = ?
     ORDER BY s.source DESC, s.created_at, s.rowid`,
    agentId,
  ).map(viewOf);
}

/** A reference: the skill without contents. */
export function skillRefOf(skill: SkillView): Record<string, unknown> {
  const { content: _content, files, ...rest } = skill;
  return {
    ...rest,
    file_count: files.length,
    files: files.map(({ path, sha256, size_bytes }) => ({ path, sha256, size_bytes })),
  };
}

/** `skill-bundles/resolve`: the current bundles in request order; a stale hash is no error. */
export function resolveBundles(
  store: Store,
  task: TaskDb,
  refs: readonly { readonly id: string; readonly source: string; readonly hash: string }[],
): SkillView[] {
  if (refs.some((ref) => ref.id.trim() === "" || ref.source.trim() === "" || ref.hash.trim() === "")) {
    throw new Refusal(400, "invalid skill ref");
  }
  if (task.status !== "dispatched" && task.status !== "waiting_local_directory") {
    throw new Refusal(409, "task is not preparing");
  }
  const skills = agentSkills(store, task.agent_id);
  return refs.map((ref) => {
    const found = skills.find((skill) => skill.id === ref.id && skill.source === ref.source);
    if (found === undefined) throw new Refusal(404, "skill bundle not found");
    return found;
  });
}

interface SkillDb {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly content: string;
  readonly files: string;
}

function viewOf(row: SkillDb): SkillView {
  const files = fromJson<PlaneSkillFile[]>(row.files, [])
    .toSorted((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0)
    .map(({ path, content }) => ({ path, content, sha256: sha256(content), size_bytes: bytes(content) }));
  const size = bytes(row.content) + files.reduce((sum, file) => sum + file.size_bytes, 0);
  return {
    id: row.id,
    source: row.source,
    name: row.name,
    ...(row.description === "" ? {} : { description: row.description }),
    hash: bundleHash(row, files),
    size_bytes: size,
    content: row.content,
    files,
  };
}

/** Manifest hash of spec 01 §8.4: length-prefixed parts, one a line. */
export function bundleHash(
  skill: {
    readonly source: string;
    readonly id: string;
    readonly name: string;
    readonly description: string;
    readonly content: string;
  },
  files: readonly { readonly path: string; readonly content: string; readonly sha256: string }[],
): string {
  const parts = ["v1", skill.source, skill.id, skill.name, skill.description, skill.content];
  for (const file of files) parts.push(file.path, file.sha256, file.content);
  return sha256(parts.map((part) => `${bytes(part)}:${part}\n`).join(""));
}

function sha256(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

const encoder = new TextEncoder();

function bytes(text: string): number {
  return encoder.encode(text).length;
}
