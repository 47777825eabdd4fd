/**
 * config: flags over environment over profile file over defaults, made into one frozen {@link HostConfig}.
 * It owns the profile's `config.json` and the machine's `daemon.id`, and is the only room that reads the environment.
 * `resolveHost(options)` gives the value every other room reads; `inspectHost` the same with problems as values.
 */
export * from "./edit.ts";
export * from "./files.ts";
export * from "./identity.ts";
export * from "./machine.ts";
export * from "./paths.ts";
export * from "./problems.ts";
export * from "./profile_file.ts";
export * from "./profile_name.ts";
export * from "./resolve.ts";
export * from "./resolve_settings.ts";
export * from "./server_url.ts";
export * from "./settings.ts";
export * from "./types.ts";
