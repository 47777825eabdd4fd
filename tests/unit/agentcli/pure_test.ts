/** The parts without a server: grammar, text, output, identifiers, sentences, links (spec 05 §15–19, §26.2). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { actorInput } from "../../../lib/agentcli/actors.ts";
import { safeName } from "../../../lib/agentcli/attachment_download.ts";
import { COMMANDS } from "../../../lib/agentcli/commands.ts";
import { isChinese, presentFailure, StepError } from "../../../lib/agentcli/failures.ts";
import { csvRecord, parseLine } from "../../../lib/agentcli/grammar.ts";
import { metadataFilter } from "../../../lib/agentcli/issue_list.ts";
import { metadataValue } from "../../../lib/agentcli/issue_metadata.ts";
import { linkDestinations } from "../../../lib/agentcli/markdown_links.ts";
import { clipped, jsonText, tableText } from "../../../lib/agentcli/output.ts";
import { checkPrefix, isIdentifier, matchPrefix } from "../../../lib/agentcli/resolve.ts";
import { httpLimitMs, serverBase } from "../../../lib/agentcli/session.ts";
import { decodeInline } from "../../../lib/agentcli/text_input.ts";
import { RequestError, TransportError } from "../../../lib/control/mod.ts";

Deno.test("decodeInline() decodes four escapes and nothing else", () => {
  assert.equal(decodeInline("a\\nb"), "a\nb");
  assert.equal(decodeInline("a\\\\nb"), "a\\nb");
  for (const same of ["\\d+\\w", "end\\"]) assert.equal(decodeInline(same), same);
  assert.equal(decodeInline("C:\\new"), "C:\new");
});

Deno.test("isIdentifier() tells identifiers from everything else", () => {
  for (const yes of ["MUL-123", "mul-7", "A1-42", "abcd-1234"]) assert.ok(isIdentifier(yes), yes);
  for (const no of ["123", "MUL-0", "-5", "MUL-", "MUL-1-2", crypto.randomUUID()]) {
    assert.ok(!isIdentifier(no), no);
  }
});

Deno.test("matchPrefix() and checkPrefix() have an error for each case", () => {
  const [a, b] = ["abcd1234-0000-4000-8000-000000000001", "abcd1234-0000-4000-8000-000000000002"];
  assert.equal(matchPrefix("ABCD-1234-0000-4000-8000-0000-0000-0001", [a, b], "list"), a);
  assert.throws(() => matchPrefix("abcd", [b, a], "list"), new RegExp(`ambiguous.*${a}, ${b}`));
  assert.throws(() => matchPrefix("ffff", [a], "multica issue list"), /multica issue list --full-id/);
  assert.throws(() => checkPrefix("abc"), /too short/);
  assert.throws(() => checkPrefix("wxyz"), /neither/);
  checkPrefix("1852");
});

Deno.test("actorInput() takes names, mentions and full-width signs", () => {
  assert.equal(actorInput("＠独立团"), "独立团");
  assert.equal(actorInput("  @  Super Human  "), "Super Human");
  const id = "ccccccc1-2222-3333-4444-555555555555";
  assert.equal(actorInput(`[@Super Human](mention://squad/${id})`), id);
});

Deno.test("serverBase() normalises addresses and leaves others alone", () => {
  for (
    const [from, to] of [
      ["ws://localhost:18106/ws", "http://localhost:18106"],
      ["https://h/api/", "https://h/api"],
      ["https://h/?x=1#f", "https://h"],
      ["ws://h/ws/", "http://h/ws"],
      ["://bad-url", "://bad-url"],
    ] as const
  ) assert.equal(serverBase(from), to);
});

Deno.test("httpLimitMs() reads durations and whole seconds, and is 30 s otherwise", () => {
  const read = ["45s", "45", "2m", "10", "garbage", "0", "-5", undefined].map(httpLimitMs);
  assert.deepEqual(read, [45_000, 45_000, 120_000, 10_000, 30_000, 30_000, 30_000, 30_000]);
});

Deno.test("metadataValue() and metadataFilter() type values as JSON scalars", () => {
  const read = ["true", "3.14", '"42"', "42", "null", "[1]", "waiting"].map((text) =>
    metadataValue(text, "")
  );
  assert.deepEqual(read, [true, 3.14, "42", 42, "null", "[1]", "waiting"]);
  assert.equal(metadataValue("42", "string"), "42");
  for (const no of ["inf", "nan", "0x1f", "1e999", ""]) {
    assert.throws(() => metadataValue(no, "number"), /no number/);
  }
  assert.throws(() => metadataValue("yes", "bool"), /true nor false/);
  assert.throws(() => metadataValue("1", "int"), /none of string/);
  assert.equal(metadataFilter(["pr_number=42", "a=b=c"]), '{"pr_number":42,"a":"b=c"}');
  assert.throws(() => metadataFilter(["=x"]), /key=value/);
  assert.throws(() => metadataFilter(["a=1", "a=2"]), /twice/);
});

Deno.test("csvRecord() splits on commas and honours quotes, for any fields", () => {
  assert.deepEqual(csvRecord("x", "a.png,b.png"), ["a.png", "b.png"]);
  assert.deepEqual(csvRecord("x", '"a,b.png"'), ["a,b.png"]);
  assert.deepEqual(csvRecord("x", "a,"), ["a", ""]);
  assert.throws(() => csvRecord("x", 'a"b'), /double quote/);
  fc.assert(fc.property(fc.array(fc.string(), { minLength: 1 }), (fields) => {
    const text = fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",");
    assert.deepEqual(csvRecord("x", text), fields);
  }));
});

Deno.test("jsonText() sorts, escapes and indents as the server's own tool", () => {
  assert.equal(
    jsonText({ title: "a <b> & c", n: 3, id: "x", metadata: {}, labels: [] }),
    '{\n  "id": "x",\n  "labels": [],\n  "metadata": {},\n  "n": 3,\n  "title": "a \\u003cb\\u003e \\u0026 c"\n}\n',
  );
  assert.equal(jsonText({ b: 1, "10": 2, "9": 3 }), '{\n  "10": 2,\n  "9": 3,\n  "b": 1\n}\n');
  assert.equal(jsonText(new Map([["z", 1], ["a", 2]])), '{\n  "z": 1,\n  "a": 2\n}\n');
  assert.equal(jsonText([-0]), "[\n  -0\n]\n");
  assert.equal(jsonText("\u2028\ud800"), '"\\u2028\ufffd"\n');
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
    assert.deepEqual(JSON.parse(jsonText(value)), value);
  }));
});

Deno.test("tableText() pads all but the last cell and keeps each row on its line", () => {
  assert.equal(
    tableText(["KEY", "VALUE", "TYPE"], [["pr_url", "https://x/1", "string"]]),
    "KEY     VALUE        TYPE\npr_url  https://x/1  string\n",
  );
  assert.equal(
    tableText(["A", "B"], [["x\ny\tz", 2_097_152], ["", null]]),
    "A      B\nx y z  2097152\n       \n",
  );
  assert.equal(tableText(["A", "B"], [["独立", "x"]]), "A     B\n独立  x\n");
  assert.equal(clipped("𝒳".repeat(81), 80), `${"𝒳".repeat(77)}...`);
});

Deno.test("parseLine() takes flags anywhere, the last scalar, every list value", () => {
  const line = parseLine(
    [
      "--debug",
      "issue",
      "--output",
      "json",
      "comment",
      "list",
      "--recent=5",
      "MUL-1",
      "--recent",
      "7",
      "--",
      "--x",
    ],
    COMMANDS,
  );
  assert.deepEqual(line.command?.path, ["issue", "comment", "list"]);
  assert.deepEqual(line.args, ["MUL-1", "--x"]);
  assert.deepEqual([line.given.int("recent"), line.given.bool("debug"), line.given.text("output")], [
    7,
    true,
    "json",
  ]);
  const made = parseLine(
    ["issue", "create", "--attachment", "a,b", "--attachment=c", "--title", "--x"],
    COMMANDS,
  );
  assert.deepEqual(made.given.list("attachment"), ["a", "b", "c"]);
  assert.equal(made.given.text("title"), "--x", "a value may look like a flag");
  const down = parseLine(["attachment", "download", "id", "-o", "out"], COMMANDS);
  assert.equal(down.given.text("output-dir"), "out");
  assert.equal(parseLine(["issue", "subissues", "X"], COMMANDS).command?.path.at(-1), "children");
  for (const bad of [["--wat"], ["--recent"], ["--recent", "x"], ["--full=perhaps"]]) {
    assert.throws(() => parseLine(["issue", "comment", "list", "X", ...bad], COMMANDS));
  }
});

Deno.test("presentFailure() has the right exit code and sentence for each class", () => {
  const codes = { 400: 5, 401: 3, 403: 3, 404: 4, 409: 1, 418: 1, 422: 5, 429: 1, 500: 1 };
  for (const [status, code] of Object.entries(codes)) {
    const body = '{"error":"wrong_parent","message":"Use parent 7"}';
    const error = new StepError(
      "resolve issue",
      new RequestError({ method: "GET", path: "/api/x", status: +status, body }),
    );
    for (const chinese of [false, true]) {
      const shown = presentFailure(error, { debug: false, chinese });
      assert.equal(shown.exitCode, code, status);
      assert.doesNotMatch(shown.text, /\/api\/x|resolve issue|debug\]/);
    }
    assert.match(
      presentFailure(error, { debug: true, chinese: false }).text,
      /\[debug\] request: GET \/api\/x\n/,
    );
    if (status === "409") {
      assert.match(
        presentFailure(error, { debug: false, chinese: false }).text,
        /^Request conflict: Use parent 7\. /,
      );
    }
  }
  for (const kind of ["timeout", "dns", "refused", "tls", "offline"] as const) {
    const error = new TransportError(`network_${kind}`, "GET", "/api/x", "why");
    assert.equal(presentFailure(error, { debug: false, chinese: false }).exitCode, 2);
  }
  assert.ok(isChinese({ LANG: "zh_CN.UTF-8" }));
  assert.ok(!isChinese({ LC_ALL: "en_US.UTF-8", LANG: "zh_CN.UTF-8" }));
});

Deno.test("linkDestinations() sees links, images, definitions and autolinks, and no code", () => {
  const found = linkDestinations([
    '[a](/tmp/a.txt) ![b](<file:///b c.png> "t") <file:///c> [d](x\\(y\\).md) [e](https://h/(q))',
    "[ref]: /tmp/ref.md",
    "`[no](/tmp/no)` ``[no](/tmp/`no)`` \\[no] (/tmp/no)",
    "",
    "    [no](/tmp/indented)",
    "",
    "```md",
    "[no](/tmp/fenced)",
    "```",
    "> [quoted](/tmp/q%20r)",
  ].join("\n"));
  assert.deepEqual(found.sort(), [
    "/tmp/a.txt",
    "/tmp/q r",
    "/tmp/ref.md",
    "file:///b c.png",
    "file:///c",
    "https://h/(q)",
    "x(y).md",
  ]);
});

Deno.test("safeName() leads nowhere but into the directory", () => {
  const names = ["a.png", "../../x", "..", ".", "", "c:\\d\\e.txt", "\u0000"].map((name) =>
    safeName(name, "id/../1")
  );
  assert.deepEqual(names, ["a.png", "x", "id____1", "id____1", "id____1", "e.txt", "id____1"]);
});
