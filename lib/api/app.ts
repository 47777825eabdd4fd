/** The routes of the local API and what guards them (spec 03 §9). */
import { type Context, Hono, type Next } from "hono";
import { type Clock, formatDuration, getLog } from "../core/mod.ts";
import { type CheckoutHandler, checkoutRoute, noCheckouts } from "./checkout.ts";
import { isBearer } from "./credential.ts";
import type { HealthIdentity, HealthSnapshot } from "./health.ts";

/** What the local API answers with. */
export interface ApiOptions {
  readonly identity: HealthIdentity;
  /** The state of this moment; must not wait for anything. */
  readonly snapshot: () => HealthSnapshot;
  /** Wanted for everything that changes anything, as `Authorization: Bearer …`. */
  readonly credential: string;
  /** Called after the answer to `POST /shutdown` is on its way. */
  readonly onShutdown: () => void;
  /** Default: 500 `repo cache not initialized`. */
  readonly checkout?: CheckoutHandler;
  readonly clock: Clock;
}

const log = getLog("api");

/** The API as a request handler, for a server on `port` of loopback that listens since `startedAt` (monotonic ms). */
export function createApp(options: ApiOptions, port: number, startedAt: number): Hono {
  const app = new Hono();
  app.use("*", (c, next) => guard(c, next, port));
  app.all("/health", (c) => c.json(health(options, startedAt)));
  app.all("/shutdown", (c) => shutdown(c, options));
  app.all("/repo/checkout", (c) => checkoutRoute(c, options.checkout ?? noCheckouts));
  app.notFound((c) => c.text("not found", 404));
  app.onError((error, c) => {
    log.error("request to the local API failed", { path: c.req.path, error: error.message });
    return c.text("internal error", 500);
  });
  return app;
}

/**
 * No web page may talk to the host: its requests carry an `Origin`, or, after DNS rebinding, a `Host` of their own
 * (spec 03 §9.3).
 */
function guard(c: Context, next: Next, port: number): Promise<Response | void> {
  const host = (c.req.header("host") ?? "").toLowerCase();
  const refused = c.req.header("origin") !== undefined
    ? "requests of web pages are refused"
    : host !== `127.0.0.1:${port}` && host !== `localhost:${port}`
    ? `this is no name of the local API: ${JSON.stringify(host)}`
    : "";
  if (refused === "") return next();
  log.warn("request to the local API refused", { path: c.req.path, reason: refused });
  return Promise.resolve(c.text(`forbidden: ${refused}`, 403));
}

function health(options: ApiOptions, startedAt: number): Record<string, unknown> {
  const { launched_by, ...identity } = options.identity;
  const { status, ...state } = options.snapshot();
  const seconds = Math.floor((options.clock.monotonic() - startedAt) / 1000);
  return {
    status,
    ...identity,
    ...(launched_by === undefined || launched_by === "" ? {} : { launched_by }),
    uptime: formatDuration(seconds * 1000),
    ...state,
    program: "multica-host",
  };
}

function shutdown(c: Context, options: ApiOptions): Response {
  if (c.req.method !== "POST") return c.text("method not allowed", 405);
  if (!isBearer(c.req.header("authorization"), options.credential)) {
    log.warn("shutdown refused", { reason: "no valid credential" });
    return c.text("unauthorized: send the credential of the profile's host.credential file", 401);
  }
  Promise.resolve().then(options.onShutdown);
  return c.json({ status: "shutting down" });
}
