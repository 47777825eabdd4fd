/** Fake agent programs: shell scripts in a temporary directory. */
import { join } from "node:path";

/** A home directory with whatever programs a test puts in it; removed by `dispose`. */
export class FakeMachine {
  readonly home = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "fake_machine_" }));

  /** Writes an executable shell script and returns its path. */
  script(path: string, body: string): string {
    return this.file(path, `#!/bin/sh\n${body}\n`, 0o755);
  }

  /** Writes a file, directories included. */
  file(path: string, text: string, mode = 0o644): string {
    const full = join(this.home, path);
    Deno.mkdirSync(join(full, ".."), { recursive: true });
    Deno.writeTextFileSync(full, text);
    Deno.chmodSync(full, mode);
    return full;
  }

  /** PATH of the fake machine: its own directories, then the system's. */
  path(...dirs: string[]): string {
    return [...dirs.map((dir) => join(this.home, dir)), "/usr/bin", "/bin"].join(":");
  }

  dispose(): void {
    Deno.removeSync(this.home, { recursive: true });
  }
}
