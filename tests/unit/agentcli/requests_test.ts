/** What the commands send and how they read answers, against a server that records (spec 05 §16, §19–22, §26.1, §27.4). */
import assert from "node:assert/strict";
import { type Answering, type Seen, STUB_ISSUE, withStub } from "../../helpers/agent_cli.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const nothing: Answering = () => undefined;
const status = (code: number, body: unknown = {}) => Response.json(body, { status: code });
const on = (method: string, path: string, answer: unknown) => (request: Seen) =>
  request.method === method && request.target.split("?")[0] === path
    ? answer instanceof Response ? answer.clone() : answer
    : undefined;

const ISSUE = `/api/issues/${STUB_ISSUE.id}`;

Deno.test("multica sends the task's identity with every request", async () => {
  await withStub(nothing, async ({ run, seen, env }) => {
    assert.equal((await run(["issue", "get", "MUL-1"])).code, 0);
    assert.equal(seen.length, 1, "the answer that resolved the reference is the result");
    const { headers } = seen[0]!;
    assert.equal(headers.get("authorization"), "Bearer mat_stub");
    assert.equal(headers.get("x-workspace-id"), "w1");
    assert.equal(headers.get("x-agent-id"), "a1");
    assert.equal(headers.get("x-task-id"), "t1");
    assert.equal(headers.get("x-client-platform"), "cli");
    assert.equal(headers.get("x-client-capabilities"), "stable_attachment_urls");
    assert.equal(headers.get("content-type"), null);
    await run(["issue", "get", "MUL-1", "--workspace-id", "w2"], { env: { ...env, MULTICA_AGENT_ID: "" } });
    assert.equal(seen[1]!.headers.get("x-workspace-id"), "w2");
    assert.equal(seen[1]!.headers.get("x-agent-id"), null);
  });
});

Deno.test("multica without a task token fails before any request and reads nothing of the user's", async () => {
  await withStub(nothing, async ({ run, seen, env, work, url }) => {
    await Deno.mkdir(`${work}/.multica`);
    const login = JSON.stringify({ token: "mul_owner", server_url: url, workspace_id: "w1" });
    await Deno.writeTextFile(`${work}/.multica/config.json`, login);
    const bare = { HOME: work, PATH: "/usr/bin" };
    const cases: [Record<string, string>, RegExp][] = [
      [bare, /MULTICA_TOKEN is not set.*mat_/],
      [{ ...env, MULTICA_TOKEN: "mul_owner" }, /MULTICA_TOKEN is no task token.*mat_/],
      [{ ...bare, MULTICA_TASK_ID: "t" }, /mat_/],
      [{ ...bare, MULTICA_DAEMON_PORT: "1" }, /Only MULTICA_DAEMON_PORT/],
      [{ ...env, MULTICA_WORKSPACE_ID: "" }, /MULTICA_WORKSPACE_ID.*not consulted/],
      [{ ...env, MULTICA_SERVER_URL: "" }, /MULTICA_SERVER_URL/],
    ];
    for (const [given, words] of cases) {
      const ran = await run(["issue", "get", "MUL-1"], { env: { HOME: work, ...given } });
      assert.equal(ran.code, 1);
      assert.match(ran.err, words);
    }
    const marker = `${work}/.multica/daemon_task_context.json`;
    await Deno.writeTextFile(marker, JSON.stringify({ managed_by: "multica-daemon-task" }));
    await Deno.mkdir(`${work}/a/b`, { recursive: true });
    const lost = await run(["issue", "get", "MUL-1"], { env: bare, cwd: `${work}/a/b` });
    assert.ok(lost.err.includes(marker) && lost.err.includes("delete that file"), lost.err);
    await Deno.writeTextFile(marker, JSON.stringify({ managed_by: "somebody" }));
    assert.doesNotMatch((await run(["issue", "get", "MUL-1"], { env: bare })).err, /daemon_task_context/);
    assert.equal(seen.length, 0);
    // The task's own configuration directory may name the server, never the token.
    await Deno.writeTextFile(`${work}/config.json`, login);
    const rooted = { ...env, MULTICA_SERVER_URL: "", MULTICA_TASK_CONFIG_ROOT: work };
    assert.equal((await run(["issue", "get", "MUL-1"], { env: rooted })).code, 0);
    assert.equal(seen.at(-1)!.headers.get("authorization"), "Bearer mat_stub");
  });
});

Deno.test("issue comment list asks with the right parameters and prints nothing but the result", async () => {
  const answer: Answering = (request) => on("GET", `${ISSUE}/comments`, [])(request);
  await withStub(answer, async ({ run, targets, seen }) => {
    const cases: [string[], string][] = [
      [[], "fold=true"],
      [["--recent", "10"], "fold=true&recent=10"],
      [["--thread", "T"], "fold=true&thread=T"],
      [["--thread", "T", "--tail", "30"], "tail=30&thread=T"],
      [
        ["--thread", "T", "--tail", "0", "--before", "B", "--before-id", "I"],
        "before=B&before_id=I&tail=0&thread=T",
      ],
      [["--since", "2026-06-01T10:00:00Z", "--thread", "T"], "since=2026-06-01T10%3A00%3A00Z&thread=T"],
      [["--roots-only", "--since", "S", "--summary"], "roots_only=true&since=S&summary=true"],
      [["--full"], ""],
    ];
    for (const [flags, query] of cases) {
      const ran = await run(["issue", "comment", "list", "MUL-1", "--output", "json", ...flags]);
      assert.deepEqual([ran.code, ran.out, ran.err], [0, "[]\n", ""]);
      assert.equal(targets().at(-1), `GET ${ISSUE}/comments${query === "" ? "" : `?${query}`}`);
    }
    const before = targets().length;
    for (
      const [flags, words] of [
        [["--recent", "0"], /--recent/],
        [["--tail", "-1"], /--tail/],
        [["--thread", "T", "--recent", "1"], /--thread and --recent/],
        [["--roots-only", "--thread", "T"], /--roots-only and --thread/],
        [["--roots-only", "--recent", "1"], /--roots-only and --recent/],
        [["--roots-only", "--tail", "1"], /--roots-only and --tail/],
        [["--roots-only", "--before", "B", "--before-id", "I"], /--roots-only and --before/],
        [["--tail", "3"], /--tail needs --thread/],
        [["--before", "B"], /--before-id/],
        [["--before", "B", "--before-id", "I"], /--before needs/],
      ] as const
    ) {
      const ran = await run(["issue", "comment", "list", "MUL-1", ...flags]);
      assert.equal(ran.code, 1, flags.join(" "));
      assert.match(ran.err, words);
    }
    assert.equal(targets().length, before, "refused before the read");
    assert.ok(seen.length > before, "after the issue is resolved");
  });
});

Deno.test("issue comment list shows cursors on stderr, and compact rows", async () => {
  const comment = {
    id: "c1",
    issue_id: "i",
    source_task_id: "t",
    content: "hi",
    parent_id: null,
    reactions: [],
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
    extra: 0,
  };
  const answer: Answering = ({ target }) =>
    target.includes("/comments")
      ? Response.json([comment], {
        headers: { "X-Multica-Next-Before": "2026-01-01T00:00:00.5Z", "X-Multica-Next-Before-Id": "c0" },
      })
      : undefined;
  await withStub(answer, async ({ run }) => {
    const cursor = "cursor: --before 2026-01-01T00:00:00.5Z --before-id c0\n";
    const compact = await run([
      "issue",
      "comment",
      "list",
      "MUL-1",
      "--recent",
      "1",
      "--compact",
      "--output",
      "json",
    ]);
    assert.deepEqual(compact.json, [{ id: "c1", content: "hi", created_at: comment.created_at, extra: 0 }]);
    assert.equal(compact.err, `Next thread ${cursor}`);
    const tail = await run(["issue", "comment", "list", "MUL-1", "--thread", "c1", "--tail", "1"]);
    assert.equal(tail.err, `Next reply ${cursor}`);
  });
});

Deno.test("issue comment add reads every file first, uploads, then comments once", async () => {
  const answer: Answering = (request) =>
    on("POST", "/api/upload-file", { id: `att-${request.body.includes("two") ? 2 : 1}` })(request) ??
      on("POST", `${ISSUE}/comments`, status(201, { id: "c9" }))(request);
  await withStub(answer, async ({ run, seen, work, targets }) => {
    await Deno.writeTextFile(`${work}/one.txt`, "one");
    await Deno.writeTextFile(`${work}/two, too.txt`, "two");
    const add = ["issue", "comment", "add", "MUL-1"];
    const bad = await run([...add, "--content", "x", "--attachment", "one.txt,missing.txt"]);
    assert.deepEqual([bad.code, targets()], [1, []], "no upload is left behind");
    assert.match(bad.err, /missing\.txt: there is no such file/);
    const files = [
      "--attachment",
      "one.txt",
      "--attachment",
      '"two, too.txt"',
      "--attachment",
      "https://x/y",
    ];
    const good = await run([...add, "--content-stdin", "--parent", "P", ...files], { stdin: "a\\nb\n\n" });
    assert.equal(good.code, 0, good.err);
    assert.match(
      good.err,
      /^Skipped https:\/\/x\/y.*\nUploaded one\.txt\nUploaded two, too\.txt\nComment added to issue MUL-1\.\n$/,
    );
    assert.deepEqual(seen.at(-1)!.json, {
      content: "a\\nb\n",
      parent_id: "P",
      attachment_ids: ["att-1", "att-2"],
    });
    assert.match(seen.at(-2)!.body, /name="issue_id"\r\n\r\n11111111/);
    assert.equal((await run(add)).code, 1);
    for (const flags of [["--content", "x", "--content-stdin"], ["--content-stdin", "--content-file", "f"]]) {
      assert.match((await run([...add, ...flags])).err, /mutually exclusive/);
    }
    assert.match((await run([...add, "--content-stdin"], { stdin: "\n" })).err, /--content-stdin.*empty/);
  });
});

Deno.test("files outside the directory, also by a link, need --allow-external-file", async () => {
  const answer = on("POST", `${ISSUE}/comments`, status(201, { id: "c9" }));
  await withStub(answer, async ({ run, work, targets }) => {
    await Deno.mkdir(`${work}/in`);
    await Deno.writeTextFile(`${work}/secret.md`, "stale");
    await Deno.symlink(`${work}/secret.md`, `${work}/in/link.md`);
    const at = { cwd: `${work}/in` };
    for (const path of ["../secret.md", `${work}/secret.md`, "link.md"]) {
      const ran = await run(["issue", "comment", "add", "MUL-1", "--content-file", path], at);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /outside the current directory/);
    }
    assert.deepEqual(targets(), []);
    const allowed = [
      "issue",
      "comment",
      "add",
      "MUL-1",
      "--content-file",
      "link.md",
      "--allow-external-file",
    ];
    assert.equal((await run(allowed, at)).code, 0);
  });
});

Deno.test("text with links to files of this machine is refused, code and server paths are not", async () => {
  const answer: Answering = (request) => request.method === "GET" ? undefined : status(201, { id: "c9" });
  await withStub(answer, async ({ run, work, targets }) => {
    const add = (text: string) =>
      run(["issue", "comment", "add", "MUL-1", "--content-stdin"], { stdin: text });
    const bad = ["[r](file:///tmp/r.md)", `![p](${work}/new.png)`, "[h](/etc/hosts)", `<file://${work}/x>`];
    for (const text of bad) {
      const ran = await add(text);
      assert.equal(ran.code, 1, text);
      assert.match(ran.err, /--attachment/);
    }
    assert.deepEqual(targets(), []);
    for (
      const text of ["`[h](/etc/hosts)`", "[i](/issues/MUL-1)", "[w](https://h/etc/hosts)", "/etc/hosts"]
    ) {
      assert.equal((await add(text)).code, 0, text);
    }
    const update = await run(["issue", "update", "MUL-1", "--description", "[h](/etc/hosts)"]);
    assert.match(update.err, /comment add --attachment/);
  });
});

Deno.test("issue metadata list is empty on 404, everything else fails as it is", async () => {
  for (const [code, exit] of [[404, 0], [401, 3], [500, 1]] as const) {
    await withStub(on("GET", `${ISSUE}/metadata`, status(code)), async ({ run }) => {
      const json = await run(["issue", "metadata", "list", "MUL-1", "--output", "json"]);
      assert.equal(json.code, exit);
      if (code === 404) {
        assert.equal(json.out, "{}\n");
        assert.equal((await run(["issue", "metadata", "list", "MUL-1"])).out, "KEY  VALUE  TYPE\n");
        assert.equal((await run(["issue", "metadata", "get", "MUL-1", "--key", "a"])).code, 4);
      }
    });
  }
  const answer: Answering = (request) =>
    on("PUT", `${ISSUE}/metadata/a%2Fb`, { metadata: { "a/b": "" } })(request) ??
      on("DELETE", `${ISSUE}/metadata/a%2Fb`, {})(request);
  await withStub(answer, async ({ run, seen }) => {
    const set = await run(["issue", "metadata", "set", "MUL-1", "--key", "a/b", "--value", ""]);
    assert.equal(set.code, 0, set.err);
    assert.deepEqual(seen.at(-1)!.json, { value: "" });
    const gone = await run(["issue", "metadata", "delete", "MUL-1", "--key", "a/b", "--output", "json"]);
    assert.deepEqual(gone.json, { deleted: true });
    assert.match((await run(["issue", "metadata", "set", "MUL-1", "--key", "a"])).err, /--value is required/);
  });
});

Deno.test("issue create sends what is given, binds attachments, shows a duplicate's own text", async () => {
  const answer: Answering = ({ method, target, json }) => {
    if (method !== "POST") return undefined;
    if (target === "/api/upload-file") return status(503, { error: "no storage" });
    if (json.title === "Twice" && json.allow_duplicate !== true) {
      return status(409, {
        code: "active_duplicate_issue",
        error: 'MUL-7 "Twice" (todo) exists; --allow-duplicate',
      });
    }
    return status(201, { ...STUB_ISSUE, ...json });
  };
  await withStub(answer, async ({ run, env, seen, targets, work }) => {
    const create = ["issue", "create", "--title"];
    const origin = {
      ...env,
      MULTICA_QUICK_CREATE_TASK_ID: "q1",
      MULTICA_QUICK_CREATE_ATTACHMENT_IDS: '[" a2 ","a1",""]',
    };
    const made = await run([
      ...create,
      "New",
      "--attachment-id",
      "a1,a3",
      "--stage",
      "2",
      "--parent",
      "MUL-1",
    ], { env: origin });
    assert.equal(made.code, 0, made.err);
    assert.deepEqual(seen.at(-1)!.json, {
      title: "New",
      stage: 2,
      parent_issue_id: STUB_ISSUE.id,
      attachment_ids: ["a1", "a3", "a2"],
      origin_type: "quick_create",
      origin_id: "q1",
    });
    const twice = await run([...create, "Twice"]);
    assert.deepEqual([twice.code, twice.err], [1, 'Error: MUL-7 "Twice" (todo) exists; --allow-duplicate\n']);
    assert.equal((await run([...create, "Twice", "--allow-duplicate"])).code, 0);
    await Deno.writeTextFile(`${work}/f.txt`, "f");
    const partial = await run([...create, "New", "--attachment", "f.txt"]);
    assert.equal(partial.code, 0);
    assert.match(partial.err, /Warning: issue MUL-1 is created, but f\.txt is not attached/);
    const before = seen.length;
    for (
      const flags of [
        ["--status", "In Progress"],
        ["--priority", "big"],
        ["--stage", "0"],
        ["--assignee", ""],
        ["--assignee", "x", "--assignee-id", ""],
      ]
    ) assert.equal((await run([...create, "New", ...flags])).code, 1, flags.join(" "));
    assert.equal((await run(["issue", "create"])).code, 1);
    const broken = { env: { ...env, MULTICA_QUICK_CREATE_ATTACHMENT_IDS: "{" } };
    assert.match((await run([...create, "New"], broken)).err, /MULTICA_QUICK_CREATE_ATTACHMENT_IDS/);
    assert.equal(seen.length, before, "refused before any request");
    assert.ok(targets().length > 0);
  });
});

Deno.test("issue update, status and assign send only what is given", async () => {
  const answer: Answering = (request) =>
    request.method === "PUT" ? { ...STUB_ISSUE, ...request.json } : undefined;
  await withStub(answer, async ({ run, seen }) => {
    const clear = ["--parent", "", "--project", "", "--start-date", "", "--description", ""];
    assert.equal((await run(["issue", "update", "MUL-1", ...clear, "--no-start"])).code, 0);
    assert.deepEqual(seen.at(-1)!.json, {
      parent_issue_id: null,
      project_id: null,
      start_date: "",
      description: "",
      suppress_run: true,
    });
    assert.match((await run(["issue", "update", "MUL-1"])).err, /nothing to change.*--title/);
    assert.match((await run(["issue", "update", "MUL-1", "--status", ""])).err, /invalid status/);
    const set = await run(["issue", "status", "MUL-1", "my_review", "--output", "json"]);
    assert.equal(set.err, "Issue MUL-1 status changed to my_review.\n");
    assert.deepEqual([set.json.status, seen.at(-1)!.json], ["my_review", { status: "my_review" }]);
    assert.equal((await run(["issue", "assign", "MUL-1", "--unassign"])).code, 0);
    assert.deepEqual(seen.at(-1)!.json, { assignee_type: null, assignee_id: null });
    assert.equal((await run(["issue", "assign", "MUL-1"])).code, 1);
  });
});

const PEOPLE: Answering = ({ target, method, json }) => {
  if (method === "PUT") return { ...STUB_ISSUE, ...json };
  if (target.startsWith("/api/workspaces/w1/members")) {
    return [{ id: "row", user_id: "aaaaaaaa-0000-4000-8000-000000000001", name: "Ann", email: "ann@x.org" }];
  }
  if (target.startsWith("/api/agents")) {
    return [
      { id: "bbbbbbbb-0000-4000-8000-000000000002", name: "Coder" },
      { id: "cccccccc-0000-4000-8000-000000000003", name: "Coder Two" },
    ];
  }
  if (target === "/api/squads") {
    return [{
      id: "dddddddd-0000-4000-8000-000000000004",
      name: "Coder",
      archived_at: "2026-01-01T00:00:00Z",
    }];
  }
  return undefined;
};

Deno.test("assignees are found by id, exact name, then part of the name", async () => {
  await withStub(PEOPLE, async ({ run, seen }) => {
    const to = async (...flags: string[]) => {
      const ran = await run(["issue", "assign", "MUL-1", ...flags]);
      return ran.code === 0 ? seen.at(-1)!.json.assignee_id.slice(0, 8) : ran.err;
    };
    assert.equal(await to("--to", "coder"), "bbbbbbbb", "exact beats part; archived squads do not count");
    assert.equal(await to("--to", "＠two"), "cccccccc");
    assert.equal(await to("--to", "CCCCCCCC"), "cccccccc");
    assert.equal(await to("--to", "ann@x.org"), "aaaaaaaa");
    assert.match(
      await to("--to", "code"),
      /ambiguous: agent "Coder" \(bbbbbbbb\), agent "Coder Two" \(cccccccc\)/,
    );
    assert.match(await to("--to", "nobody"), /no member, agent, squad found/);
    assert.match(await to("--to-id", "bbbbbbbb"), /whole UUID/);
    assert.equal(await to("--to-id", "BBBBBBBB-0000-4000-8000-000000000002"), "bbbbbbbb");
  });
});

Deno.test("names in tables are looked up once and only when needed", async () => {
  const rows = [
    { ...STUB_ISSUE, assignee_type: "agent", assignee_id: "bbbbbbbb-0000-4000-8000-000000000002" },
    { ...STUB_ISSUE, assignee_type: "agent", assignee_id: "gone" },
    { ...STUB_ISSUE, assignee_type: null, assignee_id: null },
  ];
  const answer: Answering = (request) =>
    on("GET", "/api/issues", { issues: rows, total: 9 })(request) ?? PEOPLE(request);
  await withStub(answer, async ({ run, targets }) => {
    const list = await run(["issue", "list", "--status", "todo", "--metadata", "pr_number=42"]);
    assert.match(list.out, /agent:Coder[^\n]*\n.*agent:gone/);
    const query = "limit=50&metadata=%7B%22pr_number%22%3A42%7D&status=todo&workspace_id=w1";
    assert.deepEqual(targets(), [`GET /api/issues?${query}`, "GET /api/agents?workspace_id=w1"]);
    const json = await run(["issue", "list", "--output", "json", "--limit", "3", "--offset", "3"]);
    assert.deepEqual([json.json.has_more, json.json.offset, json.json.total], [true, 3, 9]);
    assert.equal(targets().length, 3, "JSON needs no names");
    assert.match((await run(["issue", "list", "--direction", "asc"])).err, /--sort/);
  });
});

Deno.test("issue children groups by stage", async () => {
  const child = (id: string, stage: number | null, status: string) => ({ id, identifier: id, stage, status });
  const issues = [
    child("a", null, "todo"),
    child("b", 2, "done"),
    child("c", 1, "todo"),
    child("d", 2, "cancelled"),
  ];
  await withStub(on("GET", `${ISSUE}/children`, { issues }), async ({ run }) => {
    const { json, out } = await run(["issue", "children", "MUL-1", "--output", "json"]);
    assert.deepEqual(
      json.stages.map(({ stage, total, done }: Record<string, number>) => [stage, total, done]),
      [
        [1, 1, 0],
        [2, 2, 2],
      ],
    );
    assert.deepEqual([json.total, json.unstaged.length], [4, 1]);
    assert.match(out, /"stage": 1,\n {6}"total": 1,\n {6}"done": 0,\n {6}"issues"/);
    const table = await run(["issue", "subissues", "MUL-1"]);
    assert.match(table.out, /^STAGE {2}KEY .*\n1 .*\n2 .*\n2 .*\n- /);
  });
});

Deno.test("attachment download takes headers to the server only, and makes the directory", async () => {
  let absolute = "";
  const answer: Answering = ({ target }) => {
    if (target === "/api/attachments/rel") return { filename: "../n.txt", download_url: "/files/1?sig=x" };
    if (target === "/api/attachments/abs") return { filename: "", download_url: absolute };
    if (target === "/api/attachments/none") return { filename: "x" };
    if (target.startsWith("/files/")) return new Response("bytes");
    return undefined;
  };
  await withStub(answer, async ({ run, seen, work, url }) => {
    absolute = `${url}/files/2`;
    const relative = await run(["attachment", "download", "rel", "-o", "new/dir"]);
    assert.equal(relative.code, 0, relative.err);
    assert.deepEqual(relative.json, {
      filename: "../n.txt",
      id: "rel",
      path: `${work}/new/dir/n.txt`,
      size: "5",
    });
    assert.equal(await Deno.readTextFile(`${work}/new/dir/n.txt`), "bytes");
    assert.equal(seen.at(-1)!.headers.get("authorization"), "Bearer mat_stub");
    assert.equal((await run(["attachment", "download", "abs"])).code, 0);
    assert.equal(seen.at(-1)!.headers.get("authorization"), null);
    assert.equal(await Deno.readTextFile(`${work}/abs`), "bytes");
    assert.match((await run(["attachment", "download", "none"])).err, /download_url/);
  });
});

Deno.test("squad activity checks the outcome before it asks", async () => {
  const answer = on("POST", `${ISSUE}/squad-evaluated`, status(201, { id: "e" }));
  await withStub(answer, async ({ run, seen }) => {
    assert.equal((await run(["squad", "activity", "MUL-1", "maybe"])).code, 1);
    assert.equal(seen.length, 0);
    const ran = await run(["squad", "activity", "MUL-1", "no_action", "--reason", "fine"]);
    assert.deepEqual([ran.code, ran.out, seen.at(-1)!.json], [0, "", {
      outcome: "no_action",
      reason: "fine",
    }]);
  });
});

Deno.test("repo checkout prints the path, waits while the repository is busy, shows the host's words", async () => {
  const replies: Response[] = [
    new Response("busy", {
      status: 503,
      headers: { "X-Multica-Retryable": "repo-busy", "Retry-After": "2" },
    }),
    Response.json({ path: "/w/repo", branch_name: "agent/x" }),
    new Response("repo is not configured for this workspace\n", { status: 400 }),
  ];
  const answer = (request: Seen) => request.target === "/repo/checkout" ? replies.shift() : undefined;
  await withStub(answer, async ({ run, seen, env, work }) => {
    const clock = new FakeClock();
    const running = run(["repo", "checkout", "https://h/r.git", "--ref", "main"], { clock });
    while (seen.length === 0 || replies.length > 2) await new Promise((resolve) => setImmediate(resolve));
    let done = false;
    running.then(() => done = true);
    while (!done) {
      await clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const ran = await running;
    assert.deepEqual([ran.code, ran.out], [0, "/w/repo\n"]);
    assert.match(ran.err, /https:\/\/h\/r\.git at \/w\/repo \(branch: agent\/x\)/);
    assert.equal(seen[0]!.headers.get("authorization"), "Bearer mat_stub");
    assert.deepEqual(seen[1]!.json, {
      url: "https://h/r.git",
      workspace_id: "w1",
      workdir: work,
      ref: "main",
      agent_name: "Robo",
      task_id: "t1",
      checkout_mode: "",
      retry_busy: true,
    });
    const refused = await run(["repo", "checkout", "https://h/r.git"]);
    assert.deepEqual([refused.code, refused.err], [
      1,
      "Error: checkout failed: repo is not configured for this workspace\n",
    ]);
    for (const name of ["MULTICA_DAEMON_PORT", "MULTICA_TOKEN"]) {
      const without = await run(["repo", "checkout", "u"], { env: { ...env, [name]: "" } });
      assert.match(without.err, new RegExp(name));
    }
  });
});

Deno.test("multica says which command there is, and never succeeds on a slip", async () => {
  await withStub(nothing, async ({ run, seen, env }) => {
    for (
      const args of [
        [],
        ["--help"],
        ["issue"],
        ["issue", "comment", "--help"],
        ["issue", "create", "--help"],
        ["help", "issue"],
      ]
    ) {
      const ran = await run(args);
      assert.deepEqual([ran.code, ran.err], [0, ""], args.join(" "));
      assert.match(ran.out, /Usage:\n {2}multica/);
    }
    for (
      const args of [
        ["isue"],
        ["issue", "gett"],
        ["label", "list"],
        ["project", "create"],
        ["issue", "rerun", "X"],
        ["login"],
        [
          "daemon",
          "stop",
        ],
      ]
    ) {
      const ran = await run(args);
      assert.deepEqual([ran.code, ran.out], [1, ""], args.join(" "));
      assert.notEqual(ran.err, "");
    }
    const few = await run(["issue", "status", "MUL-1"]);
    assert.deepEqual([few.code, few.err], [
      1,
      "Error: multica issue status accepts 2 arguments, received 1\n\n",
    ]);
    assert.match(few.out, /Usage/);
    assert.equal((await run(["issue", "list", "stray"])).code, 1);
    assert.equal(seen.length, 0);
    assert.match((await run(["--version"], { env: {} })).out, /^multica \S+ \(commit: /);
    assert.equal(typeof (await run(["version", "--output", "json"])).json.version, "string");
    const away = await run(["issue", "get", "MUL-1"], {
      env: { ...env, MULTICA_SERVER_URL: "http://127.0.0.1:1" },
    });
    assert.equal(away.code, 2, away.err);
    assert.doesNotMatch(away.err, /127\.0\.0\.1/);
  });
});

Deno.test("multica gives up after the transport's limit, with exit code 2", async () => {
  const held = Promise.withResolvers<void>();
  const answer: Answering = () => new Response(new ReadableStream({ pull: () => held.promise }));
  await withStub(answer, async ({ run, env, seen }) => {
    const clock = new FakeClock();
    const running = run(["issue", "get", "MUL-1"], { clock, env: { ...env, MULTICA_HTTP_TIMEOUT: "45s" } });
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(45_000);
    const ran = await running;
    held.resolve();
    assert.equal(ran.code, 2);
    assert.match(ran.err, /MULTICA_HTTP_TIMEOUT/);
  });
});
