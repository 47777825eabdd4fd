/** Is a repository allowed for a workspace, and cached (spec 01 §7.14)? One refresh at a time and workspace. */
import { errorText, HostError, Mutex } from "../core/mod.ts";

/** Local copies of repositories. */
export interface RepoCache {
  has(workspaceId: string, url: string): boolean;
  /** Brings all of them here. Throws with the reason of the last one that failed. */
  sync(workspaceId: string, urls: readonly string[], signal: AbortSignal): Promise<void>;
}

export interface ReadinessPorts {
  readonly cache: RepoCache;
  /** URLs of a tracked workspace's own repositories; undefined when it is not tracked. */
  readonly workspaceUrls: (workspaceId: string) => readonly string[] | undefined;
  /** Reads repositories and settings of a workspace anew. */
  readonly refresh: (workspaceId: string, signal: AbortSignal) => Promise<void>;
}

/** Why a repository cannot be checked out; `status` is the local API's. */
export class RepoNotReady extends HostError {
  constructor(message: string, readonly status: 400 | 500, cause?: unknown) {
    super(message, { code: "repo_not_ready", ...(cause === undefined ? {} : { cause }) });
  }
}

interface WorkspaceRepos {
  readonly lock: Mutex;
  /** URLs that tasks brought along; they survive every refresh. */
  readonly taskUrls: Set<string>;
}

/** Owner of the URLs that tasks are allowed beside their workspace's own. */
export class RepoReadiness {
  readonly #workspaces = new Map<string, WorkspaceRepos>();

  constructor(private readonly ports: ReadinessPorts) {}

  /** A task starts: its repositories are allowed in its workspace from now on. */
  allow(workspaceId: string, urls: readonly string[]): void {
    const { taskUrls } = this.#of(workspaceId);
    for (const url of urls) if (url.trim() !== "") taskUrls.add(url.trim());
  }

  /** The workspace is not watched any more. */
  forget(workspaceId: string): void {
    this.#workspaces.delete(workspaceId);
  }

  /**
   * Resolves when the repository is allowed and cached. Settings are refreshed also where it is cached already;
   * of several callers that miss the same repository one brings it.
   * @throws {RepoNotReady}
   */
  async ensure(workspaceId: string, rawUrl: string, signal: AbortSignal): Promise<void> {
    const url = rawUrl.trim();
    const { cache } = this.ports;
    if (this.ports.workspaceUrls(workspaceId) === undefined) {
      throw new RepoNotReady(`workspace is not watched by this daemon: ${workspaceId}`, 400);
    }
    const cachedBefore = this.#allowed(workspaceId, url) && cache.has(workspaceId, url);
    await this.#of(workspaceId).lock.run(async () => {
      if (!cachedBefore && this.#allowed(workspaceId, url) && cache.has(workspaceId, url)) return;
      await this.#refresh(workspaceId, signal);
      if (!this.#allowed(workspaceId, url)) {
        throw new RepoNotReady("repo is not configured for this workspace", 400);
      }
      if (cache.has(workspaceId, url)) return;
      await this.#sync(workspaceId, url, signal);
    }, signal);
  }

  async #refresh(workspaceId: string, signal: AbortSignal): Promise<void> {
    try {
      await this.ports.refresh(workspaceId, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new RepoNotReady(`refresh workspace repos: ${errorText(error)}`, 500, error);
    }
  }

  async #sync(workspaceId: string, url: string, signal: AbortSignal): Promise<void> {
    const { cache } = this.ports;
    let why = "";
    try {
      await cache.sync(workspaceId, this.#urls(workspaceId), signal);
    } catch (error) {
      signal.throwIfAborted();
      why = errorText(error);
    }
    if (cache.has(workspaceId, url)) return;
    throw new RepoNotReady(`repo is configured but not synced${why === "" ? "" : `: ${why}`}`, 500);
  }

  #allowed(workspaceId: string, url: string): boolean {
    return this.#urls(workspaceId).includes(url);
  }

  #urls(workspaceId: string): readonly string[] {
    const own = (this.ports.workspaceUrls(workspaceId) ?? []).map((url) => url.trim());
    return [...new Set([...own, ...this.#of(workspaceId).taskUrls])];
  }

  #of(workspaceId: string): WorkspaceRepos {
    let known = this.#workspaces.get(workspaceId);
    if (known === undefined) {
      this.#workspaces.set(workspaceId, known = { lock: new Mutex(), taskUrls: new Set() });
    }
    return known;
  }
}
