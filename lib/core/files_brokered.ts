/** Files of a directory that only the supervisor may touch: the near side of its file operations. */
import {
  FileFailed,
  type FileInfo,
  FileRefused,
  isBelow,
  type WorkFiles,
  type WriteOptions,
} from "./files.ts";

/** One operation, as the supervisor's protocol names it. */
export type FileOp =
  | { readonly op: "stat"; readonly path: string }
  | { readonly op: "read"; readonly path: string }
  | { readonly op: "write"; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly op: "mkdir"; readonly path: string; readonly mode: number }
  | { readonly op: "remove"; readonly path: string; readonly recursive: boolean }
  | { readonly op: "list"; readonly path: string };

/** What one operation found; a missing file is `kind: "missing"`. `stat` does not follow the last link. */
export interface FileAnswer {
  readonly kind?: FileInfo["kind"] | "missing";
  readonly size?: number;
  readonly mtimeMs?: number;
  readonly mode?: number;
  readonly text?: string;
  readonly entries?: readonly { readonly name: string; readonly kind: FileInfo["kind"] }[];
}

/** Runs operations in one opened directory, in order; rejects at the first that is refused or fails. */
export type FileOpsCall = (root: string, ops: readonly FileOp[]) => Promise<readonly FileAnswer[]>;

/** {@link WorkFiles} over a call. `root` is the real path the far side opened. */
export function brokeredFiles(root: string, call: FileOpsCall): WorkFiles {
  const ask = async (op: FileOp): Promise<FileAnswer> => {
    if (!isBelow(op.path, root)) throw new FileRefused(op.path, `it is not below ${root}`);
    let answer: FileAnswer | undefined;
    try {
      [answer] = await call(root, [op]);
    } catch (error) {
      throw new FileFailed(op.op, op.path, error);
    }
    if (answer === undefined) throw new FileFailed(op.op, op.path, "the supervisor did not answer it");
    return answer;
  };
  const lstat = async (path: string) => infoOf(await ask({ op: "stat", path }));
  const write = async (path: string, text: string, mode: number) => {
    await ask({ op: "write", path, text, mode });
  };
  return {
    root,
    lstat,
    /** The far side resolves the path before it reads, so a link's own facts are as far as one can look. */
    stat: lstat,
    async read(path) {
      const answer = await ask({ op: "read", path });
      if (answer.kind === "missing") return undefined;
      if (answer.text === undefined) throw new FileRefused(path, "it is no regular file");
      return answer.text;
    },
    async create(path, text, mode = 0o644) {
      if (await lstat(path) !== undefined) return false;
      await write(path, text, mode);
      return true;
    },
    writeAtomic: (path, text, options: WriteOptions = {}) => write(path, text, options.mode ?? 0o644),
    async mkdir(path, mode = 0o755) {
      await ask({ op: "mkdir", path, mode });
    },
    async remove(path, options = {}) {
      const answer = await ask({ op: "remove", path, recursive: options.recursive ?? false });
      return answer.kind !== "missing";
    },
    async list(path) {
      if (await lstat(path) === undefined) return undefined;
      return (await ask({ op: "list", path })).entries ?? [];
    },
  };
}

function infoOf(answer: FileAnswer): FileInfo | undefined {
  if (answer.kind === undefined || answer.kind === "missing") return undefined;
  const { kind, size = 0, mtimeMs = 0, mode = 0 } = answer;
  return { kind, size, mtimeMs, mode, identity: "" };
}
