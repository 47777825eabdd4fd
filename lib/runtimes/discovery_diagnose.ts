/** Explains a CLI that is there but cannot run: npm placeholders whose postinstall was blocked (spec 06 §11.6). */
import { dirname, join } from "node:path";
import { errorText, getLog } from "../core/mod.ts";
import type { LocateContext } from "./locate.ts";
import type { AgentFault, Repair } from "./types.ts";

const log = getLog("runtimes", "discovery");

/** What is wrong, and what to do about it ("" = nothing certain). */
export interface Diagnosis {
  readonly problem: string;
  readonly fault: AgentFault;
  readonly fix: string;
  readonly repair?: Repair;
}

/**
 * Undefined when the file looks runnable. Otherwise it is a placeholder: no `#!`, no program header. The system's own
 * "exec format error" often never shows, because libc hands such files to `/bin/sh` (measured).
 */
export function diagnosePlaceholder(path: string, context: Pick<LocateContext, "os">): Diagnosis | undefined {
  if (looksRunnable(path, context)) return undefined;
  const repair = repairOf(path, context);
  return {
    problem: `${path} is a placeholder, not a program: its package's postinstall script did not run ` +
      "(npm 12 script allow-list, pnpm 10 build approval, --ignore-scripts or --omit=optional)",
    fault: "not_executable",
    fix: repair?.command ?? "reinstall the package with its install scripts allowed",
    ...(repair === undefined ? {} : { repair }),
  };
}

/** The command that runs the blocked postinstall script of the package a CLI belongs to. */
export function repairOf(path: string, context: Pick<LocateContext, "os">): Repair | undefined {
  let real: string;
  try {
    real = Deno.realPathSync(path);
  } catch {
    return undefined; // gone meanwhile: nothing to repair
  }
  const root = dirname(dirname(real));
  const manifest = readManifest(join(root, "package.json"));
  if (manifest === undefined) return undefined;
  const { name, script } = manifest;
  return context.os === "windows"
    ? {
      packageName: name,
      shell: "powershell",
      command: `Set-Location '${root.replaceAll("'", "''")}'\n${script}`,
    }
    : { packageName: name, shell: "sh", command: `cd '${root.replaceAll("'", "'\\''")}' && ${script}` };
}

function readManifest(file: string): { name: string; script: string } | undefined {
  try {
    const manifest: unknown = JSON.parse(Deno.readTextFileSync(file));
    const { name, scripts } = manifest as { name?: unknown; scripts?: { postinstall?: unknown } };
    const script = scripts?.postinstall;
    return typeof script === "string" && script !== "" ? { name: String(name ?? ""), script } : undefined;
  } catch (error) {
    log.debug("no package manifest to repair from", { file, error: errorText(error) });
    return undefined;
  }
}

function looksRunnable(path: string, context: Pick<LocateContext, "os">): boolean {
  const head = new Uint8Array(4);
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true });
  } catch {
    return true; // not readable, so nothing can be said against it
  }
  try {
    file.readSync(head);
  } finally {
    file.close();
  }
  if (context.os === "windows") return !/\.exe$/i.test(path) || head[0] === 0x4d && head[1] === 0x5a;
  const [a, b, c, d] = head;
  const shebang = a === 0x23 && b === 0x21;
  const elf = a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46;
  const word = new DataView(head.buffer).getUint32(0);
  const mach = [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe, 0xbebafeca].includes(word);
  return shebang || elf || mach;
}
