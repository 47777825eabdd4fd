/** `multica issue metadata list|get|set|delete` (spec 05 §21.5). */
import * as z from "zod";
import { byteOrder, RequestError } from "../control/mod.ts";
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import { jsonText, tableText, wantsJson } from "./output.ts";
import { resolveIssue } from "./resolve.ts";
import type { Session } from "./session.ts";
import type { Call } from "./types.ts";

type Metadata = Readonly<Record<string, unknown>>;

const answer = z.looseObject({ metadata: z.record(z.string(), z.unknown()).nullish() })
  .transform(({ metadata }) => metadata ?? {});

/** Prints the whole map; a server without metadata has an empty one. */
export async function metadataList(call: Call): Promise<number> {
  const { session, path } = await target(call);
  const metadata = await read(session, path).catch((error) => {
    // A server without the endpoint has no metadata; a wrong issue has failed before, when it was resolved.
    if (error instanceof RequestError && error.status === 404) return {};
    throw error;
  });
  return show(call, metadata);
}

/** Prints one value. */
export async function metadataGet(call: Call): Promise<number> {
  const key = keyOf(call);
  const { session, path } = await target(call);
  const metadata = await read(session, path);
  if (!Object.hasOwn(metadata, key)) throw new LocalError(`the issue has no metadata "${key}"`);
  if (wantsJson(call, "json")) call.io.out(jsonText(metadata[key]));
  else call.io.out(tableText(HEAD, [rowOf(key, metadata[key])]));
  return 0;
}

/** Sets one value and prints the whole map. */
export async function metadataSet(call: Call): Promise<number> {
  const key = keyOf(call);
  if (!call.given.has("value")) throw new LocalError("--value is required (it may be empty)");
  const value = metadataValue(call.given.text("value"), call.given.text("type"));
  const { session, path } = await target(call);
  const { json } = await session.client.request({
    method: "PUT",
    path: `${path}/${part(key)}`,
    json: { value },
  });
  return show(call, answer.parse(json ?? {}));
}

/** Removes one value and prints what is left. */
export async function metadataDelete(call: Call): Promise<number> {
  const key = keyOf(call);
  const { session, path } = await target(call);
  await session.client.request({ method: "DELETE", path: `${path}/${part(key)}` });
  let left: Metadata;
  try {
    left = await read(session, path);
  } catch {
    // It is deleted all the same; only the list of what is left cannot be had.
    call.io.out(wantsJson(call, "table") ? jsonText({ deleted: true }) : `Deleted ${key}.\n`);
    return 0;
  }
  return show(call, left);
}

/** The value as it is sent: JSON scalars as they are, everything else as text. @throws {LocalError} */
export function metadataValue(text: string, type: string): string | number | boolean {
  switch (type) {
    case "": {
      const value = jsonScalar(text);
      return value ?? text;
    }
    case "string":
      return text;
    case "number": {
      const value = jsonScalar(text);
      if (typeof value !== "number") {
        throw new LocalError(`--value "${text}" is no number (JSON form, like 42 or 3.5)`);
      }
      return value;
    }
    case "bool":
      if (text !== "true" && text !== "false") {
        throw new LocalError(`--value "${text}" is neither true nor false`);
      }
      return text === "true";
  }
  throw new LocalError(`--type "${type}" is none of string, number, bool`);
}

function jsonScalar(text: string): string | number | boolean | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "string" || typeof value === "boolean") return value;
    return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  } catch {
    // No JSON: plain text.
    return undefined;
  }
}

const HEAD = ["KEY", "VALUE", "TYPE"];

function rowOf(key: string, value: unknown): unknown[] {
  return [key, value, typeof value === "boolean" ? "bool" : typeof value];
}

function show(call: Call, metadata: Metadata): number {
  const rows = Object.keys(metadata).sort(byteOrder).map((key) => rowOf(key, metadata[key]));
  call.io.out(wantsJson(call, "table") ? jsonText(metadata) : tableText(HEAD, rows));
  return 0;
}

function keyOf({ given }: Call): string {
  const key = given.text("key");
  if (key === "") throw new LocalError("--key is required");
  return key;
}

async function target(call: Call): Promise<{ session: Session; path: string }> {
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  return { session, path: `/api/issues/${part(issue.id)}/metadata` };
}

async function read({ client }: Session, path: string): Promise<Metadata> {
  return answer.parse((await client.get(path)).json ?? {});
}
