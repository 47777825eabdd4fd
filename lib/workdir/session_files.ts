/** Whether a CLI's own record of a session is on this machine (spec 04 §20.1; decisions). */
import { join } from "node:path";
import { errorText, getLog } from "../core/mod.ts";
import { findRollouts } from "./codex_home_sessions.ts";

const log = getLog("workdir", "session");

/** "unknown" = nobody can tell, so the CLI is asked. */
export type SessionRecord = "present" | "missing" | "unknown";

/** Project directories looked through when the expected one has no record. */
const MAX_PROJECTS = 2_000;

/** What is looked at. */
export interface SessionPlaces {
  readonly provider: string;
  readonly workDir: string;
  readonly home: string;
  /** The agent's environment as far as it moves a CLI's home. */
  readonly env: Readonly<Record<string, string>>;
}

/** Looks for the record of a session. Never throws. */
export async function sessionRecord(places: SessionPlaces, sessionId: string): Promise<SessionRecord> {
  if (!/^[A-Za-z0-9_.-]+$/.test(sessionId)) return "unknown";
  try {
    if (places.provider === "claude") return await claudeRecord(places, sessionId);
    if (places.provider === "codex") return await codexRecord(places.env.CODEX_HOME ?? "", sessionId);
    return "unknown";
  } catch (error) {
    log.debug("session record not found out", { provider: places.provider, error: errorText(error) });
    return "unknown";
  }
}

async function codexRecord(codexHome: string, sessionId: string): Promise<SessionRecord> {
  if (codexHome === "") return "unknown";
  try {
    return (await findRollouts(join(codexHome, "sessions"), sessionId)).length > 0 ? "present" : "missing";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    throw error;
  }
}

/** Claude keeps `projects/<directory with dashes>/<session>.jsonl`. A missing file has to be missing everywhere. */
async function claudeRecord(
  { workDir, home, env }: SessionPlaces,
  sessionId: string,
): Promise<SessionRecord> {
  const projects = join((env.CLAUDE_CONFIG_DIR ?? "").trim() || join(home, ".claude"), "projects");
  const name = `${sessionId}.jsonl`;
  const expected = (await Deno.realPath(workDir)).replace(/[^A-Za-z0-9]/g, "-");
  if (await isFile(join(projects, expected, name))) return "present";
  let looked = 0;
  try {
    for await (const project of Deno.readDir(projects)) {
      if (!project.isDirectory) continue;
      if (++looked > MAX_PROJECTS) return "unknown";
      if (await isFile(join(projects, project.name, name))) return "present";
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return "missing";
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
