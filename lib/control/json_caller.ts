/** JSON calls over the transport: body out, schema in (spec 01 §1.3, 1.4). */
import type * as z from "zod";
import { TransportError } from "./errors.ts";
import type { Answer, Exchange, Transport } from "./transport.ts";
import type { CallOptions } from "./api.ts";
import { encodeBody } from "./wire.ts";

/** Limit of a call that names none, ms. */
export const DEFAULT_LIMIT_MS = 30_000;

/** Options of a call here. */
export interface Sending extends CallOptions {
  readonly large?: NonNullable<Exchange["large"]>;
  readonly once?: NonNullable<Exchange["once"]>;
}

/** The three shapes of a call: tell (answer not wanted), post and get (answer checked). */
export class JsonCaller {
  constructor(private readonly transport: Transport) {}

  /** POST whose answer is not wanted. */
  async tell(
    path: string,
    body: unknown,
    { signal }: CallOptions,
    limitMs = DEFAULT_LIMIT_MS,
  ): Promise<void> {
    await this.transport.exchange({ method: "POST", path, body: encodeBody(body), limitMs, signal });
  }

  async post<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    options: Sending,
    limitMs?: number,
  ): Promise<T> {
    return shaped("POST", path, schema, await this.json("POST", path, body, options, limitMs));
  }

  async get<T>(path: string, schema: z.ZodType<T>, options: Sending, limitMs?: number): Promise<T> {
    return shaped("GET", path, schema, await this.json("GET", path, undefined, options, limitMs));
  }

  /** The decoded answer, not checked yet. */
  async json(
    method: "GET" | "POST",
    path: string,
    body: unknown,
    { signal, large = false, once = false }: Sending,
    limitMs = DEFAULT_LIMIT_MS,
  ): Promise<unknown> {
    const sent = { large, once, ...(method === "POST" ? { body: encodeBody(body) } : {}) };
    return parseJson(method, path, await this.transport.exchange({ method, path, limitMs, signal, ...sent }));
  }
}

/** Decodes an answer. @throws TransportError `bad_response`: transient, as it is no request error. */
export function parseJson(method: string, path: string, answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    throw new TransportError("bad_response", method, path, "the answer is not JSON", error);
  }
}

/** Checks a decoded answer. @throws TransportError `bad_response`. */
export function shaped<T>(method: string, path: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unexpected(method, path);
}

/** The error for an answer of another form. */
export function unexpected(method: string, path: string): TransportError {
  return new TransportError("bad_response", method, path, "the answer has not the promised form");
}
