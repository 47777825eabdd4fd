/** Cursor's MCP logins, brought into the task's own data directory on the agent's wish (spec 04 §20.11). */
import { basename, isAbsolute, join } from "node:path";
import { errorText, getLog, type WorkFiles } from "../core/mod.ts";
import { readHomeFile } from "./provider_homes_files.ts";

const log = getLog("workdir", "cursor");
const NAME = "mcp-auth.json";

/** Where the logins come from and go to. */
export interface CursorAuthInput {
  readonly files: WorkFiles;
  /** Project directory inside the task's `CURSOR_DATA_DIR`. */
  readonly projectDir: string;
  /** `CURSOR_MCP_AUTH_SOURCE` of the agent's environment: `mcp-auth.json` or its directory, "" for none. */
  readonly source: string;
  readonly home: string;
  readonly link: (path: string, target: string) => Promise<void>;
}

/** Links the file, else copies it. An earlier one goes first, also when the variable is gone. */
export async function placeCursorAuth(input: CursorAuthInput): Promise<void> {
  const { files, projectDir, home, link } = input;
  const place = join(projectDir, NAME);
  await files.remove(place);
  const source = input.source.trim().replace(/^~(?=$|[/\\])/, home);
  if (source === "") return;
  if (!isAbsolute(source)) {
    return log.warn("CURSOR_MCP_AUTH_SOURCE must be absolute or begin with ~, left out");
  }
  const target = basename(source) === NAME ? source : join(source, NAME);
  try {
    const text = await readHomeFile(target, [home]);
    if (text === undefined) return log.warn("Cursor's MCP logins are not there", { path: target });
    await link(place, target).catch(() => files.writeAtomic(place, text, { mode: 0o600 }));
  } catch (error) {
    log.warn("Cursor's MCP logins not brought along", { path: target, error: errorText(error) });
  }
}
