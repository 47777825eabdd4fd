/** `/api/test/*`: administration, faults and events of a plane in another process. Only `plane_main.ts` has them. */
import {
  type Behaviour,
  type FaultHandle,
  Hold,
  type Outage,
  type Plane,
  type PlaneEvent,
  type SpecialRoute,
} from "../../lib/plane/mod.ts";

/** Methods of the plane that may be called from outside. */
const METHODS = [
  "createUser",
  "mintToken",
  "revokeToken",
  "createWorkspace",
  "updateWorkspace",
  "addMember",
  "removeMember",
  "createAgent",
  "agentByName",
  "agents",
  "createSkill",
  "updateSkill",
  "createIssue",
  "issue",
  "comments",
  "deleteIssue",
  "addTask",
  "task",
  "tasks",
  "cancelTask",
  "deleteTask",
  "rerunTask",
  "messages",
  "usage",
  "runtimes",
  "runtime",
  "deleteRuntime",
  "createProfile",
  "updateProfile",
  "deleteProfile",
  "requestModels",
  "requestLocalSkills",
  "requestSkillImport",
  "requestUpdate",
  "action",
  "sweep",
  "halfOpen",
] as const;

/** A behaviour as JSON: holds are names. */
export type WireBehaviour = Omit<Behaviour, "hold" | "lateHold"> & {
  readonly hold?: string;
  readonly lateHold?: string;
};

/** The routes of one plane. */
export function testRoutes(plane: Plane): SpecialRoute {
  const steering = new Steering(plane);
  return { prefix: "/api/test/", handle: (request, path, search) => steering.handle(request, path, search) };
}

class Steering {
  readonly #events: { n: number; event: PlaneEvent }[] = [];
  #next = Promise.withResolvers<void>();
  #n = 0;
  readonly #holds = new Map<string, Hold>();
  readonly #handles = new Map<number, FaultHandle>();
  #endOutage: (() => Promise<void>) | undefined;

  constructor(readonly plane: Plane) {
    plane.store.events.subscribe((event) => {
      this.#events.push({ n: ++this.#n, event });
      if (this.#events.length > 200_000) this.#events.splice(0, 100_000);
      this.#next.resolve();
      this.#next = Promise.withResolvers();
    });
  }

  async handle(request: Request, path: string, search: string): Promise<Response> {
    if (request.headers.get("authorization") !== `Bearer ${this.plane.token}`) {
      return new Response("", { status: 401 });
    }
    const body = request.method === "GET" ? {} : await request.json();
    try {
      return Response.json(
        await this.#run(path.slice("/api/test/".length), body, new URLSearchParams(search), request.signal) ??
          null,
      );
    } catch (error) {
      return Response.json({ error: error instanceof Error ? error.message : String(error) }, {
        status: 400,
      });
    }
  }

  // deno-lint-ignore no-explicit-any
  async #run(name: string, body: any, query: URLSearchParams, signal: AbortSignal): Promise<unknown> {
    switch (name) {
      case "call": {
        if (!METHODS.includes(body.method)) throw new Error(`no such method: ${body.method}`);
        // deno-lint-ignore no-explicit-any
        return (this.plane as any)[body.method](...body.args ?? []);
      }
      case "script": {
        const handle = body.always === undefined
          ? this.plane.faults.script(
            body.pattern,
            body.behaviours.map((one: WireBehaviour) => this.#behaviour(one)),
          )
          : this.plane.faults.always(body.pattern, this.#behaviour(body.always));
        const id = this.#handles.size + 1;
        this.#handles.set(id, handle);
        return { id };
      }
      case "script/clear":
        if (body.id === undefined) this.plane.faults.clear();
        else this.#handles.get(body.id)?.clear();
        return { used: this.#handles.get(body.id)?.used ?? 0 };
      case "script/used":
        return { used: this.#handles.get(body.id)?.used ?? 0 };
      case "release":
        this.#hold(body.hold).release();
        return {};
      case "reached":
        await this.#hold(body.hold).reached;
        return {};
      case "outage":
        await this.#endOutage?.();
        this.#endOutage = await this.plane.faults.outage(body as Outage);
        return {};
      case "outage/end":
        await this.#endOutage?.();
        this.#endOutage = undefined;
        return {};
      case "sockets/close":
        this.plane.hub.closeAll();
        return {};
      case "sockets/stall":
        this.plane.hub.stall(body.stalled);
        return {};
      case "claim/edit":
        this.plane.store.editClaim = body.fields === null
          ? undefined
          : (task) => ({ ...task, ...body.fields });
        return {};
      case "era":
        this.plane.store.era = body.era;
        return {};
      case "requests":
        return this.plane.requests(query.get("filter") ?? undefined);
      case "rates":
        return this.plane.recorder.rates();
      case "rates/reset":
        this.plane.recorder.reset();
        return {};
      case "memory":
        return Deno.memoryUsage();
      case "events":
        return await this.#eventsAfter(Number(query.get("after") ?? 0), signal);
    }
    throw new Error(`no such test route: ${name}`);
  }

  /** Events above a number; waits for the first one. */
  async #eventsAfter(after: number, signal: AbortSignal): Promise<{ n: number; event: PlaneEvent }[]> {
    while (this.#n <= after && !signal.aborted) {
      const gone = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => gone.resolve(), { once: true });
      await Promise.race([this.#next.promise, gone.promise]);
    }
    return this.#events.filter((one) => one.n > after);
  }

  #hold(name: string): Hold {
    const known = this.#holds.get(name) ?? new Hold();
    this.#holds.set(name, known);
    return known;
  }

  #behaviour(wire: WireBehaviour): Behaviour {
    const { hold, lateHold, ...rest } = wire;
    return {
      ...rest,
      ...(hold === undefined ? {} : { hold: this.#hold(hold) }),
      ...(lateHold === undefined ? {} : { lateHold: this.#hold(lateHold) }),
    };
  }
}
