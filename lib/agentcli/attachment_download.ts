/** `multica attachment download` (spec 05 §22.3, §27.4). */
import { join, resolve } from "node:path";
import * as z from "zod";
import { errorText } from "../core/mod.ts";
import { part } from "./client.ts";
import { LocalError } from "./failures.ts";
import { jsonText } from "./output.ts";
import type { Call } from "./types.ts";

const attachment = z.looseObject({ filename: z.string().catch(""), download_url: z.string().catch("") });

/** Writes the file and prints where. */
export async function attachmentDownload(call: Call): Promise<number> {
  const { given, io } = call;
  const id = call.args[0]!;
  const { client } = await call.session();
  const { json } = await client.get(`/api/attachments/${part(id)}`);
  const { filename, download_url: url } = attachment.parse(json ?? {});
  if (url === "") throw new LocalError(`attachment ${id} has no download_url; ask for it again`);
  if (!/^(?:https?:\/\/|\/(?!\/))/.test(url)) {
    throw new LocalError(`attachment ${id}: its download_url is no address`);
  }
  const bytes = await client.download(url);
  const path = join(resolve(io.cwd, given.text("output-dir")), safeName(filename, id));
  try {
    await Deno.mkdir(resolve(io.cwd, given.text("output-dir")), { recursive: true });
    await Deno.writeFile(path, bytes, { mode: 0o644 });
  } catch (error) {
    throw new LocalError(`cannot write ${path}: ${errorText(error)}`, error);
  }
  io.err(`Downloaded to ${path}\n`);
  io.out(jsonText({ id, filename, path, size: String(bytes.length) }));
  return 0;
}

/** The last part of a name that came from elsewhere, without anything that leads out of a directory. */
export function safeName(filename: string, id: string): string {
  const name = filename.split(/[\\/]/).at(-1)?.replace(/\p{Cc}/gu, "") ?? "";
  return ["", ".", ".."].includes(name) ? id.replace(/[^\w-]/g, "_") : name;
}
