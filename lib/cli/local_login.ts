/** How `local` and `task` find each other: address and token of the local control plane in its profile's `config.json`. */
import { configFile, readProfileFile, updateProfileFile } from "../config/mod.ts";
import { HostError } from "../core/mod.ts";
import { LocalPlaneClient } from "../plane/mod.ts";
import { savedLogin } from "./account.ts";
import { type CliContext, profileFlag } from "./context.ts";

/** The profile of `local` and `task` unless `--profile` names another: it never meets a real server's. */
export const LOCAL_PROFILE = "local";

const MARK = "local_plane";

/** The context with the local profile where none was named. */
export function localContext(context: CliContext): CliContext {
  return context.profile === "" ? { ...context, profile: LOCAL_PROFILE } : context;
}

/** Token to keep from an earlier run; "" = none yet. @throws {HostError} when the profile belongs to a real server. */
export function localToken({ machine, profile }: CliContext): string {
  const file = readProfileFile(machine.files, configFile(machine.home, profile));
  if (file["server_url"] !== undefined && file[MARK] !== true) {
    throw new HostError(`Profile "${profile}" belongs to the server ${file["server_url"]}`, {
      code: "profile_has_server",
      hint: "choose another name: multica-host --profile my-local local",
    });
  }
  return typeof file["token"] === "string" ? file["token"] : "";
}

/** Writes where the plane is. */
export function saveLocal({ machine, profile }: CliContext, url: string, token: string): void {
  updateProfileFile(machine.files, configFile(machine.home, profile), (file) => ({
    ...file,
    server_url: url,
    token,
    [MARK]: true,
  }));
}

/** A client of the local plane. @throws {HostError} when it was never started. */
export function localClient({ machine, profile }: CliContext): LocalPlaneClient {
  const { serverUrl, token } = savedLogin(machine.files, machine.home, profile);
  const file = readProfileFile(machine.files, configFile(machine.home, profile));
  const start = `multica-host local${profile === LOCAL_PROFILE ? "" : profileFlag(profile)}`;
  if (file[MARK] === true && token !== "") return new LocalPlaneClient({ url: serverUrl, token, start });
  throw new HostError("There is no local control plane yet", {
    code: "no_local_plane",
    hint: `start one in another terminal: ${start}`,
  });
}
