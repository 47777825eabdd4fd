/** How this very program is started again: by the programs it writes for agents. */
import { fileURLToPath } from "node:url";

/** Program and leading arguments. Resolved once a process: an update moves the file (guides: `Deno.execPath()`). */
export function ownCommand(): readonly [string, ...string[]] {
  return own ??= Deno.build.standalone ? [Deno.execPath()] : fromSource();
}

let own: readonly [string, ...string[]] | undefined;

/** The configuration is named: agents start it in directories that may have one of their own. */
function fromSource(): readonly [string, ...string[]] {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  return [Deno.execPath(), "run", "-q", "-A", `--config=${config}`, main];
}
