/** A disk of 1 MiB that can really be full. Needs the right to mount (root, or sudo without a password). */

const SIZE = "1m";

async function asRoot(...command: string[]): Promise<boolean> {
  const [program, ...args] = Deno.uid() === 0 ? command : ["sudo", "-n", ...command];
  try {
    return (await new Deno.Command(program!, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false; // No such program.
  }
}

/** A mounted tmpfs. Unmount it. */
export class TinyDisk {
  private constructor(readonly dir: string) {}

  /** Whether a disk can be mounted here. In CI it must be possible. @throws where `CI` is set and it is not */
  static async possible(): Promise<boolean> {
    if (Deno.build.os !== "linux") return false;
    try {
      await (await TinyDisk.mount()).unmount();
      return true;
    } catch (error) {
      if ((Deno.env.get("CI") ?? "") !== "") throw error;
      return false;
    }
  }

  static async mount(): Promise<TinyDisk> {
    const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "multica-disk-" }));
    const options = `size=${SIZE},mode=0700,uid=${Deno.uid()},gid=${Deno.gid()}`;
    if (await asRoot("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir)) return new TinyDisk(dir);
    await Deno.remove(dir);
    throw new Error("cannot mount a tmpfs: the full disk cannot be tested here");
  }

  /** Takes all the room that is left. */
  async fill(): Promise<void> {
    const file = await Deno.open(`${this.dir}/filler`, { write: true, create: true });
    try {
      for (let step = 64 * 1024; step >= 1; step = Math.floor(step / 2)) {
        const bytes = new Uint8Array(step);
        try {
          for (;;) await file.write(bytes);
        } catch (error) {
          if (!/space|ENOSPC/i.test(String(error))) throw error;
        }
      }
    } finally {
      file.close();
    }
  }

  /** Gives the room back. */
  async empty(): Promise<void> {
    await Deno.remove(`${this.dir}/filler`);
  }

  async unmount(): Promise<void> {
    if (!await asRoot("umount", this.dir)) await asRoot("umount", "-l", this.dir);
    await Deno.remove(this.dir);
  }
}
