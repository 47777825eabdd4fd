/** Turns a task's skill references into skills: from the cache, else from the server (spec 04 §14.3, 20.14). */
import {
  bundleLimitMs,
  type ClaimedTask,
  type ControlApi,
  isConsistentBundle,
  RequestError,
  type Skill,
  type SkillRef,
} from "../control/mod.ts";
import { type Clock, errorText, getLog, HostError, sleep } from "../core/mod.ts";
import type { SkillCache } from "./skill_cache.ts";

const log = getLog("workdir", "skills");

/** Pauses before the second and third try, ms. */
const PAUSES_MS = [500, 2_000];

/** A skill that cannot be had; the task fails with this code as its reason. */
export class SkillUnavailable extends HostError {
  constructor(ref: SkillRef, elapsedMs: number, cause: unknown) {
    super(
      `skill "${ref.name}" (${ref.size_bytes} bytes) is not available after ${Math.round(elapsedMs)} ms: ${
        errorText(cause)
      }`,
      { code: "skill_bundle_unavailable", cause, facts: { skill: ref.name, source: ref.source } },
    );
  }
}

/** What {@link SkillBundles} stands on. */
export interface SkillPorts {
  readonly control: Pick<ControlApi, "resolveSkills">;
  readonly cache: SkillCache;
  readonly clock: Clock;
}

/** Asks for bundles, one request a missing skill, each kept at once: one failure does not lose the others. */
export class SkillBundles {
  constructor(private readonly ports: SkillPorts) {}

  /** All skills of the references, in their order. @throws {SkillUnavailable} */
  resolve(task: ClaimedTask, signal: AbortSignal): Promise<readonly Skill[]> {
    return Promise.all((task.agent?.skill_refs ?? []).map((ref) => this.#one(task, ref, signal)));
  }

  async #one(task: ClaimedTask, ref: SkillRef, signal: AbortSignal): Promise<Skill> {
    const cached = await this.ports.cache.load(task.workspace_id, ref).catch((error: unknown) => {
      log.warn("skill cache not read", { skill: ref.name, error: errorText(error) });
      return undefined;
    });
    if (cached !== undefined) return cached;
    return await this.#fetch(task, ref, signal);
  }

  async #fetch(task: ClaimedTask, ref: SkillRef, signal: AbortSignal): Promise<Skill> {
    const { clock, cache } = this.ports;
    const started = clock.monotonic();
    for (let attempt = 0;; attempt++) {
      try {
        const bundle = await this.#request(task, ref, signal);
        await cache.store(task.workspace_id, bundle).catch((error: unknown) => {
          log.warn("skill not kept in the cache", { skill: ref.name, error: errorText(error) });
        });
        return bundle;
      } catch (error) {
        signal.throwIfAborted();
        const pause = PAUSES_MS[attempt];
        if (pause === undefined || isFinal(error)) {
          throw new SkillUnavailable(ref, clock.monotonic() - started, error);
        }
        log.warn("skill not received, trying again", { skill: ref.name, error: errorText(error) });
        await sleep(clock, pause, signal);
      }
    }
  }

  async #request(task: ClaimedTask, ref: SkillRef, signal: AbortSignal): Promise<Skill> {
    const limitMs = bundleLimitMs(ref.size_bytes);
    const bundles = await this.ports.control.resolveSkills(task.runtime_id, task.id, [ref], {
      signal,
      limitMs,
    });
    const answered = bundles.find(({ id, source }) =>
      id === ref.id && (source === ref.source || source === "")
    );
    if (answered === undefined) throw new WrongBundle("the server answered with another skill");
    const bundle = { ...answered, source: ref.source };
    if (!isConsistentBundle(bundle)) throw new WrongBundle("its contents do not match its hash");
    if (ref.source === "plugin" && bundle.hash !== ref.hash) {
      throw new WrongBundle("the server answered with another version");
    }
    return bundle;
  }
}

class WrongBundle extends HostError {
  constructor(why: string) {
    super(why, { code: "skill_bundle_wrong" });
  }
}

/** The server's no does not change by asking again. */
function isFinal(error: unknown): boolean {
  return error instanceof WrongBundle ||
    error instanceof RequestError && error.status >= 400 && error.status < 500 && error.status !== 408 &&
      error.status !== 429;
}
