/** Routes as a tree of path segments: one walk a request, no regular expressions on the hot path. */
import type { Principal } from "./types.ts";

/** A request as a handler sees it. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly params: readonly string[];
  /** Raw query without "?". */
  readonly search: string;
  readonly headers: Headers;
  /** Body text; "" for GET. */
  readonly body: string;
  readonly who: Principal;
  /** Fault injection: store only so many messages, then fail. */
  readonly partial: number | undefined;
}

/** An answer before it becomes a Response. `json` undefined = no body. */
export interface Reply {
  readonly status: number;
  readonly json?: unknown;
  /** Body as it is, instead of `json`. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who may call: daemon tokens, user tokens, or anyone. */
export type Audience = "D" | "U" | "none";

/** One endpoint. */
export interface Route {
  readonly pattern: string;
  readonly audience: Audience;
  readonly handle: (call: Call) => Reply;
  /** False for pure reads: no transaction. */
  readonly writes: boolean;
  /** A baseline server has no such route. */
  readonly later: boolean;
}

interface Node {
  readonly fixed: Map<string, Node>;
  any?: Node;
  routes?: Map<string, Route>;
}

/** The tree. `:name` in a pattern matches one segment. */
export class Router {
  readonly #root: Node = { fixed: new Map() };

  /** Adds `METHOD /path/:param`. */
  add(
    pattern: string,
    audience: Audience,
    handle: (call: Call) => Reply,
    options: { readonly later?: boolean } = {},
  ): void {
    const [method = "", path = ""] = pattern.split(" ");
    let node = this.#root;
    for (const segment of path.split("/").slice(1)) {
      if (segment.startsWith(":")) node = node.any ??= { fixed: new Map() };
      else {
        const next = node.fixed.get(segment) ?? { fixed: new Map() };
        node.fixed.set(segment, next);
        node = next;
      }
    }
    node.routes ??= new Map();
    node.routes.set(method, {
      pattern,
      audience,
      handle,
      writes: method !== "GET",
      later: options.later ?? false,
    });
  }

  /** The route of a request and its parameters, "method" when only the method is wrong, undefined when unknown. */
  find(method: string, path: string): { route: Route; params: string[] } | "method" | undefined {
    const segments = path.split("/");
    const params: string[] = [];
    const node = walk(this.#root, segments, 1, params);
    if (node?.routes === undefined) return undefined;
    const route = node.routes.get(method);
    return route === undefined ? "method" : { route, params };
  }
}

function walk(node: Node, segments: readonly string[], at: number, params: string[]): Node | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.routes === undefined ? undefined : node;
  const fixed = node.fixed.get(segment);
  if (fixed !== undefined) {
    const found = walk(fixed, segments, at + 1, params);
    if (found !== undefined) return found;
  }
  if (node.any === undefined || segment === "") return undefined;
  params.push(decodeURIComponent(segment));
  const found = walk(node.any, segments, at + 1, params);
  if (found === undefined) params.pop();
  return found;
}

/** 200 with a JSON value. */
export function ok(json: unknown): Reply {
  return { status: 200, json };
}

/** 200 `{"status":"ok"}`. */
export const OK: Reply = { status: 200, json: { status: "ok" } };

/** What a server without the route says. */
export const NO_ROUTE: Reply = {
  status: 404,
  text: "404 page not found\n",
  headers: { "content-type": "text/plain; charset=utf-8" },
};
