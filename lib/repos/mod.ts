/**
 * repos: which repositories an agent may check out, and whether they are here. {@link RepoReadiness} answers that for
 * the local API; caches and worktrees come with a later version.
 */
export * from "./readiness.ts";
