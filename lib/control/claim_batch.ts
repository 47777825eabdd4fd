/** A machine-wide claim: over the socket where it is offered, else over HTTP (spec 01 §11.2, 02 §17.7). */
import { isNotFound, isRequestError } from "./predicates.ts";
import type { ControlSocket } from "./socket.ts";
import type { SocketClaimRequest } from "./socket_claim.ts";
import type { ControlApi } from "./api.ts";
import type { ClaimedTask } from "./types_claim.ts";

/** How a machine-wide claim ended. */
export type BatchClaim =
  | { readonly kind: "tasks"; readonly tasks: readonly ClaimedTask[] }
  /** It may have been carried out: rest 7 s, then claim once with `socket: false`. */
  | { readonly kind: "uncertain"; readonly why: string }
  /** The server has no batch claim: claim per runtime until the next connection. */
  | { readonly kind: "unsupported" };

/**
 * One claim. `socket: false` goes past the socket.
 * @throws what the HTTP claim throws, except for the 404 that means `unsupported`.
 */
export async function claimTasks(
  api: Pick<ControlApi, "claimBatch">,
  socket: Pick<ControlSocket, "claim"> | undefined,
  request: SocketClaimRequest,
  options: { readonly socket?: boolean; readonly signal?: AbortSignal } = {},
): Promise<BatchClaim> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  if (socket !== undefined && options.socket !== false) {
    const claimed = await socket.claim(request, call);
    if (claimed.kind !== "unavailable") return claimed;
    options.signal?.throwIfAborted();
  }
  try {
    return { kind: "tasks", tasks: await api.claimBatch(request, call) };
  } catch (error) {
    if (isNotFound(error) || isRequestError(error) && error.status === 405) return { kind: "unsupported" };
    throw error;
  }
}
