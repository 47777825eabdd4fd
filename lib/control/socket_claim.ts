/** `tasks.claim` over the socket (spec 02 §17.7): budget, cancellation, and the uncertain outcome. */
import type { Clock } from "../core/mod.ts";
import { rpcRequestFrame } from "./frames.ts";
import { tasksOf } from "./http.ts";
import type { RpcCalls, RpcOutcome } from "./rpc_calls.ts";
import { claimBatchSchema } from "./schemas.ts";
import type { ClaimedTask } from "./types_claim.ts";

/** Body of a batch claim. */
export interface SocketClaimRequest {
  readonly daemon_id: string;
  readonly runtime_ids: readonly string[];
  readonly max_tasks: number;
}

/** How a claim over the socket ended. */
export type SocketClaim =
  | { readonly kind: "tasks"; readonly tasks: readonly ClaimedTask[] }
  /** Certainly nothing was claimed: use HTTP in the same cycle. */
  | { readonly kind: "unavailable"; readonly why: string }
  /** It may have been carried out: claim nothing for 7 s, then once over HTTP. */
  | { readonly kind: "uncertain"; readonly why: string };

/** What the server gives itself, and what the host waits on top, ms. */
const SERVER_BUDGET_MS = 5_000;
const GRACE_MS = 2_000;
/** Longest message a later server takes. */
const MAX_FRAME_BYTES = 65_536;

/** One claim. Never throws. */
export async function claimOverSocket(
  calls: RpcCalls,
  request: SocketClaimRequest,
  clock: Clock,
  signal?: AbortSignal,
): Promise<SocketClaim> {
  const requestId = crypto.randomUUID();
  const frame = rpcRequestFrame(requestId, "tasks.claim", SERVER_BUDGET_MS, request);
  if (frame.length > MAX_FRAME_BYTES) {
    return { kind: "unavailable", why: "the request is too large for the socket" };
  }
  if (signal?.aborted) return { kind: "unavailable", why: "cancelled" };
  const onAbort = () => calls.giveUp(requestId, "cancelled");
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = clock.timer(SERVER_BUDGET_MS + GRACE_MS, () => calls.giveUp(requestId, "no answer in time"));
  try {
    return judge(await new Promise<RpcOutcome>((resolve) => calls.send(requestId, frame, resolve)));
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

function judge(outcome: RpcOutcome): SocketClaim {
  if (outcome.kind === "not_sent") return { kind: "unavailable", why: outcome.why };
  if (outcome.kind === "uncertain") return outcome;
  const { status, body, error } = outcome.response;
  if (status < 200 || status >= 300) {
    return { kind: "unavailable", why: `the server answered ${status}${error === "" ? "" : `: ${error}`}` };
  }
  const parsed = claimBatchSchema.safeParse(body);
  // The claim was carried out; what it brought cannot be read, so its tasks come back to us only later.
  if (!parsed.success) return { kind: "uncertain", why: "the answer cannot be read" };
  return { kind: "tasks", tasks: tasksOf(parsed.data) };
}
