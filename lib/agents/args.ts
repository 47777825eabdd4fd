/** Custom arguments: the filter that keeps the protocol intact, the launch prefix, and what may be logged. */
import { getLog } from "../core/mod.ts";
import type { RunRequest } from "./contract.ts";

const log = getLog("agents");

/**
 * Flags a backend keeps for itself: `value` takes the next token along, `none` stands alone, `optional` takes the
 * next token only when it does not start with `-` (spec 06 §2.3, §11.3).
 */
export type BlockedFlags = Readonly<Record<string, "value" | "none" | "optional">>;

/** Drops the flags of `blocked`; the rest comes back unquoted. Copies, never changes its input (spec 06 §2.3). */
export function filterArgs(provider: string, args: readonly string[], blocked: BlockedFlags): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const token = unquote(args[i]!);
    const flag = flagName(token);
    const mode = Object.hasOwn(blocked, flag) ? blocked[flag] : undefined;
    if (mode === undefined) {
      kept.push(token);
      continue;
    }
    log.warn("blocked agent argument dropped", { provider, flag });
    if (flag === token && takesNext(mode, args[i + 1])) i++;
  }
  return kept;
}

/**
 * Filters a launch prefix: positionals (sub-commands of a wrapper) always stay (spec 06 §11.3).
 * `hostArgs` are the arguments that follow; a flag that is in both is logged, the host's stands later and wins.
 */
export function filterPrefix(
  provider: string,
  prefix: readonly string[],
  blocked: BlockedFlags,
  hostArgs: readonly string[] = [],
): string[] {
  const flagsOnly = Object.fromEntries(Object.entries(blocked).filter(([flag]) => flag.startsWith("-")));
  const kept = filterArgs(provider, prefix, flagsOnly);
  const host = new Set(hostArgs.filter((token) => token.startsWith("-")).map(flagName));
  for (const token of kept) {
    if (token.startsWith("-") && host.has(flagName(token))) {
      log.info("launch prefix repeats a host argument", { provider, flag: flagName(token) });
    }
  }
  return kept;
}

/** `<prefix> <protocol> <extra> <custom>`, the user's parts filtered by `blocked` (spec 06 §11.3). */
export function argumentVector(
  request: Pick<RunRequest, "provider" | "prefixArgs" | "extraArgs" | "customArgs">,
  blocked: BlockedFlags,
  protocol: readonly string[],
): string[] {
  const { provider } = request;
  return [
    ...filterPrefix(provider, request.prefixArgs, blocked, protocol),
    ...protocol,
    ...filterArgs(provider, request.extraArgs, blocked),
    ...filterArgs(provider, request.customArgs, blocked),
  ];
}

/** Text before the first `=` that is not the first character, else the whole token. */
export function flagName(token: string): string {
  const at = token.indexOf("=");
  return at > 0 ? token.slice(0, at) : token;
}

/** `flag value`, or nothing for an empty value. */
export function option(flag: string, value: string): string[] {
  return value === "" ? [] : [flag, value];
}

function takesNext(mode: "value" | "none" | "optional", next: string | undefined): boolean {
  return mode === "value" || mode === "optional" && next !== undefined && !next.startsWith("-");
}

/** Strips one layer of matching shell quotes, of the value only for `--flag='value'`. No escapes. */
export function unquote(token: string): string {
  const at = token.startsWith("-") ? token.indexOf("=") : -1;
  if (at > 0) return token.slice(0, at + 1) + strip(token.slice(at + 1));
  return strip(token);
}

function strip(text: string): string {
  const quote = text[0];
  if (text.length < 2 || quote !== "'" && quote !== '"' || !text.endsWith(quote)) return text;
  return text.slice(1, -1);
}

const LOGGABLE_FLAG = /^(?:-[A-Za-z]|--[A-Za-z0-9._-]{1,62})$/;

/**
 * What of a command line may be logged: flag names and the backend's own sub-commands; every other token is
 * `<redacted>` (spec 06 §11.8).
 */
export function loggableArgs(args: readonly string[], subCommands: readonly string[] = []): string[] {
  return args.map((token) => {
    const name = flagName(token);
    if (token.startsWith("-") && LOGGABLE_FLAG.test(name)) return name;
    return subCommands.includes(token) ? token : "<redacted>";
  });
}
