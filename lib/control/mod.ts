/** control: schemas, HTTP client, WebSocket, error taxonomy, retry rules of the Multica server protocol. */
export * from "./types.ts";
