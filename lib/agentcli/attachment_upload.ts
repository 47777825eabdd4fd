/** `multica attachment upload` for chat replies (spec 05 §27.5). */
import { upload } from "./attachments.ts";
import { LocalError } from "./failures.ts";
import { jsonText } from "./output.ts";
import { readAttachments } from "./task_files.ts";
import { EXTERNAL_FILE_FLAG } from "./text_flags.ts";
import type { Call } from "./types.ts";

/** Uploads the file and prints the Markdown for the reply. */
export async function attachmentUpload(call: Call): Promise<number> {
  const { given, io, env } = call;
  const task = given.has("task") ? given.text("task") : env["MULTICA_TASK_ID"] ?? "";
  if (task === "") throw new LocalError("no task: MULTICA_TASK_ID is not set and --task is not given");
  const [file] = await readAttachments(call.args.slice(0, 1), {
    cwd: io.cwd,
    anywhere: given.bool(EXTERNAL_FILE_FLAG.name),
    note: io.err,
  });
  if (file === undefined) throw new LocalError("a URL needs no upload: put the link into the reply");
  const stored = await upload(await call.session(), file, { task_id: task });
  const url = stored.markdown_url || stored.url;
  const name = stored.filename || file.name;
  const label = name.replace(/[\\[\]()]/g, (c) => `\\${c}`);
  const image = stored.content_type.startsWith("image/") ||
    /\.(?:png|jpe?g|gif|webp|svg|avif|bmp)$/i.test(name);
  const markdown = image ? `![${label}](${url})` : `!file[${label}](${url})`;
  io.out(jsonText({ id: stored.id, filename: name, markdown, markdown_url: url }));
  return 0;
}
