/** The turns of one task: the run, and at most one fresh one when its session turns out to be lost (spec 06 §11.14). */
import {
  type Attempt,
  type Driver,
  reconcileRetry,
  resumeGate,
  type ResumeVerdict,
  type RunRequest,
  shouldRetryFresh,
} from "../agents/mod.ts";
import type { ClaimedTask } from "../control/mod.ts";
import { errorText, getLog } from "../core/mod.ts";
import type { LaunchTarget } from "../runtimes/mod.ts";
import { pathFor } from "../runtimes/mod.ts";
import { agentEnvironment, threadName } from "../workdir/mod.ts";
import { runMarker } from "./agent_env.ts";
import { type AttemptDeps, type AttemptEnd, runAttempt } from "./attempt.ts";
import type { DrainResult } from "./judge.ts";
import type { TaskDeps, TaskEnvironment, TurnFacts } from "./ports.ts";

const log = getLog("tasks", "run");

/** What the turns of a task are made of. */
export interface TurnInput {
  readonly task: ClaimedTask;
  readonly target: LaunchTarget;
  readonly env: TaskEnvironment;
  /** Trimmed task token. */
  readonly token: string;
  readonly slot: number;
  readonly driver: Driver;
}

/** How the turns ended. */
export interface TurnsEnd {
  readonly result: DrainResult;
  readonly retiredSessionId: string;
  /** The last attempt: what still runs. */
  readonly last: AttemptEnd;
}

/** Whether this run resumes, and what the agent is told about it (HD-1, R44). */
export async function planResume(
  task: ClaimedTask,
  target: LaunchTarget,
  env: TaskEnvironment,
): Promise<ResumeVerdict> {
  const priorSessionId = task.prior_session_id;
  const sessionFile = priorSessionId !== "" && env.isPriorWorkDir
    ? await env.sessionFile(priorSessionId)
    : "unknown";
  return resumeGate({
    provider: target.provider,
    priorSessionId,
    priorWorkDir: env.isPriorWorkDir ? env.workDir : "",
    workDir: env.workDir,
    sessionFile,
  });
}

/** What brief and prompt may claim about earlier sessions. */
export function turnFacts(task: ClaimedTask, gate: ResumeVerdict, slot: number): TurnFacts {
  const asked = task.prior_session_id !== "" || task.prior_session_resume_unavailable;
  return { resumed: gate.sessionId !== "", sessionLost: asked && gate.sessionId === "", slot };
}

/** Runs the agent; once more, fresh, when the evidence says that its session cannot be resumed. */
export async function runTurns(
  input: TurnInput,
  gate: ResumeVerdict,
  brief: string,
  deps: TaskDeps,
  attempt: Omit<AttemptDeps, "driver">,
): Promise<TurnsEnd> {
  const facts = turnFacts(input.task, gate, input.slot);
  const options = { ...attempt, driver: input.driver };
  const request = await buildRequest(input, gate.sessionId, facts, brief, deps, attempt.signal);
  const first = await runAttempt(request, options);
  const { provider } = input.target;
  const again = !attempt.signal.aborted && shouldRetryFresh({
    result: first.result,
    provider,
    toolCount: first.toolCount,
    resumeRequested: gate.sessionId !== "",
  });
  if (!again) return { result: first.result, retiredSessionId: gate.retiredSessionId, last: first };
  log.warn("session cannot be resumed, starting afresh once", { task: input.task.id, provider });
  const second = await freshAttempt(input, first, deps, options);
  const kept = reconcileRetry(asAttempt(first), second === undefined ? undefined : asAttempt(second));
  return { result: kept.result, retiredSessionId: gate.sessionId, last: second ?? first };
}

async function freshAttempt(
  input: TurnInput,
  first: AttemptEnd,
  deps: TaskDeps,
  options: AttemptDeps,
): Promise<AttemptEnd | undefined> {
  try {
    await first.ended;
    const facts: TurnFacts = { resumed: false, sessionLost: true, slot: input.slot };
    const brief = await input.env.brief(facts);
    options.transcript.resetTools();
    return await runAttempt(await buildRequest(input, "", facts, brief, deps, options.signal), options);
  } catch (error) {
    log.warn("fresh start failed, the first result stands", { task: input.task.id, error: errorText(error) });
    return undefined;
  }
}

function asAttempt(end: AttemptEnd): Attempt<DrainResult> {
  return { result: end.result, toolCount: end.toolCount };
}

/** Everything resolved, nothing left for the driver to look up (spec 06 §8.1). */
async function buildRequest(
  input: TurnInput,
  resumeSessionId: string,
  facts: TurnFacts,
  brief: string,
  deps: TaskDeps,
  signal: AbortSignal,
): Promise<RunRequest> {
  const { task, target, env } = input;
  const { settings } = deps;
  const { provider, executable } = target;
  const model = task.agent?.model || settings.agentModels[provider] || "";
  return {
    provider,
    executable,
    prefixArgs: target.prefixArgs,
    extraArgs: settings.agentArgs[provider] ?? [],
    customArgs: task.agent?.custom_args ?? [],
    cwd: env.workDir,
    env: childEnvironment(input, deps),
    prompt: env.prompt(facts),
    model,
    systemPrompt: deps.inlinesBrief(provider) ? brief : "",
    threadName: threadName(task),
    resumeSessionId,
    continuityNotice: facts.sessionLost ? "" : env.continuityNotice,
    mcpConfig: env.mcpConfig,
    settingsFile: env.settingsFile ?? "",
    thinkingLevel: await thinkingLevel(input, model, deps, signal),
    serviceTier: task.agent?.service_tier ?? "",
    timeoutMs: settings.agentTimeoutMs,
    semanticInactivityMs: settings.codexSemanticInactivityMs,
    handshakeMs: settings.codexHandshakeMs,
    firstTurnMs: settings.codexFirstTurnMs,
    tempDir: env.tempDir,
    cliVersion: target.version,
    marker: runMarker(task.id),
  };
}

/** The agent's whole environment; the directory of its program stands at the end of PATH, where scripts find their runtime. */
function childEnvironment(input: TurnInput, { settings }: TaskDeps): Readonly<Record<string, string>> {
  const { task, target } = input;
  const { env, blockedKeys } = agentEnvironment({
    task,
    token: input.token,
    serverUrl: settings.serverUrl,
    healthPort: settings.healthPort,
    workspacesRoot: settings.workspacesRoot,
    slot: input.slot,
    inherited: settings.inheritedEnv,
    shimDir: settings.shimDir,
    workDir: input.env.workDir,
    additions: input.env.env,
  });
  if (blockedKeys.length > 0) {
    log.warn("environment keys of the agent skipped", { task: task.id, keys: blockedKeys });
  }
  return { ...env, PATH: pathFor(target.executable, env["PATH"] ?? "") };
}

async function thinkingLevel(
  { task, target }: TurnInput,
  model: string,
  deps: TaskDeps,
  signal: AbortSignal,
): Promise<string> {
  const level = task.agent?.thinking_level ?? "";
  if (level === "" || deps.thinkingLevel === undefined) return level;
  const { provider, executable, prefixArgs } = target;
  try {
    return await deps.thinkingLevel({ provider, executable, prefixArgs, model, level }, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    log.warn("thinking level not checked, passed on as it is", { provider, model, error: errorText(error) });
    return level;
  }
}
