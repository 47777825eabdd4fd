/** `multica-host daemon start|restart`: older names for running the host (spec 03 §7). */
import { readHealth } from "../api/mod.ts";
import { healthPort } from "../config/mod.ts";
import { HostError, sleep } from "../core/mod.ts";
import { type CliContext, profileFlag } from "./context.ts";
import { host } from "./host.ts";
import { stop } from "./stop.ts";

type Options = Readonly<Record<string, unknown>>;

/** Runs the host here; there is no background start yet. */
export function start(context: CliContext, options: Options): Promise<number> {
  if (options["foreground"] === true) return host(context);
  const flag = profileFlag(context.profile);
  throw new HostError("Starting in the background is not part of this version yet", {
    code: "background_not_available",
    hint: `multica-host${flag} runs it in this terminal; a service manager can do the same in the background`,
  });
}

/** Stops the running host, waits for its end, and runs a new one here. */
export async function restart(context: CliContext, options: Options): Promise<number> {
  if (options["foreground"] !== true) return start(context, options);
  const { clock } = context.machine;
  await stop(context, {});
  while ((await readHealth(healthPort(context.profile), { clock })).kind === "up") await sleep(clock, 250);
  return await host(context);
}
