/** The platform this program runs on. */
import { darwinPlatform } from "./darwin.ts";
import { linuxPlatform } from "./linux.ts";
import type { ProcessPlatform } from "./types.ts";
import { windowsPlatform } from "./windows.ts";

/** Darwin, Windows, or Linux (also for the other Unixes with a Linux-like `/proc`). */
export function currentPlatform(): ProcessPlatform {
  if (Deno.build.os === "darwin") return darwinPlatform;
  return Deno.build.os === "windows" ? windowsPlatform : linuxPlatform;
}
