import assert from "node:assert/strict";
import { type RepoNotReady, RepoReadiness } from "../../../lib/repos/mod.ts";

const never = new AbortController().signal;

/** A workspace "w" with the given URLs at the server, and a cache that can be told to fail. */
function stage(options: { server?: string[]; cached?: string[]; fail?: string; refreshFails?: string } = {}) {
  const state = {
    server: options.server ?? ["https://x/own"],
    known: options.server ?? ["https://x/own"],
    cached: new Set(options.cached ?? []),
    refreshes: 0,
    syncs: 0,
  };
  const readiness = new RepoReadiness({
    workspaceUrls: (id) => id === "w" ? state.known : undefined,
    refresh: async () => {
      await Promise.resolve();
      if (options.refreshFails !== undefined) throw new Error(options.refreshFails);
      state.refreshes++;
      state.known = state.server;
    },
    cache: {
      has: (_id, url) => state.cached.has(url),
      sync: async (_id, urls) => {
        await Promise.resolve();
        state.syncs++;
        if (options.fail !== undefined) {
          if (options.fail !== "") throw new Error(options.fail);
          return;
        }
        for (const url of urls) state.cached.add(url);
      },
    },
  });
  return { state, readiness };
}

Deno.test("RepoReadiness [R47] refreshes settings also for a cached repository", async () => {
  const { state, readiness } = stage({ cached: ["https://x/own"] });
  await readiness.ensure("w", "https://x/own", never);
  assert.deepEqual([state.refreshes, state.syncs], [1, 0]);
});

Deno.test("RepoReadiness [R47] trims the URL and brings a missing repository", async () => {
  const { state, readiness } = stage();
  await readiness.ensure("w", "  https://x/own\n", never);
  assert.deepEqual([state.refreshes, state.syncs], [1, 1]);
});

Deno.test("RepoReadiness [R47] learns of a new repository by the refresh", async () => {
  const { state, readiness } = stage();
  state.server = ["https://x/own", "https://x/new"];
  await readiness.ensure("w", "https://x/new", never);
  assert.ok(state.cached.has("https://x/new"));
});

Deno.test("RepoReadiness [R47] allows a task's own URL, which survives a refresh", async () => {
  const { readiness } = stage();
  await assert.rejects(
    readiness.ensure("w", "https://x/project", never),
    /repo is not configured for this workspace/,
  );
  readiness.allow("w", ["https://x/project"]);
  await readiness.ensure("w", "https://x/own", never);
  await readiness.ensure("w", "https://x/project", never);
});

Deno.test("RepoReadiness [R47] refuses unknown URLs and untracked workspaces as bad requests", async () => {
  const { readiness } = stage();
  const refusal = (id: string, url: string) =>
    readiness.ensure(id, url, never).then(
      () => undefined,
      (error: RepoNotReady) => [error.status, error.message],
    );
  assert.deepEqual(await refusal("w", "https://x/none"), [400, "repo is not configured for this workspace"]);
  assert.deepEqual(await refusal("v", "https://x/own"), [400, "workspace is not watched by this daemon: v"]);
});

Deno.test("RepoReadiness [R47] reports why a repository is not here, and why it could not be asked", async () => {
  const failing = stage({ fail: "no route to host" });
  await assert.rejects(
    failing.readiness.ensure("w", "https://x/own", never),
    /^RepoNotReady: repo is configured but not synced: no route to host$/,
  );
  const silent = stage({ fail: "" });
  await assert.rejects(
    silent.readiness.ensure("w", "https://x/own", never),
    /: repo is configured but not synced$/,
  );
  const away = stage({ refreshFails: "503" });
  await assert.rejects(away.readiness.ensure("w", "https://x/own", never), /refresh workspace repos: 503/);
});

Deno.test("RepoReadiness [R47] brings a repository once for callers that miss it together", async () => {
  const { state, readiness } = stage();
  await Promise.all([1, 2, 3].map(() => readiness.ensure("w", "https://x/own", never)));
  assert.deepEqual([state.refreshes, state.syncs], [1, 1]);
});
