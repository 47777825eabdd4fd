/** supervisor: rights, broker, engine life, signals. */
export * from "./protocol.ts";
