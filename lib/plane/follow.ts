/** A task's transcript and states as server-sent events, from the beginning to its end. */
import type { Plane } from "./plane.ts";
import { type PlaneEvent, Refusal } from "./types.ts";

const END: ReadonlySet<string> = new Set(["completed", "failed", "cancelled", "deleted"]);

/**
 * Streams `state` (the task view), `message` (one transcript row) and `progress` events. Everything known so far
 * comes first; the stream ends after a final state. A retry is followed by its own request.
 */
export function followTask(plane: Plane, taskId: string, signal: AbortSignal): Response {
  if (plane.task(taskId) === undefined) throw new Refusal(404, "task not found");
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      stop = stream(plane, taskId, controller);
      signal.addEventListener("abort", stop, { once: true });
    },
    cancel: () => stop(),
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}

function stream(plane: Plane, taskId: string, out: ReadableStreamDefaultController<Uint8Array>): () => void {
  const encoder = new TextEncoder();
  let seen = 0;
  let open = true;
  const send = (event: string, data: unknown) =>
    out.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  const messages = () => {
    for (const row of plane.messages(taskId, seen)) {
      send("message", row);
      seen = Math.max(seen, row.seq);
    }
  };
  const state = (gone: boolean) => {
    messages();
    const task = plane.task(taskId);
    send("state", task ?? { id: taskId, status: "deleted" });
    if (gone || task === undefined || END.has(task.status)) end();
  };
  const unsubscribe = plane.store.events.subscribe((event: PlaneEvent) => {
    if (!open || !("taskId" in event) || event.taskId !== taskId) return;
    if (event.type === "messages") messages();
    else if (event.type === "progress") send("progress", { summary: event.summary });
    else if (event.type === "task") state(event.to === "deleted");
  });
  const close = () => {
    if (!open) return;
    open = false;
    unsubscribe();
  };
  const end = () => {
    if (!open) return;
    close();
    out.close();
  };
  state(false);
  return close;
}
