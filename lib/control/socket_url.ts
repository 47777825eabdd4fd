/** The address of the socket (spec 02 §2.1, 17.2). */
import { HostError } from "../core/mod.ts";
import { byteOrder } from "./byte_order.ts";

const SCHEMES: Readonly<Record<string, string>> = {
  "http:": "ws:",
  "https:": "wss:",
  "ws:": "ws:",
  "wss:": "wss:",
};

/**
 * Base URL and runtime ids → socket URL; ids sorted, parameters sorted by key, no parameter for an empty set.
 * @throws HostError `invalid_server_url`.
 */
export function socketUrl(baseUrl: string, runtimeIds: readonly string[]): string {
  const url = URL.parse(baseUrl.trim());
  const scheme = url === null ? undefined : SCHEMES[url.protocol];
  if (url === null || scheme === undefined) {
    throw new HostError("Cannot open a WebSocket: the server URL must use ws, wss, http, or https", {
      code: "invalid_server_url",
    });
  }
  const path = `${url.pathname.replace(/\/+$/, "")}/api/daemon/ws`;
  const params = [...url.searchParams].filter(([key]) => key !== "runtime_ids");
  if (runtimeIds.length > 0) params.push(["runtime_ids", [...runtimeIds].sort(byteOrder).join(",")]);
  params.sort(([a], [b]) => byteOrder(a, b));
  const query = new URLSearchParams(params).toString();
  return `${scheme}//${url.host}${path}${query === "" ? "" : `?${query}`}`;
}
