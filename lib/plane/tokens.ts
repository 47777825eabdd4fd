/** Users and tokens: minted, stored as SHA-256, looked up per request (spec 01 §2). */
import { createHash, randomBytes } from "node:crypto";
import { rfc3339, type Store } from "./store.ts";
import { type Principal, Refusal } from "./types.ts";

const DAY_MS = 86_400_000;
/** Life of a task token (spec 01 §2.1). */
const TASK_TOKEN_MS = DAY_MS;
/** Remaining life at which a renewal moves the expiry, and how far (spec 01 §4.1). */
const RENEW_WITHIN_MS = 7 * DAY_MS;
const RENEW_TO_MS = 90 * DAY_MS;

type TokenKind = Principal["tokenKind"];

interface TokenDb {
  readonly hash: string;
  readonly kind: TokenKind;
  readonly user_id: string | null;
  readonly workspace_id: string | null;
  readonly daemon_id: string | null;
  readonly agent_id: string | null;
  readonly task_id: string | null;
  readonly expires_at: number | null;
}

/** What a new token is bound to. */
export interface TokenBinding {
  readonly userId?: string | null;
  readonly workspaceId?: string;
  readonly daemonId?: string;
  readonly agentId?: string;
  readonly taskId?: string;
  /** Milliseconds since the epoch; null or absent = never. */
  readonly expiresAt?: number | null;
}

/** Stores a token under its SHA-256 and returns it; `secret` fixes the text (tests, local mode). */
export function mintToken(store: Store, kind: TokenKind, binding: TokenBinding, secret?: string): string {
  const token = secret ?? `${kind}_${randomBytes(20).toString("hex")}`;
  store.db.run(
    `INSERT OR REPLACE INTO tokens (hash, kind, user_id, workspace_id, daemon_id, agent_id, task_id, expires_at, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    hashToken(token),
    kind,
    binding.userId ?? null,
    binding.workspaceId ?? null,
    binding.daemonId ?? null,
    binding.agentId ?? null,
    binding.taskId ?? null,
    binding.expiresAt ?? null,
    store.now(),
  );
  return token;
}

/** The agent's credential for one claim: acts as the agent for the runtime's owner, 24 h (spec 01 §5.5). */
export function mintTaskToken(
  store: Store,
  task: { readonly id: string; readonly agent_id: string; readonly workspace_id: string },
  ownerId: string,
): string {
  return mintToken(store, "mat", {
    userId: ownerId,
    workspaceId: task.workspace_id,
    agentId: task.agent_id,
    taskId: task.id,
    expiresAt: store.now() + TASK_TOKEN_MS,
  });
}

/** Ends every token of a task (complete, fail). */
export function dropTaskTokens(store: Store, taskId: string): void {
  store.db.run("DELETE FROM tokens WHERE task_id = ?", taskId);
}

/** Makes a token invalid from now on. */
export function revokeToken(store: Store, token: string): void {
  store.db.run("DELETE FROM tokens WHERE hash = ?", hashToken(token));
}

/** Lower-case hex SHA-256 of the whole token. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/**
 * Authenticates a request for daemon routes ("D": `mul_`, `mdt_`) or user routes ("U": `mul_`, `mat_`).
 * @throws {Refusal} 401 with the texts of spec 01 §2.2.
 */
export function authenticate(store: Store, header: string | null, audience: "D" | "U"): Principal {
  if (header === null || header === "") throw new Refusal(401, "missing authorization header");
  const token = header.startsWith("Bearer ") ? header.slice(7).trim() : "";
  if (token === "") throw new Refusal(401, "invalid authorization format");
  const other: TokenKind = audience === "D" ? "mat" : "mdt";
  const invalid = token.startsWith("mdt_") && audience === "D" ? "invalid daemon token" : "invalid token";
  const row = store.db.get<TokenDb>("SELECT * FROM tokens WHERE hash = ?", hashToken(token));
  if (row === undefined || row.kind === other || row.expires_at !== null && row.expires_at <= store.now()) {
    throw new Refusal(401, invalid);
  }
  return {
    kind: row.kind === "mul" ? "user" : row.kind === "mdt" ? "daemon" : "task",
    tokenKind: row.kind,
    tokenHash: row.hash,
    userId: row.user_id,
    workspaceId: row.workspace_id,
    daemonId: row.daemon_id,
    agentId: row.agent_id,
    taskId: row.task_id,
    expiresAt: row.expires_at,
  };
}

/** Moves the expiry of a personal token that has 7 days or less left (spec 01 §4.1). */
export function renewToken(store: Store, who: Principal): { expires_at: string; renewed: boolean } {
  if (who.tokenKind !== "mul") throw new Refusal(400, "only personal access tokens can be renewed");
  if (who.expiresAt === null) return { expires_at: "", renewed: false };
  if (who.expiresAt - store.now() > RENEW_WITHIN_MS) {
    return { expires_at: rfc3339(who.expiresAt) ?? "", renewed: false };
  }
  const next = store.now() + RENEW_TO_MS;
  const changed = store.db.run(
    "UPDATE tokens SET expires_at = ? WHERE hash = ? AND expires_at = ?",
    next,
    who.tokenHash,
    who.expiresAt,
  );
  return { expires_at: rfc3339(next) ?? "", renewed: changed === 1 };
}

/** Creates a user. */
export function createUser(
  store: Store,
  user: { name: string; email?: string; profileDescription?: string },
): string {
  const id = store.newId();
  store.db.run(
    "INSERT INTO users (id, name, email, profile_description, created_at) VALUES (?, ?, ?, ?, ?)",
    id,
    user.name,
    user.email ?? "",
    user.profileDescription ?? "",
    store.now(),
  );
  return id;
}
