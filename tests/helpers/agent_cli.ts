/** The agents' `multica` in the test's own process: against a plane, or against a server that records requests. */
import { runAgentCli } from "../../lib/agentcli/mod.ts";
import { type Clock, systemClock } from "../../lib/core/mod.ts";
import type { Plane } from "../../lib/plane/mod.ts";
import { claimAndStart, scene, withPlane } from "./plane.ts";

/** What a command left behind. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  // deno-lint-ignore no-explicit-any
  readonly json: any;
}

/** See {@link Cli}. */
export interface CliOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin?: string;
  readonly clock?: Clock;
}

/** Runs one command line. */
export async function multica(
  args: readonly string[],
  { env, cwd, stdin = "", clock = systemClock }: CliOptions,
): Promise<Ran> {
  let [out, err] = ["", ""];
  const code = await runAgentCli(args, env, {
    cwd,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: () => Promise.resolve(new TextEncoder().encode(stdin)),
    clock,
  });
  return { code, out, err, json: parsed(out) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A task on a plane, and `multica` as its agent calls it. */
export interface TaskStage {
  readonly plane: Plane;
  readonly workspaceId: string;
  readonly issueId: string;
  readonly work: string;
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], more?: Partial<CliOptions>): Promise<Ran>;
}

/** Opens a plane with one running task on an issue. */
export async function withTask(use: (stage: TaskStage) => Promise<void>): Promise<void> {
  await withPlane({}, async (plane) => {
    const { workspaceId, agents, runtimes } = await scene(plane);
    const issueId = plane.createIssue({ workspaceId, title: "Fix the <door>" });
    plane.addTask({ workspaceId, agentId: agents["claude"]!, kind: "issue", issueId });
    const task = await claimAndStart(plane, runtimes["claude"]!);
    await withDirectory(async (work) => {
      const env = {
        MULTICA_TOKEN: task.auth_token,
        MULTICA_SERVER_URL: plane.url,
        MULTICA_WORKSPACE_ID: workspaceId,
        MULTICA_AGENT_ID: agents["claude"]!,
        MULTICA_TASK_ID: task.id,
      };
      const run = (args: readonly string[], more: Partial<CliOptions> = {}) =>
        multica(args, { env, cwd: work, ...more });
      await use({ plane, workspaceId, issueId, work, env, run });
    });
  });
}

/** A request as the recording server saw it. */
export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: string;
  // deno-lint-ignore no-explicit-any
  readonly json: any;
}

/** A small server whose answers the test writes. */
export interface Stub {
  readonly url: string;
  readonly seen: Seen[];
  readonly work: string;
  readonly env: Readonly<Record<string, string>>;
  /** `GET /api/issues/MUL-1` and the like of the requests so far, without those that resolve an issue. */
  readonly targets: () => string[];
  run(args: readonly string[], more?: Partial<CliOptions>): Promise<Ran>;
}

/** Answers one request: a value becomes JSON with status 200. */
export type Answering = (request: Seen) => unknown;

/** The issue the stub knows by any reference. */
export const STUB_ISSUE = {
  id: "11111111-2222-3333-4444-555555555555",
  identifier: "MUL-1",
  title: "One",
  status: "todo",
  priority: "none",
};

/** Serves `answer`; `undefined` answers are 404. An issue asked for by reference is {@link STUB_ISSUE}. */
export async function withStub(answer: Answering, use: (stub: Stub) => Promise<void>): Promise<void> {
  const seen: Seen[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    const body = await request.text();
    const one = {
      method: request.method,
      target: url.pathname + url.search,
      headers: request.headers,
      body,
      json: parsed(body),
    };
    seen.push(one);
    const said = answer(one) ?? (isResolve(one) ? STUB_ISSUE : undefined);
    if (said instanceof Response) return said;
    return said === undefined
      ? Response.json({ error: "no such thing" }, { status: 404 })
      : Response.json(said);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await withDirectory(async (work) => {
      const env = {
        MULTICA_TOKEN: "mat_stub",
        MULTICA_SERVER_URL: url,
        MULTICA_WORKSPACE_ID: "w1",
        MULTICA_AGENT_ID: "a1",
        MULTICA_TASK_ID: "t1",
        MULTICA_AGENT_NAME: "Robo",
        MULTICA_DAEMON_PORT: String(server.addr.port),
      };
      await use({
        url,
        seen,
        work,
        env,
        targets: () =>
          seen.filter((one) => !isResolve(one)).map(({ method, target }) => `${method} ${target}`),
        run: (args, more = {}) => multica(args, { env, cwd: work, ...more }),
      });
    });
  } finally {
    await server.shutdown();
  }
}

function isResolve({ method, target }: Seen): boolean {
  return method === "GET" && /^\/api\/issues\/[^/?]+$/.test(target);
}

/** A directory for the time of `use`. */
export async function withDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  try {
    await use(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}
