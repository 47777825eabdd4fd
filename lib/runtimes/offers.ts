/** What one workspace is offered: built-in agents and custom runtime profiles, resolved on this machine (spec 01 §7.4). */
import type { FailedProfile, RuntimeOffer, RuntimeProfile } from "../control/mod.ts";
import { errorText, getLog } from "../core/mod.ts";
import type { ProfileSpec, RuntimeRegistry } from "./registry.ts";
import type { DiscoveredAgent } from "./types.ts";

const log = getLog("runtimes");

/** Answer to "may this host run that command, and where is it" (the supervisor's policy). */
export interface ResolvedCommand {
  readonly path: string;
  readonly version: string;
  /** "" when resolved. Shown to the user as the profile's failure. */
  readonly reason: string;
}

/** Asks for a custom profile's command. */
export type ResolveCommand = (
  request: { command: string; profileId: string; prefixArgs: readonly string[] },
) => Promise<ResolvedCommand>;

/** The two lists of a register request. */
export interface Offers {
  readonly runtimes: readonly RuntimeOffer[];
  readonly failed: readonly FailedProfile[];
}

/** What {@link collectOffers} needs. */
export interface OfferPorts {
  readonly registry: RuntimeRegistry;
  readonly agents: () => readonly DiscoveredAgent[];
  /** Provider families a custom profile may have (spec 01 §4.7). */
  readonly families: ReadonlySet<string>;
  readonly resolve: ResolveCommand;
  readonly deviceName: string;
}

/**
 * Resolves everything this machine can offer a workspace with these profiles. Never throws for one bad profile.
 * `kept` are built-in providers offered although they are not usable now: tasks of theirs still run.
 */
export async function collectOffers(
  ports: OfferPorts,
  profiles: readonly RuntimeProfile[],
  kept: ReadonlySet<string> = new Set(),
): Promise<Offers> {
  const runtimes = builtinOffers(ports);
  const offered = new Set(runtimes.map((offer) => offer.type));
  for (const provider of kept) if (!offered.has(provider)) runtimes.push(builtinOffer(ports, provider, ""));
  const failed: FailedProfile[] = [];
  for (const outcome of await Promise.all(profiles.map((profile) => resolveProfile(ports, profile)))) {
    if (outcome === undefined) continue;
    if ("reason" in outcome) failed.push(outcome);
    else runtimes.push(outcome);
  }
  return { runtimes, failed };
}

/** The built-in agents as a register request names them. */
export function builtinOffers(ports: Pick<OfferPorts, "agents" | "deviceName">): RuntimeOffer[] {
  return ports.agents()
    .filter((agent) => agent.problem === "" && agent.path !== "")
    .map((agent) => builtinOffer(ports, agent.provider, agent.version));
}

function builtinOffer(
  { deviceName }: Pick<OfferPorts, "deviceName">,
  provider: string,
  version: string,
): RuntimeOffer {
  return { name: displayName(capitalised(provider), deviceName), type: provider, version, status: "online" };
}

/** True when the command of a profile that failed before is there by now. */
export async function nowResolves(
  ports: Pick<OfferPorts, "families" | "resolve">,
  profile: RuntimeProfile,
): Promise<boolean> {
  if (!ports.families.has(profile.protocol_family.trim())) return false;
  const request = {
    command: profile.command_name.trim(),
    profileId: profile.id,
    prefixArgs: profile.fixed_args,
  };
  return await ports.resolve(request).then((answer) => answer.reason === "", () => false);
}

async function resolveProfile(
  ports: OfferPorts,
  profile: RuntimeProfile,
): Promise<RuntimeOffer | FailedProfile | undefined> {
  const family = profile.protocol_family.trim();
  const command = profile.command_name.trim();
  if (family === "" || command === "") {
    log.warn("profile unusable: family or command is missing", { profile_id: profile.id });
    return undefined;
  }
  if (!ports.families.has(family)) return failure(ports, profile, `unsupported protocol_family: ${family}`);
  let resolved: ResolvedCommand;
  try {
    resolved = await ports.resolve({ command, profileId: profile.id, prefixArgs: profile.fixed_args });
  } catch (error) {
    resolved = { path: "", version: "", reason: errorText(error) };
  }
  if (resolved.reason !== "") return failure(ports, profile, resolved.reason);
  const spec: ProfileSpec = {
    path: resolved.path,
    prefixArgs: profile.fixed_args,
    version: resolved.version,
  };
  ports.registry.setProfile(profile.id, spec);
  log.info("profile registered", { profile_id: profile.id, command: resolved.path });
  return {
    name: displayName(profile.display_name, ports.deviceName),
    type: family,
    version: resolved.version,
    status: "online",
    profile_id: profile.id,
  };
}

function failure(ports: OfferPorts, profile: RuntimeProfile, reason: string): FailedProfile {
  ports.registry.dropProfile(profile.id);
  log.info("profile cannot be launched here", { profile_id: profile.id, reason });
  return { profile_id: profile.id, command_name: profile.command_name, reason };
}

/** `Claude (build-box)`; without a device name just the name (spec 03 §4.3). */
export function displayName(name: string, deviceName: string): string {
  return deviceName === "" ? name : `${name} (${deviceName})`;
}

function capitalised(provider: string): string {
  return provider.charAt(0).toUpperCase() + provider.slice(1);
}
