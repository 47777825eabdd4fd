/** Runs a small system tool to its end and gives its output: how the platforms look at process tables. */
import { launch } from "../process.ts";

/** Longest output taken from a tool, bytes: process tables with environments can be large. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

const UNIX_PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin:/usr/local/bin";

/** What a tool printed, and its exit code. */
export interface ToolOutput {
  readonly code: number;
  readonly stdout: string;
}

/** Runs `executable` with a bare environment. @throws {LaunchError} when it cannot be started. */
export async function runTool(executable: string, args: readonly string[]): Promise<ToolOutput> {
  const child = launch({
    executable,
    args,
    env: Deno.build.os === "windows" ? { SystemRoot: "C:\\Windows" } : { PATH: UNIX_PATH, LC_ALL: "C" },
    detached: false,
  });
  const [stdout, , status] = await Promise.all([
    readText(child.stdout),
    child.stderr.pipeTo(new WritableStream()),
    child.status,
  ]);
  return { code: status.code, stdout };
}

async function readText(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
