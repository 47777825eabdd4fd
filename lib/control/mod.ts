/**
 * control: what the host and a Multica server say to each other. Schemas, HTTP client, WebSocket, error taxonomy,
 * retry rules and the outbox verdict. It owns the connection pool and the socket, and knows nothing of tasks.
 */
export * from "./api.ts";
export * from "./bodies.ts";
export * from "./byte_order.ts";
export * from "./claim_batch.ts";
export * from "./errors.ts";
export * from "./fnv.ts";
export * from "./http.ts";
export * from "./identity_headers.ts";
export * from "./predicates.ts";
export * from "./retry.ts";
export * from "./schemas.ts";
export * from "./signatures.ts";
export * from "./skill_hash.ts";
export * from "./socket.ts";
export * from "./socket_claim.ts";
export * from "./socket_url.ts";
export * from "./transport.ts";
export * from "./types.ts";
export * from "./types_claim.ts";
export * from "./types_report.ts";
export * from "./verdict.ts";
