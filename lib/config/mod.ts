/** config: flags over environment over profile file over defaults, made into one frozen {@link HostConfig}. */
export * from "./types.ts";
