/** Where a task's Codex keeps its sessions, and how an earlier one comes along (spec 04 §7.2, 20.6). */
import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { errorText, getLog, openFiles, type WorkFiles } from "../core/mod.ts";

const log = getLog("workdir", "codex");

/** Whose conversation it is. */
export interface CodexConversation {
  /** The user's own Codex home. */
  readonly shared: string;
  /** "" = the default profile. */
  readonly profile: string;
  readonly agentId: string;
  /** Issue id, or `chat_<chat id>`; "" = the task belongs to no conversation. */
  readonly conversation: string;
}

/** What {@link placeCodexSessions} works on. */
export interface CodexSessionsInput extends CodexConversation {
  /** Access below the env root. */
  readonly files: WorkFiles;
  /** `<env>/codex-home`. */
  readonly codexHome: string;
  /** The env root is new each time, the conversation is not: its sessions live beside the user's own. */
  readonly isLocalDirectory: boolean;
  /** Session to be resumed, "" for none. */
  readonly priorSessionId: string;
  /** Milliseconds since the epoch: the store's mark of use, for the collector. Undefined leaves it unmarked. */
  readonly nowMs: number | undefined;
  readonly link: (path: string, target: string) => Promise<void>;
}

/** `<shared>/multica-sessions/<namespace>/<agent id or _>/<conversation>`; profiles never prune each other's. */
export function codexSessionStore({ shared, profile, agentId, conversation }: CodexConversation): string {
  const sum = createHash("sha256").update(profile).digest("hex");
  return join(
    shared,
    "multica-sessions",
    profile === "" ? "default" : `p_${sum}`,
    agentId || "_",
    conversation,
  );
}

/**
 * A fresh managed root gets an empty directory, and a real directory is left alone: Codex indexes every rollout it sees,
 * and the user's whole history stalled the start. A user's directory and a link of older hosts get the conversation's store.
 */
export async function placeCodexSessions(input: CodexSessionsInput): Promise<void> {
  const { files, codexHome, conversation, isLocalDirectory } = input;
  const path = join(codexHome, "sessions");
  const there = await files.lstat(path);
  if (there?.kind === "dir") return;
  const store = conversation === "" || !isLocalDirectory && there?.kind !== "link"
    ? ""
    : codexSessionStore(input);
  const target = there?.kind === "link" ? await Deno.readLink(path) : "";
  if (there !== undefined && target !== store) await dropIndexes(files, codexHome);
  if (there !== undefined && (store === "" || target !== store)) await files.remove(path);
  if (store === "") return await files.mkdir(path);
  await mount(input, store);
  if (target !== store) await input.link(path, store);
}

/** Makes the store, with the one transcript that is resumed in it. */
async function mount({ shared, priorSessionId, nowMs }: CodexSessionsInput, store: string): Promise<void> {
  const files = await openFiles(shared);
  await files.mkdir(store);
  if (nowMs !== undefined) await Deno.utime(store, new Date(nowMs), new Date(nowMs));
  if (!/^[A-Za-z0-9_-]+$/.test(priorSessionId)) return;
  if ((await rollouts(store, priorSessionId)).length > 0) return;
  const sessions = join(shared, "sessions");
  for (const from of await rollouts(sessions, priorSessionId)) {
    const to = join(store, relative(sessions, from));
    await files.mkdir(dirname(to));
    // One transcript, two names: a copy would be a second truth.
    await Deno.link(from, to).catch((error: unknown) =>
      log.warn("earlier codex session not brought along", { path: from, error: errorText(error) })
    );
  }
}

async function rollouts(root: string, sessionId: string): Promise<string[]> {
  try {
    return await findRollouts(root, sessionId);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.warn("codex sessions not read", { root, error: errorText(error) });
    }
    return [];
  }
}

/** Rollouts of a session, flat or in `YYYY/MM/DD`, the newest day's. @throws what reading the directories throws */
export async function findRollouts(root: string, sessionId: string, depth = 3): Promise<string[]> {
  const found: string[] = [];
  const dirs: string[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(root)) {
    if (isDirectory && depth > 0) dirs.push(join(root, name));
    if (isFile && name.startsWith("rollout-") && name.includes(`-${sessionId}.jsonl`)) {
      found.push(join(root, name));
    }
  }
  for (const dir of dirs.sort().reverse()) {
    if (found.length > 0) break;
    found.push(...await findRollouts(dir, sessionId, depth - 1));
  }
  return found;
}

/** The old index knows every session of the user's; Codex makes a new one. Goals, logs and memories stay. */
async function dropIndexes(files: WorkFiles, codexHome: string): Promise<void> {
  for (const { name } of await files.list(codexHome) ?? []) {
    if (/^state_.*\.sqlite(?:-shm|-wal)?$/.test(name)) await files.remove(join(codexHome, name));
  }
}
