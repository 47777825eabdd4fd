/** File operations in an opened local directory: every path is resolved below its root, links are never followed out. */
import { basename, dirname, join } from "node:path";
import type { FileAnswer, FileOp } from "../core/mod.ts";
import { isPlainAbsolute, isWithin, realPathOf } from "./path_check.ts";
import { BrokerRefused } from "./refusal.ts";

/** Longest file read this way, bytes: briefs and manifests, not data. */
const MAX_READ_BYTES = 8 * 1024 * 1024;

/** Runs the operations in order and stops at the first that fails. `root` is a real path. @throws {BrokerRefused} */
export async function runLocalOps(
  root: string,
  ops: readonly FileOp[],
): Promise<readonly FileAnswer[]> {
  if (await realPathOf(root) !== root || !(await exists(root))) {
    throw new BrokerRefused("local", `${root} is no longer there`, { path: root });
  }
  const answers: FileAnswer[] = [];
  for (const op of ops) answers.push(await runLocalOp(root, op));
  return answers;
}

async function runLocalOp(root: string, op: FileOp): Promise<FileAnswer> {
  const path = await placeOf(root, op);
  switch (op.op) {
    case "stat":
      return await statOf(path);
    case "read":
      return await readText(await followed(root, path, op));
    case "write":
      await replaceFile(await followed(root, path, op), op.text, op.mode);
      return {};
    case "mkdir":
      await Deno.mkdir(path, { recursive: true, mode: op.mode });
      return {};
    case "remove":
      return await removeAt(path, op.recursive);
    case "list":
      return { entries: await entriesOf(await followed(root, path, op)) };
  }
}

/** The path with its parent resolved; the last part itself may be a link and is not followed. */
async function placeOf(root: string, op: FileOp): Promise<string> {
  if (!isPlainAbsolute(op.path) || !isWithin(op.path, root)) throw outside(root, op);
  if (op.path === root) {
    if (op.op === "remove" || op.op === "write") throw outside(root, op);
    return root;
  }
  const parent = await realPathOf(dirname(op.path));
  if (!isWithin(parent, root)) throw outside(root, op);
  return join(parent, basename(op.path));
}

/** The path with every link followed, which must not lead out. */
async function followed(root: string, path: string, op: FileOp): Promise<string> {
  const real = await realPathOf(path);
  if (!isWithin(real, root)) throw outside(root, op);
  return real;
}

function outside(root: string, op: FileOp): BrokerRefused {
  return new BrokerRefused("local", `${op.path} is not below the opened directory ${root}`, {
    op: op.op,
    path: op.path,
  });
}

async function statOf(path: string): Promise<FileAnswer> {
  try {
    const { isFile, isDirectory, isSymlink, size, mtime, mode } = await Deno.lstat(path);
    const kind = isFile ? "file" : isDirectory ? "dir" : isSymlink ? "link" : "other";
    return { kind, size, mtimeMs: mtime?.getTime() ?? 0, mode: (mode ?? 0) & 0o7777 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing" };
    throw error;
  }
}

async function readText(path: string): Promise<FileAnswer> {
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) return { kind: "other" };
    if (size > MAX_READ_BYTES) {
      throw new BrokerRefused("local", `${path} is too large to be read here`, { path, size });
    }
    return { text: await Deno.readTextFile(path) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing" };
    throw error;
  }
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true, mode });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may never have been made; the cause is what counts
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await statOf(path)).kind === "dir";
}

async function removeAt(path: string, recursive: boolean): Promise<FileAnswer> {
  try {
    await Deno.remove(path, { recursive });
    return {};
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing" };
    throw error;
  }
}

async function entriesOf(path: string): Promise<NonNullable<FileAnswer["entries"]>> {
  const entries: { name: string; kind: "file" | "dir" | "link" | "other" }[] = [];
  for await (const { name, isFile, isDirectory, isSymlink } of Deno.readDir(path)) {
    entries.push({ name, kind: isFile ? "file" : isDirectory ? "dir" : isSymlink ? "link" : "other" });
  }
  return entries;
}
