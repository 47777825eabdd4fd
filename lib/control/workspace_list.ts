/** The workspace list on newer and older servers, with its ETag (spec 01 §4.2, 11.3). */
import type { Answer } from "./transport.ts";
import { isNotFound, isRequestError } from "./predicates.ts";
import type { WorkspaceRef } from "./types.ts";

const NEWER = "/api/daemon/workspaces";
const OLDER = "/api/workspaces";

/** Remembers which endpoint the server has, and the last list with its tag. */
export class WorkspaceList {
  #older = false;
  #token = "";
  #tag = "";
  #last: readonly WorkspaceRef[] = [];

  /**
   * One look. `get` sends a GET, `parse` decodes an answer.
   * A 404 of the newer endpoint means the older one for the rest of the process.
   */
  async read(
    token: string,
    get: (path: string, ifNoneMatch?: string) => Promise<Answer>,
    parse: (answer: Answer, path: string) => readonly WorkspaceRef[],
  ): Promise<{ workspaces: readonly WorkspaceRef[]; push: boolean }> {
    if (token !== this.#token) this.#forget(token);
    if (!this.#older) {
      try {
        const answer = await get(NEWER, this.#tag === "" ? undefined : this.#tag);
        if (answer.status === 304) return { workspaces: this.#last, push: true };
        const workspaces = parse(answer, NEWER);
        this.#tag = answer.etag;
        this.#last = workspaces;
        return { workspaces, push: true };
      } catch (error) {
        if (!isNotFound(error) && !(isRequestError(error) && error.status === 405)) throw error;
        this.#older = true;
      }
    }
    return { workspaces: parse(await get(OLDER), OLDER), push: false };
  }

  /** Another login sees other workspaces. */
  #forget(token: string): void {
    this.#token = token;
    this.#tag = "";
    this.#last = [];
  }
}
