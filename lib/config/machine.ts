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

function readHostname(): string {
  try {
    return Deno.hostname();
  } catch {
    // Spec 03 §4.3: a host name that is not available is "local-machine".
    return "";
  }
}
