/** Work a heartbeat answer brings: model list, local skills, skill import, update (spec 01 §7.9, 4.22; 02 §8). */
import type {
  AsyncReport,
  ControlApi,
  HeartbeatAnswer,
  LocalSkillEntry,
  ModelEntry,
} from "../control/mod.ts";
import { errorText, getLog, isAbort, type Scope } from "../core/mod.ts";
import type { KnownRuntime, RuntimeRegistry } from "../runtimes/mod.ts";
import type { InstallUpdate } from "./update_requests.ts";

const log = getLog("engine", "actions");

/** What the actions are answered with. Each may throw; the text becomes the report's error. */
export interface ActionPorts {
  readonly control: ControlApi;
  readonly registry: RuntimeRegistry;
  /** undefined = choosing a model has no effect; `fallback`: a stand-in that nobody should keep. */
  readonly models: (
    runtime: KnownRuntime,
    signal: AbortSignal,
  ) => Promise<{ readonly models: readonly ModelEntry[]; readonly fallback: boolean } | undefined>;
  /** undefined = the provider has no local skills. */
  readonly skills: (
    runtime: KnownRuntime,
    signal: AbortSignal,
  ) => Promise<readonly LocalSkillEntry[] | undefined>;
  readonly importSkill: (runtime: KnownRuntime, key: string, signal: AbortSignal) => Promise<unknown>;
  readonly update: InstallUpdate;
}

type Kind = AsyncReport["kind"];

/** Dispatches each action as its own job under the host's lifetime, on either transport. */
export class Actions {
  constructor(private readonly ports: ActionPorts, private readonly scope: Scope) {}

  dispatch(runtimeId: string, answer: HeartbeatAnswer): void {
    const runtime = this.ports.registry.runtime(runtimeId);
    const { pending_update, pending_model_list, pending_local_skills, pending_local_skill_imports } = answer;
    if (pending_update) {
      this.#job(
        runtimeId,
        pending_update.id,
        "update",
        (signal) => this.#update(runtimeId, pending_update.id, pending_update.target_version, signal),
      );
    }
    if (pending_model_list) {
      this.#job(runtimeId, pending_model_list.id, "models", async (signal) => {
        const list = await this.ports.models(known(runtime), signal);
        return {
          status: "completed",
          models: list?.models ?? [],
          supported: list !== undefined,
          ...(list?.fallback === true ? { fallback: true } : {}),
        };
      });
    }
    if (pending_local_skills) {
      this.#job(runtimeId, pending_local_skills.id, "local-skills", async (signal) => {
        const skills = await this.ports.skills(known(runtime), signal);
        return { status: "completed", skills: skills ?? [], supported: skills !== undefined };
      });
    }
    for (const { id, skill_key } of pending_local_skill_imports) {
      this.#job(runtimeId, id, "local-skills/import", async (signal) => ({
        status: "completed",
        skill: await this.ports.importSkill(known(runtime), skill_key, signal),
      }));
    }
  }

  #job(
    runtimeId: string,
    requestId: string,
    kind: Kind,
    work: (signal: AbortSignal) => Promise<Readonly<Record<string, unknown>>>,
  ): void {
    log.info("request from the server", { runtime_id: runtimeId, request_id: requestId, kind });
    this.scope.spawn(kind, async (signal) => {
      let body: Readonly<Record<string, unknown>>;
      try {
        body = await work(signal);
      } catch (error) {
        if (isAbort(error) && signal.aborted) throw error;
        body = { status: "failed", error: errorText(error) };
      }
      await this.ports.control.report(runtimeId, requestId, { kind, body }, { signal });
    });
  }

  async #update(runtimeId: string, requestId: string, target: string, signal: AbortSignal) {
    const started = async () => {
      const running = { kind: "update", body: { status: "running" } } as const;
      await this.ports.control.report(runtimeId, requestId, running, { signal });
    };
    return { status: "completed", output: await this.ports.update(target, started, signal) };
  }
}

function known(runtime: KnownRuntime | undefined): KnownRuntime {
  if (runtime === undefined) {
    throw new Error("this host does not know the runtime (it may just have been removed)");
  }
  return runtime;
}
