/** Server addresses: one normal form for all the ways people write them (spec 03 §5.2, 01 §1.1). */

/** The official cloud's API. */
export const CLOUD_SERVER_URL = "https://api.multica.ai";

/** What a host uses when nobody names a server. */
export const DEFAULT_SERVER_URL = "ws://localhost:8080/ws";

const SCHEMES: Readonly<Record<string, string>> = { ws: "http", wss: "https", http: "http", https: "https" };

/**
 * `ws://localhost:8080/ws` → `http://localhost:8080`. Scheme mapped, a path of exactly `/ws` cut, query and fragment
 * dropped, trailing slashes removed.
 * @throws {SyntaxError} with the reason alone.
 */
export function normaliseServerUrl(text: string): string {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/.exec(text.trim());
  if (match === null || !URL.canParse(text.trim())) throw new SyntaxError("it is no URL");
  const [, scheme = "", authority = "", path = ""] = match;
  const mapped = SCHEMES[scheme.toLowerCase()];
  if (mapped === undefined) throw new SyntaxError("it must use ws, wss, http, or https");
  if (authority === "") throw new SyntaxError("it names no host");
  return `${mapped}://${authority}${path === "/ws" ? "" : path}`.replace(/\/+$/, "");
}

/** True for the official cloud's API host, any scheme and port (spec 03 §5.2). */
export function isOfficialCloud(url: string): boolean {
  return URL.canParse(url) && new URL(url).hostname.toLowerCase() === "api.multica.ai";
}

/** `url` for people: a user name or password in it is masked. */
export function printableUrl(url: string): string {
  return url.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/?#@]*@/, "$1***@");
}
