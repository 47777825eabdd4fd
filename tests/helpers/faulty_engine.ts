/**
 * The real engine's Worker with a way to break it: a `fault` message beside the supervisor's own makes it throw where
 * nobody catches, or stand still until its cell is set.
 */
import "../../lib/engine/worker.ts";

/** What breaks. */
export type Fault = { readonly t: "fault"; readonly what: "die" } | {
  readonly t: "fault";
  readonly what: "hang";
  /** Nothing of the thread goes on before this is no longer 0: `terminate()` alone does not end a busy loop in 2.8. */
  readonly cell: Int32Array;
};

addEventListener("message", (event: MessageEvent<Fault>) => {
  const { data } = event;
  if (data.t !== "fault") return;
  if (data.what === "die") throw new Error("scripted fault");
  Atomics.wait(data.cell, 0, 0);
});
