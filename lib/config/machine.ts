/** What the settings are worked out on: environment, home, host name. The only place that reads the environment. */
import { type Clock, HostError, systemClock } from "../core/mod.ts";
import { type ConfigFiles, realFiles } from "./files.ts";

/** The machine and user as parameters. */
export interface Machine {
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly hostname: string;
  readonly cwd: string;
  /** True when a person sits at a terminal (stderr). */
  readonly terminal: boolean;
  readonly files: ConfigFiles;
  readonly clock: Clock;
}

/** This machine. @throws {HostError} when the home directory is unknown. */
export function readMachine(): Machine {
  const env = Deno.env.toObject();
  const home = (Deno.build.os === "windows" ? env["USERPROFILE"] : env["HOME"])?.trim() ?? "";
  if (home === "") {
    throw new HostError("Cannot tell your home directory: HOME is not set", {
      code: "home_unknown",
      hint: "set HOME (in a service unit: Environment=HOME=/home/NAME)",
    });
  }
  return {
    env,
    home,
    hostname: readHostname(),
    cwd: Deno.cwd(),
    terminal: Deno.stderr.isTerminal(),
    files: realFiles,
    clock: systemClock,
  };
}

/** True when `MULTICA_DEBUG` asks for debug lines in errors (spec 03 §13.3). */
export function debugInEnvironment(): boolean {
  const value = (Deno.env.get("MULTICA_DEBUG") ?? "").trim().toLowerCase();
  return !["", "0", "false", "no", "off"].includes(value);
}

/**
 * Keeps requests to this machine away from a configured proxy, for this process and its threads: the runtime's `fetch`
 * sends even `127.0.0.1` through `HTTP_PROXY` unless `NO_PROXY` names it (measured).
 */
export function keepLoopbackDirect(): void {
  const proxied = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].some((name) => Deno.env.get(name));
  if (!proxied) return;
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const hosts = (Deno.env.get(name) ?? "").split(",").map((host) => host.trim()).filter((host) =>
      host !== ""
    );
    if (name === "no_proxy" && hosts.length === 0) continue;
    Deno.env.set(name, [...new Set([...hosts, "127.0.0.1", "localhost"])].join(","));
  }
}

function readHostname(): string {
  try {
    return Deno.hostname();
  } catch {
    // Spec 03 §4.3: a host name that is not available is "local-machine".
    return "";
  }
}
