/**
 * Writes docs/conformance.md: each requirement of the specification beside the tests that name it.
 *
 *   deno task conformance           write the table
 *   deno task conformance --check   fail when a requirement has no test, or the table is out of date
 *
 * A test names requirements in brackets: `Deno.test("claude driver [CL-5] …")`, several as `[R2, R3]`,
 * a run of them as `[R50-R53]`.
 */

/** One list of requirements: how its ids are written, and where it stands. */
interface List {
  readonly prefix: string;
  readonly first: number;
  readonly last: number;
  readonly where: string;
}

const LISTS: readonly List[] = [
  { prefix: "R", first: 1, last: 57, where: "spec 01 §9, control plane over HTTP" },
  { prefix: "S", first: 0, last: 8, where: "spec 01 §8.1, profile-set signatures" },
  { prefix: "V8.", first: 2, last: 5, where: "spec 01 §8.2–8.5, the other vectors" },
  { prefix: "C11.", first: 1, last: 13, where: "spec 01 §11.1–11.13, later changes over HTTP" },
  { prefix: "WS-", first: 1, last: 15, where: "spec 02 §9 (R1–R15 there), runtime gone over the socket" },
  { prefix: "W17.", first: 1, last: 10, where: "spec 02 §17.1–17.10, later changes of the socket" },
  { prefix: "CL-", first: 1, last: 22, where: "spec 06 §3.7, Claude Code" },
  { prefix: "CB-", first: 1, last: 8, where: "spec 06 §4, CodeBuddy" },
  { prefix: "CX-", first: 1, last: 29, where: "spec 06 §5.14, Codex" },
  { prefix: "CP-", first: 1, last: 13, where: "spec 06 §6.4, Copilot" },
  { prefix: "CU-", first: 1, last: 9, where: "spec 06 §7.7, Cursor" },
  { prefix: "HD-", first: 1, last: 14, where: "spec 06 §8.10, the host side of a run" },
  { prefix: "N-", first: 1, last: 34, where: "spec 06 §11, later changes" },
  { prefix: "OC-", first: 1, last: 24, where: "spec 07 §5.6, OpenCode" },
];

/** Requirements no test here can show, and why; the table says so. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "N-19": "Windows only: needs a Windows machine (README, Platforms)",
};

interface Named {
  readonly test: string;
  readonly file: string;
}

const root = new URL("..", import.meta.url);
const target = new URL("docs/conformance.md", root);

/** Requirement id → tests that name it. */
async function collect(dir: URL, found = new Map<string, Named[]>()): Promise<Map<string, Named[]>> {
  for await (const entry of Deno.readDir(dir)) {
    const url = new URL(entry.isDirectory ? `${entry.name}/` : entry.name, dir);
    if (entry.isDirectory) await collect(url, found);
    else if (/_test\.ts$/.test(entry.name)) scan(await Deno.readTextFile(url), relative(url), found);
  }
  return found;
}

function relative(url: URL): string {
  return url.pathname.slice(root.pathname.length);
}

const NAME = /(?:Deno\.test|\.step)\(\s*(?:\{\s*name:\s*)?(["'`])((?:(?!\1)[^\\]|\\.)*)\1/g;
const TAG = /\[([A-Za-z][A-Za-z0-9.-]*(?:\s*[,;–-]\s*[A-Za-z0-9.-]+)*)\]/g;

function scan(source: string, file: string, found: Map<string, Named[]>): void {
  for (const match of source.matchAll(NAME)) {
    const test = match[2]!;
    for (const tag of test.matchAll(TAG)) {
      for (const id of tag[1]!.split(/[,;]/).flatMap((part) => expand(part.trim()))) {
        const tests = found.get(id) ?? [];
        tests.push({ test, file });
        found.set(id, tests);
      }
    }
  }
}

/** `R50-R53` → R50, R51, R52, R53; anything else stays itself. */
function expand(part: string): readonly string[] {
  const run = /^([A-Za-z]+-?)(\d+)\s*[-–]\s*(?:\1)?(\d+)$/.exec(part);
  if (run === null) return [part];
  const [, prefix, from, to] = run;
  const ids: string[] = [];
  for (let n = Number(from); n <= Number(to); n++) ids.push(`${prefix}${n}`);
  return ids;
}

function render(found: ReadonlyMap<string, readonly Named[]>): { text: string; open: readonly string[] } {
  const open: string[] = [];
  const out = [
    "# Conformance",
    "",
    "Each requirement of the protocol and behaviour specification, and the tests that show it. Generated from the",
    "test names by `deno task conformance`; do not edit.",
  ];
  for (const list of LISTS) {
    out.push("", `## ${list.where}`, "", "| requirement | test | file |", "| --- | --- | --- |");
    for (let n = list.first; n <= list.last; n++) {
      const id = `${list.prefix}${n}`;
      const tests = found.get(id) ?? [];
      const elsewhere = ELSEWHERE[id];
      if (tests.length === 0 && elsewhere !== undefined) out.push(`| ${id} | *${elsewhere}* | |`);
      else if (tests.length === 0) {
        open.push(id);
        out.push(`| ${id} | **open** | |`);
      }
      for (const { test, file } of tests) out.push(`| ${id} | ${cell(test)} | \`${file}\` |`);
    }
  }
  return { text: out.join("\n") + "\n", open };
}

function cell(text: string): string {
  return text.replaceAll("\\", "").replaceAll("|", "\\|");
}

const { text, open } = render(await collect(new URL("tests/", root)));
if (open.length > 0) console.error(`without a test: ${open.join(", ")}`);
if (Deno.args.includes("--check")) {
  const current = await Deno.readTextFile(target).catch(() => "");
  if (current !== text) console.error("docs/conformance.md is out of date: run deno task conformance");
  Deno.exit(open.length > 0 || current !== text ? 1 : 0);
}
await Deno.mkdir(new URL("docs/", root), { recursive: true });
await Deno.writeTextFile(target, text);
