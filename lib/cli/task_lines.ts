/** A task and its transcript as lines for people. */
import { formatDuration } from "../core/mod.ts";
import type { LocalMessage, LocalTask, LocalUsage } from "../plane/mod.ts";

/** Paints text when `colour` is on. */
export type Paint = (text: string, style: "dim" | "bold" | "green" | "red" | "yellow" | "cyan") => string;

const CODES = { dim: 2, bold: 1, green: 32, red: 31, yellow: 33, cyan: 36 } as const;

/** The painter for this terminal. */
export function painter(colour: boolean): Paint {
  return (text, style) => colour ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}

/** The piece of an id people type: its last 8 digits, as ids of the same minute begin alike. */
export function shortTask(id: string): string {
  return id.replaceAll("-", "").slice(-8);
}

/** Status with a mark and colour. */
export function statusText(status: string, paint: Paint): string {
  if (status === "completed") return paint("✓ completed", "green");
  if (status === "failed") return paint("✗ failed", "red");
  if (status === "cancelled") return paint("– cancelled", "yellow");
  return paint(`● ${status}`, "cyan");
}

/** Lines of one transcript row. */
export function messageLines(message: LocalMessage, paint: Paint): string[] {
  switch (message.type) {
    case "thinking":
      return indent(message.content ?? "", "  ").map((line) => paint(line, "dim"));
    case "text":
      return ["", ...indent(message.content ?? "", "")];
    case "tool_use":
      return [
        `${paint("→", "cyan")} ${paint(message.tool ?? "tool", "bold")} ${
          oneLine(inputText(message.input), 120)
        }`,
      ];
    case "tool_result":
      return cut(indent(unquoted(message.output ?? message.content ?? ""), "  "), 6).map((line) =>
        paint(line, "dim")
      );
    case "error":
      return [paint(`! ${message.content ?? ""}`, "red")];
    default:
      return indent(message.content ?? "", `  [${message.type}] `);
  }
}

/** The end of a task: status, time, tokens, and its error. */
export function endLines(task: LocalTask, usage: readonly LocalUsage[], paint: Paint): string[] {
  const took = task.started_at !== null && task.completed_at !== null
    ? ` in ${formatDuration(Math.round((task.completed_at - task.started_at) / 100) * 100)}`
    : "";
  const lines = [`${statusText(task.status, paint)}${took}`];
  if (task.error !== "") lines.push(`  ${paint(task.error, "red")}`);
  if (task.failure_reason !== "") lines.push(`  reason: ${task.failure_reason}`);
  if (task.work_dir !== "") lines.push(`  work directory: ${task.work_dir}`);
  if (task.session_id !== "") lines.push(`  session: ${task.session_id}`);
  for (const one of usage) {
    lines.push(
      `  ${one.model || one.provider}: ${one.input_tokens} tokens in, ${one.output_tokens} out, ` +
        `${one.cache_read_tokens} from cache`,
    );
  }
  return lines;
}

/** The most telling value of a tool's input. */
function inputText(input: Readonly<Record<string, unknown>> | undefined): string {
  if (input === undefined) return "";
  const telling = ["command", "file_path", "path", "pattern", "query", "url", "description", "prompt"];
  const key = telling.find((name) => typeof input[name] === "string");
  return key === undefined ? JSON.stringify(input) : String(input[key]);
}

/** Results that are one JSON text are shown as that text. */
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : text;
  } catch {
    // It only begins like JSON: shown as it is.
    return text;
  }
}

function indent(text: string, by: string): string[] {
  return text.replace(/\s+$/, "").split("\n").map((line) => by + line);
}

function cut(lines: string[], most: number): string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most), `  … ${lines.length - most} more lines`];
}

/** Newlines as blanks, cut after `most` characters. */
export function oneLine(text: string, most: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
