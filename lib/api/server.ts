/** Binds the local API to its port. The port is the lock of the profile: who has it is the host (spec 03 §1, §7.4). */
import { type Clock, errorText, getLog, HostError } from "../core/mod.ts";
import type { ApiOptions } from "./app.ts";
import { readHealth } from "./loopback.ts";

/** The local API, listening. */
export interface ApiServer {
  readonly port: number;
  /** Stops listening and waits for answers under way. The very last thing a host does. Idempotent. */
  close(): Promise<void>;
}

/** Another host, or another program, has the port. */
export class PortBusy extends HostError {}

const log = getLog("api");

/**
 * Listens on `127.0.0.1:<port>` (0 = any free port) and answers at once, from `snapshot()`.
 * @throws {PortBusy} naming port, profile and the holder's pid.
 */
export async function bindApi(options: ApiOptions & { readonly port: number }): Promise<ApiServer> {
  let bound = options.port;
  const startedAt = options.clock.monotonic();
  /** Loaded with the first request: the start waits for the port alone. */
  let app: Promise<{ fetch(request: Request): Response | Promise<Response> }> | undefined;
  const load = () => import("./app.ts").then(({ createApp }) => createApp(options, bound, startedAt));
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({
      hostname: "127.0.0.1",
      port: options.port,
      onListen: ({ port }) => bound = port,
      onError: (error) => {
        log.error("local API failed", { error: errorText(error) });
        return new Response("internal error", { status: 500 });
      },
    }, async (request) => (await (app ??= load())).fetch(request));
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw await portBusy(options.port, options.identity.profile, options.clock);
    }
    throw new HostError(`Cannot listen on 127.0.0.1:${options.port}: ${errorText(error)}`, {
      code: "listen_failed",
      cause: error,
      facts: { port: options.port },
    });
  }
  bound = server.addr.port;
  let closing: Promise<void> | undefined;
  return { port: bound, close: () => closing ??= server.shutdown() };
}

/** Looks at a profile's port before anything is prepared for it. @throws {PortBusy} as {@link bindApi} would. */
export async function ensurePortFree(options: {
  readonly port: number;
  readonly profile: string;
  readonly clock: Clock;
}): Promise<void> {
  const { port, profile, clock } = options;
  if ((await readHealth(port, { clock })).kind !== "down") throw await portBusy(port, profile, clock);
}

/** Asks the holder of the port who it is, and makes the sentence for the user. */
async function portBusy(port: number, profile: string, clock: Clock): Promise<PortBusy> {
  const ours = profile === "" ? "the default profile" : `profile "${profile}"`;
  const flag = profile === "" ? "" : ` --profile ${profile}`;
  const answer = await readHealth(port, { clock });
  if (answer.kind !== "up") {
    return new PortBusy(
      `Cannot start ${ours}: its port ${port} is in use by another program, which is no Multica host`,
      { code: "port_busy", hint: `find it with: lsof -i tcp:${port}`, facts: { port, profile } },
    );
  }
  const { pid, profile: theirs, cli_version: version, program } = answer.health;
  const facts = { port, profile, pid, holder: theirs };
  if (theirs === undefined || theirs === profile) {
    const who = program === "multica-host" ? "a host" : "a Multica daemon";
    return new PortBusy(
      `Cannot start ${ours}: ${who} for it already runs (pid ${pid}, port ${port}, version ${version})`,
      {
        code: "host_already_running",
        hint: program === "multica-host" ? `multica-host stop${flag}` : `multica daemon stop${flag}`,
        facts,
      },
    );
  }
  return new PortBusy(
    `Cannot start ${ours}: its port ${port} is held by profile "${
      theirs ?? "?"
    }" (pid ${pid}), whose name gives the same port`,
    { code: "port_busy", hint: "stop that one, or choose another profile name", facts },
  );
}
