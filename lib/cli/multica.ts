/** The agents' `multica`: the shim on disk that starts this program, and the hidden verb behind it. */
import { installShim, runAgentCli } from "../agentcli/mod.ts";
import { keepLoopbackDirect } from "../config/mod.ts";
import { systemClock } from "../core/mod.ts";
import { ownCommand } from "./own_command.ts";

/** Writes the shim of this host into `shimDir`. @throws {HostError} when it cannot be written */
export async function installMultica(shimDir: string): Promise<void> {
  await installShim({ shimDir, host: ownCommand() });
}

/** Runs an agent's command line, given without the hidden verb, and gives the exit code. */
export function multica(args: readonly string[]): Promise<number> {
  keepLoopbackDirect();
  const encoder = new TextEncoder();
  return runAgentCli(args, Deno.env.toObject(), {
    cwd: Deno.cwd(),
    out: (text) => writeAll(Deno.stdout, encoder.encode(text)),
    err: (text) => writeAll(Deno.stderr, encoder.encode(text)),
    stdin: () => new Response(Deno.stdin.readable).bytes(),
    clock: systemClock,
  });
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
  } catch (error) {
    // `multica … | head`: the reader has what it wanted.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
