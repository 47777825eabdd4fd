/** Opens the tasks room: journal, outbox and runner with everything they stand on. */
import { type CatalogModel, classifyFailure, driverFor, levelVerdict, providerRow } from "../agents/mod.ts";
import type { HostConfig } from "../config/mod.ts";
import type { HttpControl } from "../control/mod.ts";
import { getLog, launch } from "../core/mod.ts";
import type { ModelLists } from "../runtimes/mod.ts";
import type { EngineBoot } from "../supervisor/mod.ts";
import { Journal, Outbox, TaskRunner, type TaskSettings } from "../tasks/mod.ts";
import { startProgram } from "./start_program.ts";
import type { EnginePorts } from "./worker_scope.ts";
import { openWorkdirs } from "./workdir_port.ts";

const log = getLog("engine", "tasks");

/** The tasks room, open. */
export interface TaskRoom {
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly runner: TaskRunner;
  /** Takes what runs of a killed host left in users' own directories out again. Call it before anything is claimed. */
  tidyUp(signal: AbortSignal): Promise<void>;
  /** Closes the journal; nothing runs any more. */
  close(): void;
}

export interface TaskRoomParts {
  readonly boot: EngineBoot;
  readonly ports: EnginePorts;
  readonly control: HttpControl;
  readonly models: ModelLists;
  /** Hears that what runner or outbox say of themselves has changed. */
  readonly onChange: () => void;
}

/** Opens workspaces root and journal, and builds what works on them. @throws {HostError} when one cannot be opened */
export async function openTasks(parts: TaskRoomParts): Promise<TaskRoom> {
  const { boot, ports, control, onChange } = parts;
  const { clock, random, processes } = ports;
  const { config } = boot;
  const workdirs = await openWorkdirs(parts);
  const journal = Journal.open(config.paths.journalFile, clock);
  const outbox = new Outbox({
    journal,
    control,
    clock,
    random,
    classify: classifyFailure,
    onStatus: onChange,
  });
  const runner = new TaskRunner({
    control,
    journal,
    outbox,
    clock,
    random,
    launch: (spec) => launch(startProgram(spec, boot)),
    processes,
    driverFor,
    workdir: workdirs.port,
    onPhase: onChange,
    settings: settings(config),
    inlinesBrief: (provider) => providerRow(provider)?.inlineBrief ?? false,
    thinkingLevel: async (facts) => checkedLevel(facts, (await parts.models.list(facts)).models),
    ...ports.taskParts,
  });
  const lost = journal.open();
  const tidyUp = (signal: AbortSignal) => workdirs.takeOutLeftovers(lost, signal);
  return { journal, outbox, runner, tidyUp, close: () => journal.close() };
}

function checkedLevel(
  { provider, model, level }: { readonly provider: string; readonly model: string; readonly level: string },
  catalog: readonly CatalogModel[],
): string {
  const verdict = levelVerdict(provider, model, level, catalog);
  if (verdict === "drop") {
    log.warn("thinking level dropped: the model does not have it", { provider, model, level });
  }
  if (verdict === "unknown") log.debug("thinking level passed on unchecked", { provider, model, level });
  return verdict === "drop" ? "" : level;
}

function settings(config: HostConfig): TaskSettings {
  return {
    serverUrl: config.serverUrl,
    healthPort: config.healthPort,
    token: config.token,
    home: config.paths.home,
    shimDir: config.paths.shimDir,
    workspacesRoot: config.paths.workspacesRoot,
    inheritedEnv: config.inheritedEnv,
    agentArgs: config.agentArgs,
    agentModels: config.agentModels,
    agentTimeoutMs: config.agentTimeoutMs,
    codexSemanticInactivityMs: config.codexSemanticInactivityMs,
    codexHandshakeMs: config.codexHandshakeMs,
    codexFirstTurnMs: config.codexFirstTurnMs,
    idleWatchdogMs: config.idleWatchdogMs,
    toolWatchdogMs: config.toolWatchdogMs,
    providerIdleMs: { opencode: config.opencodeIdleMs },
  };
}
