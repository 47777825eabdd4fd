/** What this build is. */
import project from "../../deno.json" with { type: "json" };

/** Version the server sees as `cli_version`; without decoration (spec 03 §9.1). */
export const VERSION: string = project.version;

/** Commit and date of the build; releases stamp them. */
export const COMMIT: string = "unknown";
export const BUILD_DATE: string = "unknown";

/** The platform in the protocol's words: `darwin`, `linux`, `windows` (spec 03 §9.1). */
export function platformName(): string {
  return Deno.build.os;
}

/** `amd64` or `arm64` (spec 03 §12.5). */
export function archName(): string {
  return Deno.build.arch === "x86_64" ? "amd64" : "arm64";
}
