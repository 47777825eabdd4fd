/** What the rehearsal agent will do with a prompt: look, read, write, and say that it is no model. */
import { cutUtf8, errorText } from "../core/mod.ts";
import type { Json } from "./stream_json.ts";

/** One tool call, done for real. */
export interface RehearsalStep {
  readonly tool: string;
  readonly input: Json;
  /** Asks for permission first. */
  readonly asks: boolean;
  /** Does it. @returns what the tool answers. */
  readonly act: () => Promise<string>;
}

/** A whole performance. */
export interface RehearsalPlan {
  readonly thought: string;
  readonly opening: string;
  readonly steps: readonly RehearsalStep[];
  readonly closing: string;
  /** "" or the error text to end with: `rehearsal:fail=TEXT` in the prompt. */
  readonly failure: string;
  /** `rehearsal:wait=MS` in the prompt, at most ten minutes. */
  readonly waitMs: number;
}

const NOTES_FILE = "REHEARSAL.md";
const READ_BYTES = 2_048;
const MAX_WAIT_MS = 600_000;
const PREFERRED = ["README.md", "README", "readme.md"];

/** Plans for `prompt` in `cwd`. `now` is the wall clock, ms. */
export async function planRehearsal(prompt: string, cwd: string, now: number): Promise<RehearsalPlan> {
  const files = await visibleFiles(cwd);
  const first = PREFERRED.find((name) => files.includes(name)) ?? files.find((name) => name !== NOTES_FILE);
  const read = first === undefined ? [] : [readStep(cwd, first)];
  const told = firstLine(prompt);
  return {
    thought:
      "I am the rehearsal agent, a program and no model. I do not understand the task; I only go the way an " +
      "agent would go: look around, read something, change something, report.",
    opening: "Rehearsal: no model is at work here. I look at the directory, read a file and write a note.",
    steps: [listStep(cwd), ...read, noteStep(cwd, told, files, now)],
    closing: "Rehearsal finished. I am a program, no model, and did not work on the task itself: I " +
      `${first === undefined ? "found no file to read" : `read ${first}`} and wrote ${NOTES_FILE}. ` +
      "Connect a coding agent for real work.",
    failure: /rehearsal:fail=(.*)/.exec(prompt)?.[1]?.trim() ?? "",
    waitMs: Math.min(MAX_WAIT_MS, Number(/rehearsal:wait=(\d{1,7})/.exec(prompt)?.[1] ?? 0)),
  };
}

function listStep(cwd: string): RehearsalStep {
  return {
    tool: "Glob",
    input: { pattern: "*", path: cwd },
    asks: false,
    act: async () => (await visibleFiles(cwd)).join("\n") || "no files",
  };
}

function readStep(cwd: string, name: string): RehearsalStep {
  return {
    tool: "Read",
    input: { file_path: `${cwd}/${name}` },
    asks: false,
    act: () => attempt(async () => cutUtf8(await Deno.readTextFile(`${cwd}/${name}`), READ_BYTES)),
  };
}

function noteStep(cwd: string, told: string, files: readonly string[], now: number): RehearsalStep {
  const path = `${cwd}/${NOTES_FILE}`;
  const note = `## Rehearsal of ${new Date(now).toISOString()}\n\n` +
    `Written by the rehearsal agent, a program without a model.\n\n- Asked: ${told}\n` +
    `- Files seen: ${files.length === 0 ? "none" : files.slice(0, 20).join(", ")}\n\n`;
  return {
    tool: "Write",
    input: { file_path: path, content: note },
    asks: true,
    act: () =>
      attempt(async () => {
        await Deno.writeTextFile(path, note, { append: true });
        return `wrote ${NOTES_FILE}`;
      }),
  };
}

async function visibleFiles(cwd: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(cwd)) {
    if (entry.isFile && !entry.name.startsWith(".")) names.push(entry.name);
  }
  return names.sort();
}

async function attempt(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return `failed: ${errorText(error)}`;
  }
}

function firstLine(prompt: string): string {
  const line = prompt.split("\n").map((text) => text.trim()).find((text) => text !== "") ?? "nothing";
  return cutUtf8(line, 200);
}
