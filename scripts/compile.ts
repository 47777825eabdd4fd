/**
 * Makes the one binary: main.ts and the engine's Worker bundled, split and minified, then `deno compile` with the host's
 * permission set.
 *
 *   deno task compile [--target TRIPLE] [--output FILE] [--version X.Y.Z]
 *
 * DENORT_BIN names the runtime to put the program on where the matching one cannot be downloaded.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    target: { type: "string" },
    output: { type: "string", default: "dist/multica-host" },
  },
});

const root = new URL("..", import.meta.url);
const bundle = new URL("dist/bundle/", root);
const WORKER = "lib/engine/worker";

/** Runs the same Deno with these arguments; the build ends with its exit code when it fails. */
async function deno(...args: string[]): Promise<void> {
  const { success, code } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) Deno.exit(code);
}

/** Both threads' programs in one split bundle: a start reads and compiles only the chunks it uses. */
async function makeBundle(): Promise<void> {
  await Deno.remove(bundle, { recursive: true }).catch(() => {});
  const form = ["--quiet", "--minify", "--code-splitting"];
  await deno("bundle", ...form, "--outdir", fileURLToPath(bundle), "main.ts", `${WORKER}.ts`);
  await pointToWorker();
}

/** The Worker's address is relative to its source file; in the bundle the chunks lie side by side. */
async function pointToWorker(): Promise<void> {
  let pointed = 0;
  for await (const { name } of Deno.readDir(bundle)) {
    if (!name.endsWith(".js")) continue;
    const file = new URL(name, bundle);
    const text = await Deno.readTextFile(file);
    const changed = text.replaceAll('"../engine/worker.ts"', `"./${WORKER}.js"`);
    if (changed === text) continue;
    await Deno.writeTextFile(file, changed);
    pointed++;
  }
  if (pointed !== 1) throw new Error(`the Worker's address was found in ${pointed} chunks, not in one`);
}

await makeBundle();
await deno(
  "compile",
  "-P=host",
  "--quiet",
  "--no-check",
  "--no-code-cache",
  // Halves memory under churn, and again under load: V8 lets a heap with a lower limit grow less before it collects
  // (docs/performance.md). V8 flags can only be baked.
  "--v8-flags=--max-semi-space-size=1,--max-old-space-size=1500",
  ...(values.target ? ["--target", values.target] : []),
  "--include",
  fileURLToPath(new URL(`${WORKER}.js`, bundle)),
  "--output",
  values.output,
  fileURLToPath(new URL("main.js", bundle)),
);
const { size } = await Deno.stat(resolve(fileURLToPath(root), values.output));
console.log(`${values.output}: ${(size / 1e6).toFixed(1)} MB`);
