/**
 * The process groups of this host, on disk: what a killed host leaves running is ended by the next one before it claims,
 * so that no task is worked on twice at the same time.
 */
import { errorText, getLog, type ProcessControl, type ProcessGroup } from "../core/mod.ts";
import { checkGroup } from "./group_check.ts";

const log = getLog("supervisor", "groups");

/** Lines after which the file is written anew with the live groups only. */
const COMPACT_LINES = 500;
/** Leftover agents get this long between TERM and KILL. */
const GRACE_MS = 2_000;

/** Owner of the file: one `pid marker` a line, appended at each start (about 50 µs). */
export class GroupLedger {
  #lines = 0;

  constructor(private readonly file: string, private readonly live: () => readonly ProcessGroup[]) {}

  /** Ends what an earlier host left behind. Only carriers of the markers and their descendants are touched (f11). */
  async endLeftovers(processes: Pick<ProcessControl, "end">): Promise<void> {
    const groups = this.#read();
    if (groups.length === 0) return;
    const reports = await Promise.all(groups.map((group) => processes.end(group, { graceMs: GRACE_MS })));
    const pids = reports.flatMap((report) => report.leftovers);
    const empty = reports.every((report) => report.empty);
    if (pids.length > 0) {
      log.warn("agents of an earlier host were still running and were ended", { pids, empty });
    }
    this.clear();
  }

  /** Notes a group that was just registered. */
  add(group: ProcessGroup): void {
    try {
      if (++this.#lines > COMPACT_LINES) this.#rewrite();
      else Deno.writeTextFileSync(this.file, line(group), { append: true, mode: 0o600 });
    } catch (error) {
      log.error("process group not noted on disk", { file: this.file, error: errorText(error) });
    }
  }

  /** Nothing of this host runs any more. */
  clear(): void {
    this.#lines = 0;
    try {
      Deno.removeSync(this.file);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        log.warn("list of process groups not removed", { file: this.file, error: errorText(error) });
      }
    }
  }

  #rewrite(): void {
    const groups = this.live();
    const temporary = `${this.file}.tmp`;
    Deno.writeTextFileSync(temporary, groups.map(line).join(""), { mode: 0o600 });
    Deno.renameSync(temporary, this.file);
    this.#lines = groups.length;
  }

  #read(): ProcessGroup[] {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.file);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        log.warn("list of process groups not readable", { file: this.file, error: errorText(error) });
      }
      return [];
    }
    return text.split("\n").flatMap((entry) => {
      const cut = entry.indexOf(" ");
      const { group } = checkGroup({ pid: Number(entry.slice(0, cut)), marker: entry.slice(cut + 1) });
      return group !== undefined && group.pid !== Deno.pid ? [group] : [];
    });
  }
}

function line(group: ProcessGroup): string {
  return `${group.pid} ${group.marker}\n`;
}
