/** Why a workspace is not registered: nothing to offer, or a profile the server refuses (spec 01 §4.3, 7.4). */
import { isRequestError } from "../control/mod.ts";

/** Thrown when this machine has nothing to register in a workspace; its meaning depends on the caller. */
export class NothingToRegister extends Error {
  override readonly name = "NothingToRegister";
  constructor(readonly signature: string) {
    super("no agent runtimes could be registered");
  }
}

const REFUSED = /(?:runtime profile is disabled|unknown runtime profile): ?([0-9A-Za-z-]+)/;

/** The profile a register answer names as the reason for its refusal (spec 01 §4.3, 400 and 409). */
export function refusedProfile(error: unknown): string | undefined {
  if (!isRequestError(error) || error.status !== 409 && error.status !== 400) return undefined;
  return REFUSED.exec(error.body)?.[1];
}
