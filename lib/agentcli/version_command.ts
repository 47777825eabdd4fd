/** `multica version` (spec 05 §15; 03 §12.5). */
import { archName, BUILD_DATE, COMMIT, platformName, VERSION } from "../core/mod.ts";
import { jsonText, wantsJson } from "./output.ts";
import type { Call } from "./types.ts";

/** The first line, and what `--version` prints. */
export function versionLine(): string {
  return `multica ${VERSION} (commit: ${COMMIT}, built: ${BUILD_DATE})\n`;
}

/** Prints version, build and platform. */
export function versionCommand(call: Call): Promise<number> {
  const [os, arch] = [platformName(), archName()];
  if (wantsJson(call, "table")) {
    call.io.out(jsonText({ version: VERSION, commit: COMMIT, date: BUILD_DATE, go: "", os, arch }));
  } else call.io.out(`${versionLine()}deno: ${Deno.version.deno}, os/arch: ${os}/${arch}\n`);
  return Promise.resolve(0);
}
