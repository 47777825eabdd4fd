/** Who a token belongs to: `GET /api/me`. */
import * as z from "zod";
import {
  CLOUD_SERVER_URL,
  configFile,
  type ConfigFiles,
  normaliseServerUrl,
  readProfileFile,
} from "../config/mod.ts";
import { Transport } from "../control/mod.ts";
import { type Clock, HostError, parseDuration, VERSION } from "../core/mod.ts";
import type { CliContext } from "./context.ts";

const me = z.looseObject({ name: z.string().catch(""), email: z.string().catch("") });

/** The owner of a token. */
export type Account = z.infer<typeof me>;

/** Asks the server. @throws {RequestError} @throws {TransportError} */
export async function whoAmI(serverUrl: string, token: string, options: {
  readonly clock: Clock;
  readonly limitMs: number;
}): Promise<Account> {
  const transport = new Transport({
    baseUrl: serverUrl,
    token: () => token,
    identity: { version: VERSION, platform: "cli" },
    clock: options.clock,
  });
  try {
    const answer = await transport.exchange({ method: "GET", path: "/api/me", limitMs: options.limitMs });
    const parsed = me.safeParse(JSON.parse(answer.text));
    if (parsed.success) return parsed.data;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  } finally {
    transport.close();
  }
  throw new HostError(`The server at ${serverUrl} answers, but not like a Multica server`, {
    code: "not_a_server",
    hint: "check the address: it must be the API's, not the web application's",
  });
}

/** Server of a command: flag, environment, file; the official cloud for a login; "" = none (spec 03 §5.2, §17.10). */
export function commandServer(context: CliContext, forLogin: boolean): string {
  const { env, files, home } = context.machine;
  const saved = savedLogin(files, home, context.profile).serverUrl;
  const given = [context.flags["server-url"], env["MULTICA_SERVER_URL"], saved]
    .find((value) => typeof value === "string" && value.trim() !== "");
  if (typeof given !== "string") return forLogin ? CLOUD_SERVER_URL : "";
  try {
    return normaliseServerUrl(given);
  } catch (error) {
    throw new HostError(`Cannot use server address "${given}": ${(error as Error).message}`, {
      code: "bad_server_url",
      hint: "--server-url https://api.example.com",
    });
  }
}

/** What the profile's file says. */
export function savedLogin(
  files: ConfigFiles,
  home: string,
  profile: string,
): { serverUrl: string; token: string } {
  const file = readProfileFile(files, configFile(home, profile));
  const text = (key: string) => typeof file[key] === "string" ? (file[key] as string).trim() : "";
  return { serverUrl: text("server_url"), token: text("token") };
}

/** Time limit of a command's requests: `MULTICA_HTTP_TIMEOUT` as duration or whole seconds, else 30 s (spec 03 §13.1). */
export function httpTimeoutMs(env: Readonly<Record<string, string>>): number {
  const text = (env["MULTICA_HTTP_TIMEOUT"] ?? "").trim();
  try {
    const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
    return ms > 0 ? ms : 30_000;
  } catch {
    // Spec 03 §13.1: what cannot be read means the default.
    return 30_000;
  }
}
