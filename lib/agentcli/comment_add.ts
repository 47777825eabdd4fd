/** `multica issue comment add` (spec 05 §21.3). */
import { uploadFile } from "./attachments.ts";
import { part } from "./client.ts";
import { LocalError, step } from "./failures.ts";
import { lintLinks } from "./link_lint.ts";
import { jsonText, wantsJson } from "./output.ts";
import { resolveIssue } from "./resolve.ts";
import { readAttachments } from "./task_files.ts";
import { EXTERNAL_FILE_FLAG } from "./text_flags.ts";
import { textInput } from "./text_input.ts";
import type { Call } from "./types.ts";

/** Adds a comment with its attachments. */
export async function commentAdd(call: Call): Promise<number> {
  const { given, io } = call;
  const content = await textInput(call, "content");
  if (content === undefined) {
    throw new LocalError("a comment needs --content-file, --content-stdin or --content");
  }
  await lintLinks(content, io.cwd, "attach the file: --attachment PATH");
  const session = await call.session();
  const issue = await resolveIssue(session, call.args[0]!);
  const files = await readAttachments(given.list("attachment"), {
    cwd: io.cwd,
    anywhere: given.bool(EXTERNAL_FILE_FLAG.name),
    note: io.err,
  });
  const ids: string[] = [];
  for (const file of files) {
    ids.push(await step(`upload ${file.path}`, () => uploadFile(session, file, { issue_id: issue.id })));
    io.err(`Uploaded ${file.path}\n`);
  }
  const parent = given.text("parent");
  const { json } = await step("add comment", () =>
    session.client.request({
      method: "POST",
      path: `/api/issues/${part(issue.id)}/comments`,
      json: {
        content,
        ...(parent === "" ? {} : { parent_id: parent }),
        ...(ids.length === 0 ? {} : { attachment_ids: ids }),
      },
    }));
  io.err(`Comment added to issue ${issue.name}.\n`);
  if (wantsJson(call, "json")) io.out(jsonText(json ?? null));
  return 0;
}
