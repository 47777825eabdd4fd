/** What is wrong with the settings, all of it at once. */
import { HostError } from "../core/mod.ts";

/** One refused value: its name, what it says, why not, and what would be right. */
export interface SettingProblem {
  /** Variable, flag, or key and file. */
  readonly source: string;
  /** The value as given; never a secret. */
  readonly value: string;
  readonly reason: string;
  /** What would be right, to be read after "use". */
  readonly want: string;
}

/** The host cannot start with these settings (exit code 1, spec 03 §7.3). */
export class SettingsInvalid extends HostError {
  constructor(readonly problems: readonly SettingProblem[]) {
    const lines = problems.map(problemText);
    super(
      lines.length === 1
        ? `Cannot use ${lines[0]}`
        : `Cannot use ${lines.length} settings:\n${lines.map((line) => `  ${line}`).join("\n")}`,
      { code: "settings_invalid", hint: "multica-host config shows every setting and where it comes from" },
    );
  }
}

/** `MULTICA_DAEMON_POLL_INTERVAL="30": invalid duration, it has no unit; use …`. */
export function problemText(problem: SettingProblem): string {
  return `${problem.source}=${JSON.stringify(problem.value)}: ${problem.reason}; use ${problem.want}`;
}

/** A command that belongs to the human was called from inside a task (spec 03 §17.6). */
export class InvalidTaskUse extends HostError {
  constructor(command: string, signal: string) {
    super(
      `"${command}" belongs to the person who owns this machine; it cannot be used inside a task (${signal} is set)`,
      {
        code: "refused_inside_task",
        facts: { command, signal },
      },
    );
  }
}
