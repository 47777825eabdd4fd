/** Ends a child of this process should this process end without a word: a kill, a crash, Ctrl-C. */

/** Watches over one child until it is released. */
export class Guard {
  readonly #child: Deno.ChildProcess;

  /** A shell that reads until this process lets go of its pipe, and then sends TERM to `pid`. */
  constructor(pid: number) {
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", `trap "" INT TERM HUP; read -r _ || kill -TERM ${pid}`],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
  }

  /** The child has ended by itself. */
  async release(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("\n"));
    await writer.close();
    await this.#child.status;
  }
}
