/** `multica-host auth status`, `multica-host logout` (spec 03 §10.4). */
import { clearToken, configFile } from "../config/mod.ts";
import { RequestError } from "../control/mod.ts";
import { HostError } from "../core/mod.ts";
import { commandServer, httpTimeoutMs, savedLogin, whoAmI } from "./account.ts";
import { type CliContext, profileFlag, refuseInsideTask } from "./context.ts";
import { labelled } from "./table.ts";

/** Says whose the token is; exit code 0 also without one, or with a bad one. */
export async function authStatus(context: CliContext): Promise<number> {
  refuseInsideTask(context, "auth status");
  const { machine, profile, out } = context;
  const login = `multica-host login --token mul_…${profileFlag(profile)}`;
  const serverUrl = commandServer(context, false);
  if (serverUrl === "") {
    throw new HostError("No server is configured for this profile", { code: "no_server", hint: login });
  }
  const { token } = savedLogin(machine.files, machine.home, profile);
  if (token === "") {
    out(`Not logged in to ${serverUrl}. Log in with: ${login}`);
    return 0;
  }
  try {
    const account = await whoAmI(serverUrl, token, {
      clock: machine.clock,
      limitMs: httpTimeoutMs(machine.env),
    });
    const rows: [string, string][] = [["Server", serverUrl], ["User", account.name || "?"]];
    if (account.email !== "") rows.push(["Mail", account.email]);
    rows.push(["Token", token.length > 12 ? `${token.slice(0, 12)}...` : `${token.slice(0, 4)}...`]);
    for (const line of labelled(rows)) out(line);
  } catch (error) {
    if (!(error instanceof RequestError) || error.status !== 401) throw error;
    out(`The token is not valid for ${serverUrl}. Log in again with: ${login}`);
  }
  return 0;
}

/** Forgets the token of the profile; the server is not asked. */
export function logout(context: CliContext): number {
  refuseInsideTask(context, "logout");
  const { machine, profile, note } = context;
  const target = { files: machine.files, home: machine.home, cwd: machine.cwd, profile };
  const had = clearToken(target);
  note(had ? `Logged out: the token is gone from ${configFile(machine.home, profile)}` : "Not logged in");
  return 0;
}
