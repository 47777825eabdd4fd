/** Looking things up in the catalog of providers. */
import { loadDriver } from "./catalog_drivers.ts";
import { type ProviderRow, PROVIDERS } from "./catalog_rows.ts";
import type { Driver } from "./contract.ts";
import { HostError } from "../core/mod.ts";

const byKey = new Map(PROVIDERS.map((row) => [row.provider, row]));

/** A provider nobody can drive. */
export class UnknownProvider extends HostError {
  constructor(readonly provider: string) {
    super(`unknown agent type: "${provider}" (supported: ${supportedProviders().join(", ")})`, {
      code: "unknown_provider",
      facts: { provider },
    });
  }
}

/** A provider whose protocol this version does not speak. */
export class UnsupportedProvider extends HostError {
  constructor(readonly provider: string) {
    super(`${provider} is not supported by this version yet`, {
      code: "unsupported_provider",
      hint: "install a newer multica-host",
      facts: { provider },
    });
  }
}

/** The row of a provider, undefined when there is none. */
export function providerRow(provider: string): ProviderRow | undefined {
  return byKey.get(provider);
}

/** Keys of everything a server may name, in the catalog's order. */
export function supportedProviders(): readonly string[] {
  return PROVIDERS.filter((row) => !row.rehearsal).map((row) => row.provider);
}

/** Rows discovery looks for. Those without a driver are found too, and reported as not supported yet. */
export function discoverableProviders(): readonly (ProviderRow & { readonly unsupported: boolean })[] {
  return PROVIDERS.filter((row) => !row.rehearsal).map((row) => ({
    ...row,
    unsupported: row.driver === undefined,
  }));
}

/** What the environment may say of each provider (spec 03 §5.3, §5.5, §6.1, 17.9). */
export function agentVariables(): {
  readonly paths: readonly string[];
  readonly models: readonly string[];
  readonly args: readonly string[];
} {
  const keys = (rows: readonly ProviderRow[]) => rows.map((row) => row.provider);
  const rows = discoverableProviders();
  return {
    paths: keys(rows),
    models: keys(rows.filter((row) => row.modelVariable)),
    args: keys(rows.filter((row) => row.argsVariable)),
  };
}

/** Provider keys that may be the base of a custom runtime profile here: those with a driver. */
export function profileBases(): readonly string[] {
  return PROVIDERS.filter((row) => row.profileBase && !row.rehearsal && row.driver !== undefined)
    .map((row) => row.provider);
}

/**
 * The driver of a provider, loaded on first use.
 * @throws {UnknownProvider | UnsupportedProvider}
 */
export function driverFor(provider: string): Promise<Driver> {
  const row = byKey.get(provider);
  if (row === undefined) return Promise.reject(new UnknownProvider(provider));
  if (row.driver === undefined) return Promise.reject(new UnsupportedProvider(provider));
  return loadDriver(row.driver);
}
