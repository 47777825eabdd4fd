/**
 * plane: an embedded Multica control plane on SQLite for one machine, and the test server of the house.
 * It serves the server's own HTTP and WebSocket protocol on 127.0.0.1 (spec 01, 02), keeps workspaces, runtimes,
 * agents, issues and tasks with the server's state machine, and can misbehave on demand.
 * It offers {@link Plane} with administration, waiting and fault injection, {@link serveLocalPlane} for
 * `multica-host local`, and {@link LocalPlaneClient} for the task commands of another process.
 */
export * from "./actions.ts";
export * from "./admin.ts";
export * from "./agents.ts";
export * from "./db.ts";
export * from "./faults.ts";
export * from "./local_client.ts";
export * from "./local_plane.ts";
export { localRoutes, LocalTaskBody } from "./local_routes.ts";
export * from "./new_task.ts";
export * from "./plane.ts";
export * from "./recorder.ts";
export { NO_ROUTE, OK } from "./router.ts";
export type { FeatureFlags } from "./routes_daemon.ts";
export type { SpecialRoute } from "./server.ts";
export type { NewSkill } from "./skills.ts";
export { TASK_TRANSITIONS } from "./tasks.ts";
export type { TaskView } from "./task_view.ts";
export * from "./types.ts";
