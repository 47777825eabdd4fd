/** What discovery knows of the agent CLIs on this machine (spec 03 §6, 17.9). */

/**
 * Why a CLI cannot be used. `unavailable` is a passing fault (the probe failed or hung, the version cannot be read):
 * it adds nothing and takes nothing away (spec 06 §11.6).
 */
export type AgentFault = "not_found" | "unavailable" | "below_minimum" | "not_executable";

/** How the repair of a package is typed. */
export interface Repair {
  readonly packageName: string;
  readonly command: string;
  readonly shell: "sh" | "powershell";
}

/** One agent CLI, found or not usable. */
export interface DiscoveredAgent {
  readonly provider: string;
  /** Absolute path to launch; "" when nothing was found. */
  readonly path: string;
  /** Version line, "" when unknown. */
  readonly version: string;
  /** Wall-clock ms of the probe. */
  readonly probedAt: number;
  /** "" = usable. Otherwise one sentence of what is wrong. */
  readonly problem: string;
  /** Absent when usable. */
  readonly fault?: AgentFault;
  /** "" or what to do about it, often a command. */
  readonly fix: string;
  /** The command in `fix`, where it repairs a package. */
  readonly repair?: Repair;
  /** Nothing was found where a setting of this machine says it is: worth a word, unlike an agent nobody asked for. */
  readonly misnamed?: boolean;
}

/** What a runtime id launches: taken once, at claim (spec 01 §7.4). */
export interface LaunchTarget {
  readonly runtimeId: string;
  readonly workspaceId: string;
  readonly provider: string;
  /** Absolute path; "" when this host cannot launch it. */
  readonly executable: string;
  readonly prefixArgs: readonly string[];
  readonly version: string;
  /** "" for built-in runtimes. */
  readonly profileId: string;
  /** Why `executable` is "". */
  readonly problem: string;
}
