/** A stopped default profile while `local` runs is probably not what was meant. */
import { readHealth } from "../api/mod.ts";
import { healthPort } from "../config/mod.ts";
import type { CliContext } from "./context.ts";

/** True when no profile was named and the host of `multica-host local` runs. */
export async function localRuns({ profile, machine }: CliContext): Promise<boolean> {
  if (profile !== "") return false;
  const local = await readHealth(healthPort("local"), { clock: machine.clock });
  return local.kind === "up" && local.health.profile === "local";
}
