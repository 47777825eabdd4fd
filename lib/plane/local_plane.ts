/** The plane that `multica-host local` runs: one user, one workspace, an agent for each provider that registers. */
import { type Clock, errorText, HostError } from "../core/mod.ts";
import { localRoutes } from "./local_routes.ts";
import { Plane } from "./plane.ts";
import type { SpecialRoute } from "./server.ts";
import type { PlaneEvent } from "./types.ts";

/** See {@link serveLocalPlane}. */
export interface LocalPlaneOptions {
  /** SQLite file; its directory must exist. ":memory:" keeps nothing. */
  readonly dbPath: string;
  /** @default 0 = any */
  readonly port?: number;
  /** The user's token (`mul_` and 40 hex digits); minted when absent. */
  readonly token?: string;
  readonly clock?: Clock;
  /** @default "Local" */
  readonly workspaceName?: string;
  /** Keep every request for inspection. @default false */
  readonly record?: boolean;
  /** Tests put the gate in front and add routes. */
  readonly gate?: boolean;
  readonly routes?: (plane: Plane) => readonly SpecialRoute[];
}

/** A running local plane. */
export interface LocalPlane {
  readonly plane: Plane;
  readonly url: string;
  /** Token for the host and for {@link LocalPlaneClient}. */
  readonly token: string;
  readonly workspaceId: string;
  close(): Promise<void>;
}

/** Opens (or makes) the local plane and serves it on 127.0.0.1. @throws {HostError} when its file cannot be used */
export async function serveLocalPlane(options: LocalPlaneOptions): Promise<LocalPlane> {
  const plane = await Plane.open({
    path: options.dbPath,
    era: "later",
    record: options.record ?? false,
    routes: (own) => [localRoutes(own), ...options.routes?.(own) ?? []],
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.gate === undefined ? {} : { gate: options.gate }),
  }).catch((error: unknown) => {
    throw unusable(options.dbPath, error);
  });
  const known = plane.store.db.get<{ id: string }>(
    "SELECT id FROM workspaces ORDER BY created_at, rowid LIMIT 1",
  );
  const workspaceId = known?.id ?? plane.createWorkspace({ name: options.workspaceName ?? "Local" });
  const stop = plane.store.events.subscribe((event) => onRegistered(plane, event));
  return {
    plane,
    url: plane.url,
    token: plane.token,
    workspaceId,
    close: async () => {
      stop();
      await plane.close();
    },
  };
}

/** Each runtime that registers gets an agent named after its provider, or its profile. */
function onRegistered(plane: Plane, event: PlaneEvent): void {
  if (event.type !== "runtime" || event.to !== "registered") return;
  const runtime = plane.runtimes().find((one) => one.id === event.runtimeId);
  if (runtime === undefined) return;
  const agents = plane.agents(runtime.workspace_id);
  if (agents.some((agent) => agent.runtime_id === runtime.id)) return;
  const name = runtime.profile_id === null ? runtime.provider : profileName(plane, runtime.profile_id);
  plane.createAgent({
    workspaceId: runtime.workspace_id,
    name,
    runtimeId: runtime.id,
    maxConcurrentTasks: LOCAL_CONCURRENCY,
    ...(runtime.profile_id === null ? { provider: runtime.provider } : { profileId: runtime.profile_id }),
  });
}

/** The host's own slots are the real limit on one machine. */
const LOCAL_CONCURRENCY = 1_000;

function profileName(plane: Plane, profileId: string): string {
  const row = plane.store.db.get<{ display_name: string }>(
    "SELECT display_name FROM profiles WHERE id = ?",
    profileId,
  );
  return row?.display_name ?? profileId;
}

/** The sentence for a file that SQLite refuses; anything else stays what it is. */
function unusable(path: string, error: unknown): unknown {
  const text = errorText(error);
  const hint = /disk is full|no space|I\/O error/i.test(text)
    ? "free some disk space"
    : /not a database|malformed/i.test(text)
    ? "move the file away; tasks in it are not known any more then"
    : /unable to open|read-?only|no such file|denied/i.test(text)
    ? "check the owner and the rights of its directory"
    : undefined;
  if (hint === undefined) return error;
  return new HostError(`Cannot use the local control plane's file "${path}": ${text}`, {
    code: "local_plane_unusable",
    hint,
    cause: error,
  });
}
