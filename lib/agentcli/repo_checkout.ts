/** `multica repo checkout`: asks the host on this machine (spec 05 §21.6, §27.4; 03 §12.2, §17.5). */
import * as z from "zod";
import { parseRetryAfter } from "../control/mod.ts";
import { errorText, sleep } from "../core/mod.ts";
import { LocalError } from "./failures.ts";
import type { Call } from "./types.ts";

/** All attempts together, ms. */
const LIMIT_MS = 5 * 60_000;
const MAX_PAUSE_MS = 30_000;
const DEFAULT_PAUSE_MS = 1_000;

const checkout = z.looseObject({ path: z.string().min(1), branch_name: z.string().catch("") });

/** Asks the host for a checkout, again while the repository is busy, and prints its path. */
export async function repoCheckout(call: Call): Promise<number> {
  const { io, args } = call;
  const request = requestOf(call);
  const until = io.clock.now() + LIMIT_MS;
  for (;;) {
    const { status, body, retryAfter, busy } = await ask(call, request, until - io.clock.now());
    if (status === 200) {
      const made = readCheckout(body);
      io.out(`${made.path}\n`);
      io.err(`Checked out ${args[0]} at ${made.path} (branch: ${made.branch_name})\n`);
      return 0;
    }
    const pause = Math.min(parseRetryAfter(retryAfter, io.clock.now()) ?? DEFAULT_PAUSE_MS, MAX_PAUSE_MS);
    if (status !== 503 || !busy || io.clock.now() + pause >= until) {
      throw new LocalError(`checkout failed: ${body.trim() || `status ${status}`}`);
    }
    await sleep(io.clock, pause);
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
  readonly busy: boolean;
}

function requestOf({ args, env, io, given }: Call): { url: string; init: RequestInit } {
  const port = (env["MULTICA_DAEMON_PORT"] ?? "").trim();
  if (!/^\d{1,5}$/.test(port)) {
    throw new LocalError(
      "MULTICA_DAEMON_PORT is not set: repo checkout works inside a task only, with its environment",
    );
  }
  const token = (env["MULTICA_TOKEN"] ?? "").trim();
  if (token === "") {
    throw new LocalError("MULTICA_TOKEN is not set: repo checkout needs the task's own token");
  }
  const body = {
    url: args[0],
    workspace_id: env["MULTICA_WORKSPACE_ID"] ?? "",
    workdir: io.cwd,
    ref: given.text("ref"),
    agent_name: env["MULTICA_AGENT_NAME"] ?? "",
    task_id: env["MULTICA_TASK_ID"] ?? "",
    checkout_mode: env["MULTICA_REPO_CHECKOUT_MODE"] ?? "",
    retry_busy: true,
  };
  return {
    url: `http://127.0.0.1:${port}/repo/checkout`,
    init: {
      method: "POST",
      headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    },
  };
}

async function ask(
  { io }: Call,
  { url, init }: { url: string; init: RequestInit },
  limitMs: number,
): Promise<Answer> {
  const abort = new AbortController();
  const timer = io.clock.timer(Math.max(limitMs, 1), () => abort.abort());
  try {
    const response = await fetch(url, { ...init, signal: abort.signal });
    return {
      status: response.status,
      body: await response.text(),
      retryAfter: response.headers.get("retry-after"),
      busy: response.headers.get("x-multica-retryable") === "repo-busy",
    };
  } catch (error) {
    const why = abort.signal.aborted ? `no answer in ${LIMIT_MS / 60_000} minutes` : errorText(error);
    throw new LocalError(`checkout failed: the host on this machine cannot be reached: ${why}`, error);
  } finally {
    timer.cancel();
  }
}

function readCheckout(body: string): z.infer<typeof checkout> {
  try {
    return checkout.parse(JSON.parse(body));
  } catch (error) {
    throw new LocalError("checkout failed: the host's answer names no path", error);
  }
}
