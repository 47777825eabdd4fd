/** What the commands of `multica` have in common: where they print, what they were given, how a command is declared. */
import type { Clock } from "../core/mod.ts";
import type { Given } from "./grammar.ts";
import type { Session } from "./session.ts";

/** The process around a command. */
export interface AgentIo {
  /** Absolute working directory. */
  readonly cwd: string;
  /** Writes text to stdout as it is. */
  readonly out: (text: string) => void;
  /** Writes text to stderr as it is. */
  readonly err: (text: string) => void;
  /** Everything on stdin. */
  readonly stdin: () => Promise<Uint8Array>;
  readonly clock: Clock;
}

/** Environment of the process. */
export type Env = Readonly<Record<string, string>>;

/** One run of a command. */
export interface Call {
  readonly given: Given;
  /** Positional arguments. */
  readonly args: readonly string[];
  readonly env: Env;
  readonly io: AgentIo;
  /** Who calls and where; made when first asked for, so that local checks come before it. */
  readonly session: () => Promise<Session>;
}

/** Does the command and gives its exit code. */
export type Action = (call: Call) => Promise<number>;

/** How a flag takes its value: `slice` splits each value on commas as one CSV record, `array` does not. */
export type FlagKind = "text" | "bool" | "int" | "slice" | "array";

/** One flag. */
export interface FlagSpec {
  readonly name: string;
  readonly kind: FlagKind;
  readonly about: string;
  /** One letter. */
  readonly short?: string;
  readonly otherwise?: string;
}

/** One command. */
export interface CommandSpec {
  /** Words that name it, `["issue", "get"]`. */
  readonly path: readonly string[];
  readonly about: string;
  /** Names of the positional arguments; a trailing `?` makes one optional. */
  readonly args: readonly string[];
  readonly flags: readonly FlagSpec[];
  /** Other last words it answers to. */
  readonly aliases?: readonly string[];
  readonly load: () => Promise<Action>;
}
