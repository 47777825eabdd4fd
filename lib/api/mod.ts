/**
 * api: the local HTTP API on loopback: `/health`, `/shutdown`, `/repo/checkout`.
 * It lives in the supervisor's thread, so that it answers while the engine is busy, hung or being replaced; all it
 * knows comes in through `snapshot()`. `bindApi(options)` takes the profile's port, which is the profile's lock;
 * `readHealth` and `requestShutdown` are the callers' side.
 */
export type { ApiOptions } from "./app.ts";
export { type CheckoutAnswer, type CheckoutHandler, type CheckoutRequest, noCheckouts } from "./checkout.ts";
export * from "./credential.ts";
export * from "./health.ts";
export type { Health } from "./health_schema.ts";
export * from "./loopback.ts";
export * from "./server.ts";
