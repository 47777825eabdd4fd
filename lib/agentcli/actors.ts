/** Members, agents and squads: names in tables, and whom an agent means by a name (spec 05 §19.1). */
import * as z from "zod";
import { RequestError, TransportError } from "../control/mod.ts";
import { sleep } from "../core/mod.ts";
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import { isUuid } from "./resolve.ts";
import type { Session } from "./session.ts";

/** Kinds of actors. */
export type ActorKind = "member" | "agent" | "squad";

/** Somebody who can be assigned. */
export interface Actor {
  readonly kind: ActorKind;
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

const text = z.string().nullish().transform((value) => value ?? "");
const rows = z.array(
  z.looseObject({ id: text, user_id: text, name: text, email: text, archived_at: z.unknown().optional() }),
).nullish().transform((list) => list ?? []);

/** Pauses before a failed look-up is tried again (spec 05 §27.4). */
const PAUSES_MS = [100, 250];

/** Looks actors up, each kind at most once a command, and only when it is needed. */
export class Actors {
  readonly #lists = new Map<ActorKind, Promise<readonly Actor[]>>();

  constructor(private readonly session: Session) {}

  /** `agent:NAME`, or `type:id` for somebody unknown; "" for nobody. A failed look-up only costs the name. */
  async display(kind: unknown, id: unknown): Promise<string> {
    if (typeof kind !== "string" || typeof id !== "string" || id === "") return "";
    if (kind !== "member" && kind !== "agent" && kind !== "squad") return `${kind}:${id}`;
    // A table without names is still a table.
    const known = await this.#list(kind).catch((): readonly Actor[] => []);
    return `${kind}:${known.find((actor) => actor.id === id)?.name || id}`;
  }

  /** Whom `--assignee NAME` and its like mean. @throws {LocalError} for nobody or several */
  async byName(input: string, kinds: readonly ActorKind[]): Promise<Actor> {
    const wanted = actorInput(input);
    if (wanted === "") throw new LocalError(`no ${kinds.join(", ")} found: the name is empty`);
    const lower = wanted.toLowerCase();
    const all = await this.#all(kinds);
    const buckets = [
      all.filter(({ id }) =>
        id.toLowerCase() === lower || [...id.toLowerCase()].slice(0, 8).join("") === lower
      ),
      all.filter(({ name, email }) =>
        name.toLowerCase() === lower || email !== "" && email.toLowerCase() === lower
      ),
      all.filter(({ name }) => name.toLowerCase().includes(lower)),
    ];
    const found = buckets.find((bucket) => bucket.length > 0) ?? [];
    if (found.length === 1) return found[0]!;
    if (found.length === 0) throw new LocalError(`no ${kinds.join(", ")} found that matches "${wanted}"`);
    const names = found.map(({ kind, name, id }) => `${kind} "${name}" (${id.slice(0, 8)})`);
    throw new LocalError(`"${wanted}" is ambiguous: ${names.join(", ")}`);
  }

  /** Whom `--assignee-id UUID` and its like mean, in the server's spelling. @throws {LocalError} */
  async byId(flag: string, input: string, kinds: readonly ActorKind[]): Promise<Actor> {
    if (!isUuid(input)) throw new LocalError(`--${flag} needs a whole UUID, not "${input}"`);
    const found = (await this.#all(kinds)).find(({ id }) => id.toLowerCase() === input.toLowerCase());
    if (found === undefined) throw new LocalError(`no ${kinds.join(", ")} has the id ${input}`);
    return found;
  }

  /** Those that can be had; fails only when none can. */
  async #all(kinds: readonly ActorKind[]): Promise<Actor[]> {
    const answers = await Promise.allSettled(kinds.map((kind) => this.#list(kind)));
    const lost = answers.filter((answer) => answer.status === "rejected").map(({ reason }) => reason);
    if (lost.length === kinds.length) {
      throw new LocalError(`cannot look up ${kinds.join(", ")}: ${lost.map(String).join("; ")}`, lost[0]);
    }
    return answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
  }

  #list(kind: ActorKind): Promise<readonly Actor[]> {
    const known = this.#lists.get(kind);
    if (known !== undefined) return known;
    const asked = this.#fetch(kind);
    this.#lists.set(kind, asked);
    return asked;
  }

  async #fetch(kind: ActorKind): Promise<readonly Actor[]> {
    const { client, workspaceId } = this.session;
    for (let attempt = 0;; attempt++) {
      try {
        const { json } = kind === "member"
          ? await client.get(`/api/workspaces/${part(workspaceId)}/members`)
          : kind === "agent"
          ? await client.get("/api/agents", { workspace_id: workspaceId })
          : await client.get("/api/squads");
        return actorsOf(kind, json);
      } catch (error) {
        const pause = PAUSES_MS[attempt];
        if (pause === undefined || error instanceof RequestError || !(error instanceof TransportError)) {
          throw error;
        }
        await sleep(client.options.clock, pause);
      }
    }
  }
}

/** What somebody typed for an actor, bare: a mention link's id, else the name without a leading `@`. */
export function actorInput(input: string): string {
  const trimmed = input.trim();
  const link = /^\[@?[^\]]*\]\(mention:\/\/(?:member|agent|squad)\/([^)]+)\)$/.exec(trimmed);
  return link === null ? trimmed.replace(/^[@＠]/, "").trim() : link[1]!;
}

function actorsOf(kind: ActorKind, json: unknown): Actor[] {
  return rows.parse(json ?? []).flatMap((row) => {
    const id = kind === "member" ? row.user_id : row.id;
    if (id === "" || kind === "squad" && typeof row.archived_at === "string") return [];
    return [{ kind, id, name: row.name, email: kind === "member" ? row.email : "" }];
  });
}
