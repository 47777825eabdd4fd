/** Who calls: token, workspace and server of the task, and never the human's own (spec 05 §16, §27.4; 03 §17.6). */
import { dirname, isAbsolute, join } from "node:path";
import * as z from "zod";
import { normaliseServerUrl } from "../config/mod.ts";
import { errorText, parseDuration } from "../core/mod.ts";
import { ApiClient } from "./client.ts";
import { LocalError } from "./failures.ts";
import type { Given } from "./grammar.ts";
import type { AgentIo, Env } from "./types.ts";

/** A task's identity on the wire. */
export interface Session {
  readonly client: ApiClient;
  /** "" when there is none; commands that need one call {@link workspaceOf}. */
  readonly workspaceId: string;
}

/** Signals that a process belongs to a task. */
export interface TaskSignals {
  /** Names the first strong signal: a variable, or the marker's path. "" = none. */
  readonly strong: string;
  /** The marker file found, "" for none. */
  readonly marker: string;
  /** True when a variable of the task's own stands. */
  readonly variables: boolean;
  /** True when the host's port is set. */
  readonly port: boolean;
}

const STRONG = ["MULTICA_AGENT_ID", "MULTICA_TASK_ID", "MULTICA_TASK_CONFIG_ROOT"];
const MARKER = join(".multica", "daemon_task_context.json");
const DEFAULT_LIMIT_MS = 30_000;

/**
 * Opens the session. Only a `mat_` token of the environment is ever used: a process that lost its environment must not
 * act as the human who owns this machine, so no file of theirs is read, inside a task or not.
 * @throws {LocalError} before any request.
 */
export async function openSession(given: Given, env: Env, io: AgentIo): Promise<Session> {
  const workspaceId =
    (given.has("workspace-id") ? given.text("workspace-id") : env["MULTICA_WORKSPACE_ID"] ?? "")
      .trim();
  const token = (env["MULTICA_TOKEN"] ?? "").trim();
  if (!token.startsWith("mat_")) throw new LocalError(tokenProblem(token, await findSignals(env, io.cwd)));
  const serverUrl = await serverOf(given, env);
  if (workspaceId === "") {
    throw new LocalError(
      "no workspace: MULTICA_WORKSPACE_ID is not set, and the user's own configuration is not consulted in a task. " +
        "Pass --workspace-id, or keep the task's environment",
    );
  }
  const client = new ApiClient({
    baseUrl: serverUrl,
    token,
    workspaceId,
    agentId: env["MULTICA_AGENT_ID"] ?? "",
    taskId: env["MULTICA_TASK_ID"] ?? "",
    limitMs: httpLimitMs(env["MULTICA_HTTP_TIMEOUT"]),
    clock: io.clock,
  });
  return { client, workspaceId };
}

/** What says that this process belongs to a task. */
export async function findSignals(env: Env, cwd: string): Promise<TaskSignals> {
  const variable = STRONG.find((name) => (env[name] ?? "").trim() !== "") ?? "";
  const marker = await findMarker(cwd);
  return {
    strong: variable || marker,
    marker,
    variables: variable !== "",
    port: (env["MULTICA_DAEMON_PORT"] ?? "").trim() !== "",
  };
}

/** `MULTICA_HTTP_TIMEOUT`: a duration or whole seconds; anything else is 30 s (spec 03 §13.1). */
export function httpLimitMs(value: string | undefined): number {
  const text = (value ?? "").trim();
  try {
    const ms = /^[+-]?\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
    return ms > 0 ? ms : DEFAULT_LIMIT_MS;
  } catch {
    // Spec 03 §13.1: an unreadable value counts as none.
    return DEFAULT_LIMIT_MS;
  }
}

/** A server address as requests use it; what is no address stays as it is, so that the error names it. */
export function serverBase(text: string): string {
  try {
    return normaliseServerUrl(text);
  } catch {
    // Spec 05 §16: other schemes and unreadable text are used raw.
    return text;
  }
}

function tokenProblem(token: string, { marker, variables, port }: TaskSignals): string {
  const found = token === "" ? "MULTICA_TOKEN is not set" : "MULTICA_TOKEN is no task token";
  const need =
    `${found}: this multica acts for a task and needs MULTICA_TOKEN with a mat_ token from its environment; ` +
    "the user's own login is never used";
  if (marker !== "" && !variables) {
    return `${need}. The task's environment was lost on the way here (a shell that drops variables, sudo, env -i), ` +
      `or ${marker} is left over from a task that has ended; then delete that file`;
  }
  if (port && !variables) {
    return `${need}. Only MULTICA_DAEMON_PORT is set, which may be left over from a task`;
  }
  return need;
}

async function serverOf(given: Given, env: Env): Promise<string> {
  const named = given.has("server-url") ? given.text("server-url") : env["MULTICA_SERVER_URL"] ?? "";
  const raw = named.trim() || await taskConfigServer(given, env);
  if (raw === "") {
    throw new LocalError(
      "no server: MULTICA_SERVER_URL is not set. Keep the task's environment, or pass --server-url",
    );
  }
  const url = serverBase(raw);
  if (!/^https?:\/\//.test(url)) throw new LocalError(`the server URL "${raw}" is no http or https address`);
  return url;
}

const configFile = z.looseObject({ server_url: z.string().catch("") });

/** The server of the task's own configuration directory: a task-local file, never the user's. */
async function taskConfigServer(given: Given, env: Env): Promise<string> {
  const root = (env["MULTICA_TASK_CONFIG_ROOT"] ?? "").trim();
  if (!isAbsolute(root)) return "";
  const profile = given.text("profile");
  if (profile !== "" && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(profile)) {
    throw new LocalError(`profile "${profile}" is no plain name`);
  }
  const path = profile === "" ? join(root, "config.json") : join(root, "profiles", profile, "config.json");
  try {
    return configFile.parse(JSON.parse(await Deno.readTextFile(path))).server_url.trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw new LocalError(`cannot read ${path}: ${errorText(error)}`, error);
  }
}

const markerFile = z.looseObject({ managed_by: z.literal("multica-daemon-task") });

/** Looks from `cwd` up to the root; unreadable and foreign files count as absent (spec 03 §17.6). */
async function findMarker(cwd: string): Promise<string> {
  for (let dir = cwd;;) {
    const path = join(dir, MARKER);
    try {
      if (markerFile.safeParse(JSON.parse(await Deno.readTextFile(path))).success) return path;
    } catch {
      // Absent, unreadable or no JSON: no signal.
    }
    const parent = dirname(dir);
    if (parent === dir) return "";
    dir = parent;
  }
}
