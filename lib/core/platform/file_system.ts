/** Which file systems live on this machine, so that small operations on them answer at once. */
import { statfsSync } from "node:fs";

/** `f_type` by operating system: statfs(2) of Linux, the type numbers of macOS. */
const LOCAL_TYPES: Readonly<Record<string, ReadonlySet<number>>> = {
  linux: new Set([
    0xef53, // ext2, ext3, ext4
    0x58465342, // xfs
    0x9123683e, // btrfs
    0x01021994, // tmpfs
    0x858458f6, // ramfs
    0x794c7630, // overlayfs
    0xf2f52010, // f2fs
    0x2fc12fc1, // zfs
    0xca451a4e, // bcachefs
  ]),
  darwin: new Set([
    0x11, // hfs
    0x1a, // apfs
  ]),
};

/** True for a type that is known to be local; a network file system, or one nobody knows, is not. */
export function isLocalType(os: string, type: number): boolean {
  return LOCAL_TYPES[os]?.has(type >>> 0) ?? false;
}

/** True when the path lies on a file system of this machine. Needs the right to ask (`sys: statfs`); false in doubt. */
export function liesOnLocalFileSystem(path: string, os: string = Deno.build.os): boolean {
  try {
    return isLocalType(os, statfsSync(path).type);
  } catch {
    return false;
  }
}
