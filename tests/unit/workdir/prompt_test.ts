import assert from "node:assert/strict";
import fc from "fast-check";
import { parseClaimedTask } from "../../../lib/control/mod.ts";
import { renderBrief } from "../../../lib/workdir/brief.ts";
import {
  fenced,
  quoted,
  readHint,
  safeEmail,
  safeName,
  taskKind,
  threadName,
} from "../../../lib/workdir/phrasing.ts";
import { buildPrompt } from "../../../lib/workdir/prompt.ts";

function task(fields: Readonly<Record<string, unknown>> = {}) {
  const parsed = parseClaimedTask({
    id: "t-1",
    agent_id: "agent-1",
    workspace_id: "w-1",
    issue_id: "issue-1",
    agent: { id: "agent-1", name: "Robin", instructions: "Be kind." },
    ...fields,
  });
  assert.ok(parsed);
  return parsed;
}

const COMMENT = {
  trigger_comment_id: "c-2",
  trigger_thread_id: "c-1",
  trigger_comment_content: "first line\nsecond line",
  trigger_author_type: "member",
};

function prompt(
  fields: Readonly<Record<string, unknown>> = {},
  resumed = false,
  sessionLost = false,
): string {
  return buildPrompt({ task: task(fields), resumed, sessionLost, windows: false });
}

function brief(fields: Readonly<Record<string, unknown>> = {}, provider = "claude"): string {
  return renderBrief({
    task: task(fields),
    provider,
    skills: [],
    multicaPath: "/s/bin/multica",
    windows: false,
  });
}

Deno.test("taskKind() chat > quick-create > autopilot > comment > assignment", () => {
  const all = {
    chat_session_id: "s",
    quick_create_prompt: "q",
    autopilot_run_id: "a",
    trigger_comment_id: "c",
  };
  assert.equal(taskKind(task(all)), "chat");
  assert.equal(taskKind(task({ ...all, chat_session_id: "" })), "quick-create");
  assert.equal(taskKind(task({ autopilot_run_id: "a", trigger_comment_id: "c" })), "autopilot");
  assert.equal(taskKind(task({ trigger_comment_id: "c" })), "comment");
  assert.equal(taskKind(task()), "assignment");
});

Deno.test("buildPrompt() assignment names the issue and the bounded history, never a thread", () => {
  const text = prompt({ handoff_note: "only docs\nnothing else" });
  assert.match(text, /multica issue get issue-1 --output json/);
  assert.match(text, /comment list issue-1 --roots-only --summary --compact --output json/);
  assert.doesNotMatch(text, /--thread/);
  assert.match(text, /^> only docs\n> nothing else$/m);
});

Deno.test("buildPrompt() comment quotes every line and gives the exact reply command", () => {
  const text = prompt(COMMENT);
  assert.match(text, /\[NEW COMMENT\] A user/);
  assert.match(text, /^> first line\n> second line$/m);
  assert.match(text, /multica issue comment add issue-1 --parent c-2 --content-file \.\/reply\.md/);
});

Deno.test("buildPrompt() shows every comment folded into the run, and how to answer in each thread [C11.1, C11.12]", () => {
  const text = prompt({
    ...COMMENT,
    coalesced_comments: [
      {
        id: "c-9",
        thread_id: "c-7",
        author_type: "system",
        author_name: "",
        created_at: "2026-08-01T10:00:00Z",
        content: "one\n# two",
      },
      {
        id: "c-3",
        thread_id: "c-1",
        author_type: "agent",
        author_name: "Kim",
        created_at: "",
        content: "three",
      },
    ],
  });
  for (
    const part of [
      "Answer each of them.",
      "Comment `c-9`, by the platform, 2026-08-01T10:00:00Z:\n\n> one\n> # two",
      "Comment `c-3`, by another agent (Kim):\n\n> three",
      "- thread `c-7`: `multica issue comment add issue-1 --parent c-9 --content-file ./reply-1.md`",
      "- thread `c-1`: `multica issue comment add issue-1 --parent c-2 --content-file ./reply-2.md`",
    ]
  ) assert.ok(text.includes(part), `${part}\n---\n${text}`);
});

Deno.test("buildPrompt() warns of agents and tells leaders the way out", () => {
  const byAgent = prompt({ ...COMMENT, trigger_author_type: "agent", trigger_author_name: "R*2" });
  assert.match(byAgent, /Another agent \(R\\\*2\)/);
  assert.match(byAgent, /end silently/);
  assert.doesNotMatch(byAgent, /no_action/);
  const leader = prompt({ ...COMMENT, is_leader_task: true, leader_role_resolved: true });
  assert.match(leader, /multica squad activity issue-1 no_action/);
});

Deno.test("buildPrompt() chat carries the message unchanged, own skills only, and quoted file names", () => {
  const text = prompt({
    chat_session_id: "s",
    chat_message: "do [/x](slash://skill/sk-1) and [/y](slash://skill/foreign)",
    chat_message_attachments: [{ id: "f1", filename: 'a"b\n.png', content_type: "image/png" }],
    agent: { id: "agent-1", name: "R", skills: [{ id: "sk-1", name: "Review" }] },
  });
  assert.match(text, /Explicitly selected skills:\n- Review\n\n/);
  assert.match(text, /\[\/y\]\(slash:\/\/skill\/foreign\)/);
  assert.match(text, /- id=f1 filename="a\\"b\\n\.png" content_type=image\/png/);
});

Deno.test("buildPrompt() quick-create pins project, parent and assignee", () => {
  const text = prompt({
    issue_id: "",
    quick_create_prompt: "fix login",
    project_id: "p-1",
    parent_issue_id: "i-9",
    squad_id: "sq-1",
  });
  assert.match(text, /--project "p-1"/);
  assert.match(text, /--parent "i-9"/);
  assert.match(text, /--assignee-id "sq-1"/);
  assert.doesNotMatch(prompt({ issue_id: "", quick_create_prompt: "x" }), /--parent/);
});

Deno.test("buildPrompt() tells of a lost session exactly once", () => {
  assert.equal(prompt(COMMENT, false, true).match(/could not be resumed/g)?.length, 1);
  assert.doesNotMatch(prompt(COMMENT), /could not be resumed/);
});

Deno.test("readHint() follows what is new, what is resumed, and the thread", () => {
  const since = "2026-01-01T00:00:00Z";
  const warm = readHint(task({ ...COMMENT, new_comment_count: 2, new_comments_since: since }), true);
  assert.match(warm, /2 new comments/);
  assert.match(warm, /--thread c-1 --since 2026-01-01T00:00:00Z --output json/);
  assert.match(readHint(task(COMMENT), true), /--thread c-1 --tail 30 --output json/);
  assert.match(readHint(task(COMMENT), false), /Read the thread first/);
  assert.match(readHint(task(), false), /--roots-only --summary --compact/);
});

Deno.test("renderBrief() is the same for every run of one agent on one issue", () => {
  assert.equal(
    brief(COMMENT),
    brief({ ...COMMENT, trigger_comment_id: "c-9", trigger_comment_content: "other" }),
  );
});

Deno.test("renderBrief() sections by kind", () => {
  const quick = brief({ issue_id: "", quick_create_prompt: "x" });
  assert.doesNotMatch(quick, /issue comment add <|multica issue get|repo checkout|## Mentions/);
  const chat = brief({ chat_session_id: "s" });
  assert.doesNotMatch(chat, /## Issue Metadata|## Comment Formatting/);
  assert.match(brief(), /## Sub-issue Creation/);
  assert.equal(brief().match(/\/s\/bin\/multica/g)?.length, 1);
});

Deno.test("renderBrief() keeps instructions verbatim and quotes the profile", () => {
  const text = brief({
    agent: { id: "agent-1", name: "R", instructions: "## Own heading\n*raw*" },
    requesting_user_name: "Ann",
    requesting_user_profile_description: "a\r\n# not a heading",
  });
  assert.match(text, /## Own heading\n\*raw\*/);
  assert.match(text, /^> # not a heading$/m);
});

Deno.test("threadName() collapses blanks and cuts at 120 characters", () => {
  assert.equal(threadName(task({ thread_name: " a \n b " })), "a b");
  const long = threadName(task({ thread_name: "é".repeat(121) }));
  assert.equal([...long].length, 120);
  assert.ok(long.endsWith("..."));
  assert.equal(threadName(task({ chat_message: "hi" })), "hi");
});

Deno.test("safeName() and safeEmail() leave nothing that could be markup", () => {
  assert.equal(safeName("\tA\r\nB *x* [l](u) <b>\u0007"), "A B \\*x\\* \\[l\\](u) \\<b>");
  assert.equal(safeEmail(" a@b.c "), "a@b.c");
  for (const bad of ["nobody", "a b@c", "a@b>c", "a@b\u0000"]) assert.equal(safeEmail(bad), "");
});

Deno.test("quoted() puts every line behind the mark, whatever its line ends", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", "\n", "\r", "#", " ") }), (text) => {
    for (const line of quoted(text).split("\n")) assert.ok(line.startsWith("> "));
  }));
});

Deno.test("fenced() is never closed by its content", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("`", "a", "\n") }), (text) => {
    const fence = /^`+/.exec(fenced(text))![0];
    assert.ok(!text.includes(fence));
  }));
});
