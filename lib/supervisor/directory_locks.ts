/**
 * One run at a time in a user's directory, among all hosts of this user: each profile has a host of its own, and a lock in
 * memory knows nothing of the others (spec 04 §10.4). A lock is a file in `~/.multica/local_directories` that names its host.
 */
import { join } from "node:path";
import * as z from "zod";
import { readHealth } from "../api/mod.ts";
import { type Clock, currentPlatform, errorText, getLog, isBelow } from "../core/mod.ts";

const log = getLog("supervisor", "directory locks");

const ticketSchema = z.object({
  path: z.string(),
  task: z.string(),
  pid: z.int(),
  /** Local API of the host that has it. */
  port: z.int(),
});

/** What one lock says. */
export type Ticket = z.infer<typeof ticketSchema>;

/** The answer to {@link DirectoryLocks.take}; `holder` is the task that has the directory. */
export type LockAnswer = { readonly held: true } | { readonly held: false; readonly holder: string };

export interface DirectoryLocksOptions {
  /** Where the locks of all hosts lie; made when it is needed. */
  readonly dir: string;
  /** This host. */
  readonly pid: number;
  readonly port: number;
  /** Whether the host of a lock still runs. @default asks its local API */
  readonly alive?: (ticket: Ticket) => Promise<boolean>;
  readonly clock: Clock;
}

/** Owner of this host's locks on disk. Within the host the engine's own locks decide. */
export class DirectoryLocks {
  readonly #held = new Map<string, string>();

  constructor(private readonly options: DirectoryLocksOptions) {}

  /**
   * Takes a directory unless a living host has it, or one above or below it. Of two that come at the same moment each writes
   * before it looks, so that both may be refused but never both succeed. A disk that takes no lock is a warning: the task goes on.
   */
  async take(path: string, task: string): Promise<LockAnswer> {
    const { dir, pid, port } = this.options;
    const name = `${pid}-${crypto.randomUUID()}.json`;
    const temporary = join(dir, `.${name}`);
    try {
      await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
      await Deno.writeTextFile(temporary, JSON.stringify({ path, task, pid, port }), { mode: 0o600 });
      await Deno.rename(temporary, join(dir, name));
      const holder = await this.#holder(path);
      if (holder !== undefined) {
        await Deno.remove(join(dir, name));
        return { held: false, holder: holder.task };
      }
    } catch (error) {
      log.warn("directory not locked against other hosts", { path, error: errorText(error) });
      this.#remove(`.${name}`);
    }
    this.#held.set(`${task} ${path}`, name);
    return { held: true };
  }

  /** Gives a directory back. Idempotent. */
  release(path: string, task: string): void {
    const key = `${task} ${path}`;
    const name = this.#held.get(key);
    if (name === undefined) return;
    this.#held.delete(key);
    this.#remove(name);
  }

  /** Gives everything back: nothing of this host works anywhere any more. */
  releaseAll(): void {
    for (const name of this.#held.values()) this.#remove(name);
    this.#held.clear();
  }

  /** The lock of another living host that stands in the way. Locks of dead hosts are removed on the way. */
  async #holder(path: string): Promise<Ticket | undefined> {
    const { dir, pid, alive = (ticket) => hostLives(ticket, this.options.clock) } = this.options;
    for await (const { name } of Deno.readDir(dir)) {
      if (name.startsWith(".") || name.startsWith(`${pid}-`)) continue;
      const ticket = await readTicket(join(dir, name));
      if (ticket === undefined) continue;
      if (!isBelow(ticket.path, path) && !isBelow(path, ticket.path)) continue;
      if (await alive(ticket)) return ticket;
      this.#remove(name);
    }
    return undefined;
  }

  #remove(name: string): void {
    try {
      Deno.removeSync(join(this.options.dir, name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
      log.warn("lock of a directory not removed", { name, error: errorText(error) });
    }
  }
}

async function readTicket(file: string): Promise<Ticket | undefined> {
  try {
    return ticketSchema.parse(JSON.parse(await Deno.readTextFile(file)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.warn("lock of a directory not readable", { file, error: errorText(error) });
    }
    return undefined;
  }
}

/** A host answers on its port with its pid. When somebody else does, or nobody in time, the pid alone decides. */
async function hostLives({ port, pid }: Ticket, clock: Clock): Promise<boolean> {
  const answer = await readHealth(port, { clock });
  if (answer.kind === "down") return false;
  if (answer.kind === "up") return answer.health.pid === pid;
  return currentPlatform().alive({ pid, group: false });
}
