/** `multica issue create` (spec 05 §21.7). */
import * as z from "zod";
import { RequestError } from "../control/mod.ts";
import { upload } from "./attachments.ts";
import { exitCodeOf, LocalError, presentFailure, SaidError, serverText } from "./failures.ts";
import { checkFields, fieldsOf, SHORT_HEAD, shortRow } from "./issue_fields.ts";
import { lintLinks } from "./link_lint.ts";
import { jsonText, tableText, wantsJson } from "./output.ts";
import { type Issue, issueOf } from "./resolve.ts";
import type { Session } from "./session.ts";
import { type PendingFile, readAttachments } from "./task_files.ts";
import { EXTERNAL_FILE_FLAG } from "./text_flags.ts";
import { textInput } from "./text_input.ts";
import type { Call, Env } from "./types.ts";

/** Creates the issue, then attaches the files. */
export async function issueCreate(call: Call): Promise<number> {
  const { given, io, env } = call;
  if (given.text("title") === "") throw new LocalError("--title is required");
  checkFields(given);
  const attachmentIds = boundAttachments(given.list("attachment-id"), env);
  const description = await textInput(call, "description");
  if (description !== undefined) await lintLinks(description, io.cwd, "attach the file: --attachment PATH");
  const files = await readAttachments(given.list("attachment"), {
    cwd: io.cwd,
    anywhere: given.bool(EXTERNAL_FILE_FLAG.name),
    note: io.err,
  });
  const session = await call.session();
  const issue = await create(session, {
    ...await createFields(call, session, description),
    ...(given.bool("allow-duplicate") ? { allow_duplicate: true } : {}),
    ...(attachmentIds.length === 0 ? {} : { attachment_ids: attachmentIds }),
    ...origin(env),
  });
  await attach(call, session, issue, files);
  if (wantsJson(call, "json")) io.out(jsonText(issue.object));
  else io.out(tableText(SHORT_HEAD, [shortRow(issue.object)]));
  return 0;
}

/** On a new issue an empty flag is none: there is nothing to clear. */
async function createFields(
  { given }: Call,
  session: Session,
  description: string | undefined,
): Promise<Record<string, unknown>> {
  const fields = await fieldsOf(session, given, description);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ""));
}

const duplicate = z.looseObject({ code: z.literal("active_duplicate_issue") });

async function create({ client }: Session, fields: Readonly<Record<string, unknown>>): Promise<Issue> {
  try {
    return issueOf((await client.request({ method: "POST", path: "/api/issues", json: fields })).json);
  } catch (error) {
    // The server's text names the other issue and --allow-duplicate: nothing may stand around it.
    if (error instanceof RequestError && error.status === 409 && isDuplicate(error.body)) {
      throw new SaidError(serverText(error), error);
    }
    throw error;
  }
}

function isDuplicate(body: string): boolean {
  try {
    return duplicate.safeParse(JSON.parse(body)).success;
  } catch {
    // No JSON, so no code: an ordinary conflict.
    return false;
  }
}

/** The issue exists: what cannot be attached any more is a warning. */
async function attach(
  call: Call,
  session: Session,
  issue: Issue,
  files: readonly PendingFile[],
): Promise<void> {
  for (const file of files) {
    try {
      await upload(session, file, { issue_id: issue.id });
      call.io.err(`Uploaded ${file.path}\n`);
    } catch (error) {
      const { text } = presentFailure(error, { debug: false, chinese: false });
      call.io.err(
        `Warning: issue ${issue.name} is created, but ${file.path} is not attached: ${text} (code ${
          exitCodeOf(error)
        })\n`,
      );
    }
  }
}

const idList = z.array(z.string());

/** Ids of flags and of the quick-create task: flags first, trimmed, blanks dropped, each once. @throws {LocalError} */
export function boundAttachments(flags: readonly string[], env: Env): string[] {
  const raw = env["MULTICA_QUICK_CREATE_ATTACHMENT_IDS"] ?? "";
  let bound: string[] = [];
  try {
    if (raw !== "") bound = idList.parse(JSON.parse(raw));
  } catch (error) {
    throw new LocalError("MULTICA_QUICK_CREATE_ATTACHMENT_IDS is no JSON list of ids", error);
  }
  return [...new Set([...flags, ...bound].map((id) => id.trim()).filter((id) => id !== ""))];
}

function origin(env: Env): Record<string, unknown> {
  const task = env["MULTICA_QUICK_CREATE_TASK_ID"] ?? "";
  return task === "" ? {} : { origin_type: "quick_create", origin_id: task };
}
