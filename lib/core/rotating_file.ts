/** A log file that never grows without bound: rotated by size, written by one process, never in the way of the work. */

/** Limits of a {@link RotatingFile}. */
export interface RotatingFileOptions {
  readonly path: string;
  /** Size at which the file is rotated, bytes. */
  readonly maxBytes: number;
  /** Rotated files kept (`.1` newest), beside the current one. */
  readonly maxFiles: number;
}

const encoder = new TextEncoder();

/**
 * Appends lines; before the file would pass `maxBytes` it becomes `.1`, `.1` becomes `.2`, and so on. A write that fails
 * (disk full, directory gone) is counted, not thrown: logging must not end a task. The next line that gets through is
 * preceded by one that says how many were lost.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #file: Deno.FsFile | undefined;
  #size = 0;
  #lost = 0;

  /** Opens the file (0600, appending). @throws when it cannot be opened now. */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#open();
  }

  /** Lines that could not be written since the last one that was. */
  get lost(): number {
    return this.#lost;
  }

  /** Appends `lines` whole lines, each with its newline. `lostLine` makes the notice for lines lost before. */
  write(text: string, lostLine: (lost: number) => string, lines = 1): void {
    try {
      const bytes = encoder.encode(this.#lost > 0 ? lostLine(this.#lost) + text : text);
      if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) this.#rotate();
      const file = this.#file ?? this.#open();
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      this.#size += bytes.length;
      this.#lost = 0;
    } catch {
      // Counted instead: there is nowhere left to say it until the file takes lines again.
      this.#lost += lines;
    }
  }

  /** Closes the file; later lines open it again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #open(): Deno.FsFile {
    const file = Deno.openSync(this.#options.path, { create: true, append: true, mode: 0o600 });
    this.#size = file.statSync().size;
    this.#file = file;
    return file;
  }

  #rotate(): void {
    const { path, maxFiles } = this.#options;
    this.close();
    for (let n = maxFiles - 1; n >= 1; n--) renameIfThere(`${path}.${n}`, `${path}.${n + 1}`);
    renameIfThere(path, `${path}.1`);
    this.#open();
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
