/** Signals to the host: the first drains, the second forces, a closed terminal is survived (spec 03 §7.3, §7.5). */

/** Hears signals until the returned function is called. */
export type ListenSignals = (heard: (signal: string) => void) => () => void;

/** The process's own signals. */
export const processSignals: ListenSignals = (heard) => {
  const windows = Deno.build.os === "windows";
  const ends: readonly Deno.Signal[] = windows ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  const listeners = ends.map((signal) => ({ signal, listener: () => heard(signal) }));
  const ignored = { signal: "SIGHUP" as const, listener: () => {} };
  const all = windows ? listeners : [...listeners, ignored];
  for (const { signal, listener } of all) Deno.addSignalListener(signal, listener);
  return () => {
    for (const { signal, listener } of all) Deno.removeSignalListener(signal, listener);
  };
};
