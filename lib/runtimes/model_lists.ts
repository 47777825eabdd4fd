/** Asks agent CLIs for their models: bounded, one question at a time for each, remembered for a minute (spec 08 §3). */
import { type ModelList, modelSource, plainModels } from "../agents/mod.ts";
import { errorText, getLog } from "../core/mod.ts";
import { probeEnvironment, type ProbePorts, runProbe } from "./discovery_run.ts";

const log = getLog("runtimes", "models");

/** How long a list that has models is believed, ms. */
const KEEP_MS = 60_000;
/** Catalogs with a block for each model are long. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Whose models. */
export interface ModelTarget {
  readonly provider: string;
  /** "" when this host cannot launch it. */
  readonly executable: string;
  readonly prefixArgs: readonly string[];
}

/** What {@link ModelLists} needs. */
export interface ModelListPorts extends ProbePorts {
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
}

/** Owner of the lists. */
export class ModelLists {
  readonly #known = new Map<string, { readonly at: number; readonly list: Promise<ModelList> }>();

  constructor(private readonly ports: ModelListPorts) {}

  /** Never rejects: a CLI that is missing, fails or hangs leaves the plain list, which is not remembered. */
  list(target: ModelTarget): Promise<ModelList> {
    const { provider, executable, prefixArgs } = target;
    if (executable === "" || modelSource(provider) === undefined) {
      return Promise.resolve(plainModels(provider));
    }
    const key = [provider, executable, ...prefixArgs].join("\0");
    const now = this.ports.clock.monotonic();
    const known = this.#known.get(key);
    if (known !== undefined && now - known.at < KEEP_MS) return known.list;
    const list = this.#asked(target);
    this.#known.set(key, { at: now, list });
    return list.then((found) => {
      if (found.fallback || found.models.length === 0) this.#known.delete(key);
      return found;
    });
  }

  async #asked(target: ModelTarget): Promise<ModelList> {
    const { provider, executable, prefixArgs } = target;
    const { commands, limitMs, parse } = modelSource(provider)!;
    const { clock, env, home } = this.ports;
    const until = clock.monotonic() + limitMs;
    try {
      for (const command of commands) {
        const left = until - clock.monotonic();
        if (left <= 0) break;
        const args = [...prefixArgs, ...command];
        const spec = { executable, args, env: probeEnvironment(env, executable), cwd: home };
        const limits = { limitMs: left, heldMs: 2_000, maxBytes: MAX_OUTPUT_BYTES };
        const { stdout, stderr } = await runProbe(spec, limits, this.ports);
        const models = parse(`${stdout}\n${stderr}`);
        if (models.length > 0) return { models, fallback: false };
      }
      log.info("agent named no models", { provider, executable });
    } catch (error) {
      log.warn("agent cannot be asked for its models", { provider, executable, error: errorText(error) });
    }
    return plainModels(provider);
  }
}
