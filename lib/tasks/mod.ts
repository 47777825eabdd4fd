/**
 * tasks: one task's life from claim to report, and what makes sure that nothing of it is lost. {@link TaskRunner}
 * prepares, runs, watches and judges; {@link Journal} holds on disk what the server must still learn;
 * {@link Outbox} delivers it, in order, for as long as it takes. The room owns the journal and the live tasks.
 */
export { runMarker } from "./agent_env.ts";
export { CancelWatch, type CancelWatchOptions, STATUS_POLL_MS } from "./cancel_watch.ts";
export { type DeliveryApi } from "./deliver.ts";
export { failureOf, TaskFailure, TaskInterrupted, TaskStopped } from "./errors.ts";
export { Journal } from "./journal.ts";
export * from "./journal_types.ts";
export { type DrainResult, judge, type JudgeFacts, type Report, usageEntries } from "./judge.ts";
export { Outbox, type OutboxDeps, type OutboxStatus, type Settlement } from "./outbox.ts";
export * from "./ports.ts";
export { type TaskOutcome, type TaskPhase } from "./run.ts";
export { type ActiveTask, TaskRunner } from "./runner.ts";
export { Transcript, type TranscriptOptions } from "./transcript.ts";
export { narrowWindow, tickMs, Watchdog, type WatchdogOptions } from "./watchdog.ts";
