/** The daemon endpoints of both eras that concern machines and runtimes (spec 01 §4.3–4.11, 4.22, 11.2, 11.3). */
import { requireAccess, requireRuntime, requireTask, requireUuid } from "./access.ts";
import { type ActionKind, popActions, reportAction } from "./actions.ts";
import { claim, claimBatch } from "./claim.ts";
import { listProfiles } from "./profiles.ts";
import {
  ActionBody,
  BatchClaimBody,
  DeregisterBody,
  HeartbeatBody,
  parseBody,
  RegisterBody,
  SkillResolveBody,
} from "./requests.ts";
import { type Call, OK, ok, type Reply, type Router } from "./router.ts";
import { deregister, recoverOrphans, register, touchRuntime } from "./runtimes.ts";
import { resolveBundles } from "./skills.ts";
import type { Store } from "./store.ts";
import { extendLease, taskJson } from "./tasks.ts";
import { Refusal, type TaskDb } from "./types.ts";
import { listWorkspaceRefs, repoAnswer, requireWorkspace } from "./workspaces.ts";

/** Flags that baseline heartbeat answers carry; undefined = none. */
export interface FeatureFlags {
  readonly version: number;
  readonly flags: Readonly<Record<string, string>>;
}

/** What the routes need beside the store. */
export interface RouteDeps {
  readonly store: Store;
  featureFlags(): FeatureFlags | undefined;
}

/** Routes that came after the baseline. */
export const LATER = { later: true } as const;

/** Adds the routes. */
export function daemonRoutes(router: Router, deps: RouteDeps): void {
  const { store } = deps;
  router.add("POST /api/daemon/register", "D", (call) => {
    const answer = register(store, call.who, parseBody(RegisterBody, call.body), capabilitiesOf(call));
    return { status: answer.status, json: answer.body };
  });
  router.add("POST /api/daemon/deregister", "D", (call) => {
    const body = parseBody(DeregisterBody, call.body);
    deregister(store, call.who, body.runtime_ids, body.offline_reasons ?? {});
    return OK;
  });
  router.add("POST /api/daemon/heartbeat", "D", (call) => heartbeat(deps, call));
  router.add("GET /api/daemon/workspaces", "D", (call) => workspaceRefs(store, call), LATER);
  router.add("GET /api/daemon/workspaces/:id/repos", "D", (call) => {
    const id = requireUuid(call.params[0]!, "workspace_id");
    requireAccess(store, call.who, id);
    return ok({ workspace_id: id, ...repoAnswer(requireWorkspace(store, id)) });
  });
  router.add("GET /api/daemon/workspaces/:id/runtime-profiles", "D", (call) => {
    const id = requireUuid(call.params[0]!, "workspace_id");
    requireAccess(store, call.who, id);
    return ok({ workspace_id: id, runtime_profiles: listProfiles(store, id) });
  });
  claimRoutes(router, store);
  actionRoutes(router, store);
}

function claimRoutes(router: Router, store: Store): void {
  router.add("POST /api/daemon/runtimes/:id/recover-orphans", "D", (call) => {
    const runtime = requireRuntime(store, call.who, call.params[0]!);
    return ok(recoverOrphans(store, runtime.id));
  });
  router.add("POST /api/daemon/runtimes/:id/tasks/claim", "D", (call) => {
    const runtime = requireRuntime(store, call.who, call.params[0]!);
    const outcome = claim(store, runtime, capabilitiesOf(call));
    if (outcome.kind === "refused") return { status: outcome.status, json: { error: outcome.error } };
    return ok({ task: outcome.kind === "task" ? outcome.task : null });
  });
  const batch = (call: Call): Reply => {
    return ok(claimBatch(store, call.who, parseBody(BatchClaimBody, call.body), capabilitiesOf(call)));
  };
  router.add("POST /api/daemon/tasks/claim", "D", batch, LATER);
  router.add("POST /api/daemon/claim", "D", batch, LATER);
  router.add("GET /api/daemon/runtimes/:id/tasks/pending", "D", (call) => {
    const runtime = requireRuntime(store, call.who, call.params[0]!);
    return ok(
      store.db.all<TaskDb>(
        "SELECT * FROM tasks WHERE runtime_id = ? AND status IN ('queued', 'dispatched') ORDER BY created_at",
        runtime.id,
      ).map(taskJson),
    );
  });
  router.add("POST /api/daemon/runtimes/:id/tasks/:task/prepare-lease", "D", (call) => {
    return ok(taskJson(extendLease(store, taskOfRuntime(store, call))));
  });
  router.add("POST /api/daemon/runtimes/:id/tasks/:task/skill-bundles/resolve", "D", (call) => {
    const refs = parseBody(SkillResolveBody, call.body).skills;
    return ok({ bundles: resolveBundles(store, taskOfRuntime(store, call), refs) });
  });
}

function actionRoutes(router: Router, store: Store): void {
  const report = (kind: ActionKind) => (call: Call): Reply => {
    const runtime = requireRuntime(store, call.who, call.params[0]!);
    reportAction(store, runtime.id, { id: call.params[1]!, kind, body: parseBody(ActionBody, call.body) });
    return OK;
  };
  const base = "POST /api/daemon/runtimes/:id";
  router.add(`${base}/models/:request/result`, "D", report("models"));
  router.add(`${base}/local-skills/:request/result`, "D", report("local-skills"));
  router.add(`${base}/local-skills/import/:request/result`, "D", report("local-skills/import"));
  router.add(`${base}/update/:request/result`, "D", report("update"));
}

/** Capabilities the client says it has. */
export function capabilitiesOf(call: { readonly headers: Headers }): string[] {
  return (call.headers.get("x-client-capabilities") ?? "").split(",").map((one) => one.trim()).filter(
    Boolean,
  );
}

function taskOfRuntime(store: Store, call: Call): TaskDb {
  const runtime = requireRuntime(store, call.who, call.params[0]!);
  const task = requireTask(store, call.who, call.params[1]!);
  if (task.runtime_id !== runtime.id) throw new Refusal(404, "task not found");
  return task;
}

function heartbeat(deps: RouteDeps, call: Call): Reply {
  const body = parseBody(HeartbeatBody, call.body);
  if (body.runtime_id === "") throw new Refusal(400, "runtime_id is required");
  const runtime = requireRuntime(deps.store, call.who, body.runtime_id);
  touchRuntime(deps.store, runtime);
  const flags = deps.store.later ? undefined : deps.featureFlags();
  return ok({
    status: "ok",
    ...popActions(deps.store, runtime.id, body.supports_batch_import),
    ...(flags === undefined ? {} : { feature_flags: flags }),
  });
}

function workspaceRefs(store: Store, call: Call): Reply {
  const { body, etag } = listWorkspaceRefs(store, call.who);
  const headers = { etag, "cache-control": "private, no-cache", "content-type": "application/json" };
  if (call.headers.get("if-none-match") === etag) return { status: 304, headers };
  return { status: 200, text: body, headers };
}
