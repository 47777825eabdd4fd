/** Sending a file to the server (spec 05 §21.9, §27.5). */
import * as z from "zod";
import { TRANSFER_LIMIT_MS } from "./client.ts";
import { LocalError } from "./failures.ts";
import type { Session } from "./session.ts";
import type { PendingFile } from "./task_files.ts";

const attachment = z.looseObject({
  id: z.string().catch(""),
  filename: z.string().catch(""),
  markdown_url: z.string().catch(""),
  url: z.string().catch(""),
  content_type: z.string().catch(""),
});

/** An uploaded file as the server knows it. */
export type Attachment = z.infer<typeof attachment>;

/** Uploads and gives the attachment's id. @throws {LocalError} when the server stored it without an id */
export async function uploadFile(
  session: Session,
  file: PendingFile,
  fields: Readonly<Record<string, string>>,
): Promise<string> {
  return (await upload(session, file, fields)).id;
}

/** Uploads and gives the whole attachment. */
export async function upload(
  { client }: Session,
  { name, bytes }: PendingFile,
  fields: Readonly<Record<string, string>>,
): Promise<Attachment> {
  const form = new FormData();
  form.append("file", new Blob([bytes as Uint8Array<ArrayBuffer>]), name);
  for (const [key, value] of Object.entries(fields)) form.append(key, value);
  const path = "/api/upload-file";
  const { json } = await client.request({ method: "POST", path, form, leastLimitMs: TRANSFER_LIMIT_MS });
  const stored = attachment.parse(json ?? {});
  if (stored.id === "") {
    throw new LocalError(`the server stored ${name} without an id, so it cannot be attached`);
  }
  return stored;
}
