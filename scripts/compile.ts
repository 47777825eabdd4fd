/**
 * Makes the one binary: `deno compile` of main.ts with the host's permission set, bundled and minified.
 *
 *   deno task compile [--target TRIPLE] [--output FILE] [--version X.Y.Z]
 *
 * DENORT_BIN names the runtime to put the program on where the matching one cannot be downloaded.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    target: { type: "string" },
    output: { type: "string", default: "dist/multica-host" },
  },
});

const args = [
  "compile",
  "-P=host",
  "--quiet",
  "--bundle",
  "--minify",
  "--no-check",
  "--no-code-cache",
  // Halves memory under churn, and again under load: V8 lets a heap with a lower limit grow less before it collects
  // (docs/performance.md). V8 flags can only be baked.
  "--v8-flags=--max-semi-space-size=1,--max-old-space-size=1500",
  ...(values.target ? ["--target", values.target] : []),
  "--output",
  values.output,
  "main.ts",
];

await Deno.mkdir(new URL("../dist", import.meta.url), { recursive: true });
const { success, code } = await new Deno.Command(Deno.execPath(), {
  args,
  cwd: new URL("..", import.meta.url),
  stdout: "inherit",
  stderr: "inherit",
}).output();
if (!success) Deno.exit(code);
const { size } = await Deno.stat(resolve(import.meta.dirname ?? ".", "..", values.output));
console.log(`${values.output}: ${(size / 1e6).toFixed(1)} MB`);
