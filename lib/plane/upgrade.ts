/** `GET /api/daemon/ws`: who may open which socket, with the exact refusals (spec 02 §2.3, 17.2). */
import { canAccess, findRuntime, requireUuid } from "./access.ts";
import type { Connection } from "./hub.ts";
import { capabilitiesOf } from "./routes_daemon.ts";
import type { Store } from "./store.ts";
import { authenticate } from "./tokens.ts";
import { Refusal } from "./types.ts";

/** What a request may attach to. @throws {Refusal} with the server's status and text. */
export function admit(
  store: Store,
  request: { readonly headers: Headers; readonly search: string },
): Pick<Connection, "who" | "runtimeIds" | "workspaceIds" | "capabilities"> {
  const who = authenticate(store, request.headers.get("authorization"), "D");
  const query = new URLSearchParams(request.search);
  const ids = [...query.getAll("runtime_id"), ...query.getAll("runtime_ids")]
    .flatMap((value) => value.split(",")).map((id) => id.trim()).filter((id) => id !== "");
  if (ids.length === 0 && (!store.later || who.userId === null)) {
    throw new Refusal(400, store.later ? "runtime_ids or user identity required" : "runtime_ids required");
  }
  const workspaceIds = new Set<string>();
  for (const id of new Set(ids)) {
    const runtime = findRuntime(store, requireUuid(id, "runtime_id"));
    const foreign = runtime !== undefined && who.kind === "daemon" && who.daemonId !== runtime.daemon_id;
    if (runtime === undefined || foreign) throw new Refusal(404, "runtime not found");
    if (!canAccess(store, who, runtime.workspace_id)) throw new Refusal(404, "not found");
    workspaceIds.add(runtime.workspace_id);
  }
  return { who, runtimeIds: new Set(ids), workspaceIds, capabilities: capabilitiesOf(request) };
}
