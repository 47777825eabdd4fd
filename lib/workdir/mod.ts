/**
 * workdir: where a task works and what its agent is told. It owns env roots, the files written into work directories and
 * their way out again, skills on disk, provider homes, directory locks, brief and prompt; it knows nothing of journals
 * or processes. {@link Workdirs} is its face to a task's run.
 */
export * from "./active_roots.ts";
export * from "./agent_environment.ts";
export * from "./brief.ts";
export * from "./context_files.ts";
export { EnvRootTaken } from "./env_claim.ts";
export * from "./gc_meta.ts";
export * from "./layout.ts";
export * from "./local_directory.ts";
export { type LeftoverDeps, type LostRun, takeOutLeftovers } from "./local_leftovers.ts";
export * from "./local_skills.ts";
export * from "./path_lock.ts";
export * from "./phrasing.ts";
export * from "./ports.ts";
export { prepareEnvironment, type PreparePorts } from "./prepare.ts";
export { PreparedEnvironment } from "./prepared.ts";
export * from "./prompt.ts";
export { continuityNotice } from "./prompt_notes.ts";
export * from "./session_files.ts";
export { SkillUnavailable } from "./skill_bundles.ts";
export { Workdirs } from "./workdirs.ts";
