/** The headers that say who calls (spec 01 §1.2, 02 §2.2). */

/**
 * Capabilities of this host. Advertise only what is implemented: servers gate payloads on them (spec 01 §11.1). The
 * first is all a baseline server looks for.
 */
export const CLIENT_CAPABILITIES: readonly string[] = ["skill-bundles-v1", "coalesced-comments-v1"];

/** What the socket advertises on top. */
export const SOCKET_CAPABILITIES: readonly string[] = [...CLIENT_CAPABILITIES, "rpc-v1"];

/** Who calls. */
export interface ClientIdentity {
  /** Host version; "" = unknown. */
  readonly version: string;
  /** Operating system as the server names it. Default: this machine's. */
  readonly os?: string;
  /** Platform header. Default `daemon`. */
  readonly platform?: string;
}

/** The server's name for an operating system. */
export function osName(os: string = Deno.build.os): string {
  return os === "darwin" ? "macos" : os;
}

/** Identity headers, and the bearer when there is a token. */
export function clientHeaders(
  identity: ClientIdentity,
  token: string,
  capabilities: readonly string[],
): Record<string, string> {
  const os = identity.os ?? osName();
  return {
    ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
    "X-Client-Platform": identity.platform ?? "daemon",
    ...(identity.version === "" ? {} : { "X-Client-Version": identity.version }),
    ...(os === "" ? {} : { "X-Client-OS": os }),
    "X-Client-Capabilities": capabilities.join(","),
  };
}
