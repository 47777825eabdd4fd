/** runtimes: finding agent CLIs, versions, registration, custom profiles, drift, recovery. */
export * from "./types.ts";
