/** Versions of agent CLIs: the line they print, the numbers in it, the minimum they must reach (spec 03 §6.4, 06 §2.10). */

/** Major, minor, patch. */
export type Version = readonly [number, number, number];

const VERSION = /v?(\d+)\.(\d+)\.(\d+)/;

/** The first line with a version in it, trimmed and whole; without one the whole trimmed output. */
export function versionLine(output: string): string {
  const line = output.split("\n").map((text) => text.trim()).find((text) => VERSION.test(text));
  return line ?? output.trim();
}

/** The first version in `text`, undefined when there is none. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

/** Negative, zero or positive, as for sorting. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Whether a CLI is new enough. Too old takes a runtime offline; an unreadable version may be a passing fault (06 §11.6). */
export type MinimumVerdict =
  | { readonly kind: "ok" }
  | { readonly kind: "too_old" | "unparsable"; readonly problem: string };

/** Checks a version line against a provider's minimum; "" = none. */
export function checkMinimum(provider: string, version: string, minimum: string): MinimumVerdict {
  const least = parseVersion(minimum);
  if (least === undefined) return { kind: "ok" };
  const found = parseVersion(version);
  if (found === undefined) {
    return { kind: "unparsable", problem: `cannot parse detected ${provider} version "${version}"` };
  }
  if (compareVersions(found, least) >= 0) return { kind: "ok" };
  return {
    kind: "too_old",
    problem: `${provider} version ${version} is below minimum required ${minimum} - please upgrade`,
  };
}
