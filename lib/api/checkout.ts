/** `POST /repo/checkout`: the request of an agent inside a task, checked for shape; the handler does the rest. */
import type { Context } from "hono";
import { errorText, getLog } from "../core/mod.ts";
import type { CheckoutBody } from "./checkout_body.ts";

/** A checkout request as a plain value (spec 03 §9.3, §17.5). */
export interface CheckoutRequest {
  readonly url: string;
  readonly workspace_id: string;
  readonly workdir: string;
  readonly ref: string;
  readonly agent_name: string;
  readonly task_id: string;
  readonly checkout_mode: string;
  readonly retry_busy: boolean;
  /** The bearer token sent with it: the task's, for the handler to check. "" = none. */
  readonly token: string;
}

/** What the handler answers: JSON, or text for errors. */
export interface CheckoutAnswer {
  readonly status: number;
  readonly body: string | Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers checkout requests; `signal` ends when the caller has gone. */
export type CheckoutHandler = (request: CheckoutRequest, signal: AbortSignal) => Promise<CheckoutAnswer>;

/** The answer of a host without repositories. */
export const noCheckouts: CheckoutHandler = () =>
  Promise.resolve({ status: 500, body: "repo cache not initialized" });

/** Longest body taken, bytes. */
const MAX_BODY = 64 * 1024;

const log = getLog("api");

/** Answers one request with `handler`. */
export async function checkoutRoute(c: Context, handler: CheckoutHandler): Promise<Response> {
  if (c.req.method !== "POST") return c.text("method not allowed", 405);
  if (Number(c.req.header("content-length") ?? "0") > MAX_BODY) return c.text("request body too large", 413);
  const { readBody } = await import("./checkout_body.ts");
  const parsed = readBody(await c.req.text());
  if (typeof parsed === "string") return c.text(parsed, 400);
  for (const field of ["url", "workspace_id", "workdir"] as const) {
    if (parsed[field].trim() === "") return c.text(`${field} is required`, 400);
  }
  const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  try {
    const answer = await handler({ ...pick(parsed), token }, c.req.raw.signal);
    const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    const type = typeof answer.body === "string" ? "text/plain; charset=UTF-8" : "application/json";
    return new Response(body, {
      status: answer.status,
      headers: { ...answer.headers, "content-type": type },
    });
  } catch (error) {
    log.warn("checkout failed", { url: parsed.url, error: errorText(error) });
    return c.text(errorText(error), 500);
  }
}

function pick(body: CheckoutBody): Omit<CheckoutRequest, "token"> {
  const { url, workspace_id, workdir, ref, agent_name, task_id, checkout_mode, retry_busy } = body;
  return { url, workspace_id, workdir, ref, agent_name, task_id, checkout_mode, retry_busy };
}
