/** `multica-host login --token …` (spec 03 §10.1). */
import { configFile, saveLogin } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { commandServer, httpTimeoutMs, whoAmI } from "./account.ts";
import { type CliContext, profileFlag, refuseInsideTask } from "./context.ts";

/** Checks the token with the server, then saves it. */
export async function login(
  context: CliContext,
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
): Promise<number> {
  refuseInsideTask(context, "login");
  const { machine, profile, note } = context;
  const serverUrl = commandServer(context, true);
  const given = typeof options["token"] === "string" && options["token"] !== "" ? options["token"] : args[0];
  const token = (given ?? await ask(context)).trim();
  checkShape(token);
  const account = await whoAmI(serverUrl, token, {
    clock: machine.clock,
    limitMs: httpTimeoutMs(machine.env),
  });
  const target = { files: machine.files, home: machine.home, cwd: machine.cwd, profile };
  saveLogin(target, { token, serverUrl });
  note(
    `Logged in to ${serverUrl} as ${account.name || "?"}${account.email === "" ? "" : ` <${account.email}>`}`,
  );
  note(`Saved in ${configFile(machine.home, profile)}`);
  note(`Start the host with: multica-host${profileFlag(profile)}`);
  return 0;
}

function checkShape(token: string): void {
  if (token === "") {
    throw new HostError("The token is empty", {
      code: "token_empty",
      hint: "multica-host login --token mul_…",
    });
  }
  if (/^(mul_|mcn_)[\x21-\x7e]+$/.test(token)) return;
  throw new HostError("This is no token for a login: it must start with mul_ or mcn_", {
    code: "token_shape",
    hint: "make one in the web application: settings, API tokens",
  });
}

/** One line from stdin; the prompt goes to stderr so that stdout stays clean. */
async function ask(context: CliContext): Promise<string> {
  if (Deno.stdin.isTerminal()) context.note("Paste your token (mul_…) and press Enter:");
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of Deno.stdin.readable) {
    text += decoder.decode(part, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}
