/** Bodies of requests and answers: read to an end or a limit, and sent no more than once. */

/** What was read. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  /** The body was longer; the rest has been dropped with its connection. */
  readonly cut: boolean;
}

/** Reads at most `maxBytes` of the body. */
export async function readBody(response: Response, maxBytes: number): Promise<ReadBody> {
  if (response.body === null) return { bytes: new Uint8Array(), cut: false };
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: joined(chunks, size), cut: false };
    chunks.push(value);
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel();
      return { bytes: joined(chunks, size).subarray(0, maxBytes), cut: true };
    }
  }
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/**
 * A body that `fetch` cannot send again. It repeats a text when the connection breaks, even after the server has acted
 * on it (measured with 2.8.3).
 */
export function onceOnly(body: string | Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(typeof body === "string" ? new TextEncoder().encode(body) : body);
      controller.close();
    },
  });
}
