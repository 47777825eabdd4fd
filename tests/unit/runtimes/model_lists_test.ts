/** Model lists asked of real processes (spec 08 §3, §5). */
import assert from "node:assert/strict";
import { launch } from "../../../lib/core/mod.ts";
import { ModelLists } from "../../../lib/runtimes/mod.ts";
import { script } from "../../helpers/agent_run.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";
import { DirectProcessControl } from "../../helpers/process_control.ts";

interface Stage {
  readonly dir: string;
  readonly clock: FakeClock;
  readonly lists: ModelLists;
  /** Writes a CLI that notes how it was called before it does `body`. */
  cli(body: string): Promise<string>;
  calls(): Promise<string[]>;
}

async function onStage(work: (stage: Stage) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const clock = new FakeClock();
  const env = { PATH: "/usr/bin:/bin", MULTICA_TOKEN: "secret" };
  const lists = new ModelLists({ clock, launch, processes: new DirectProcessControl(), env, home: dir });
  try {
    await work({
      dir,
      clock,
      lists,
      cli: (body) => script(`${dir}/cli`, `#!/bin/sh\necho "$*$MULTICA_TOKEN" >> '${dir}/calls'\n${body}\n`),
      calls: async () => (await Deno.readTextFile(`${dir}/calls`)).trim().split("\n"),
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const VERBOSE = `if [ "$2" = models ] && [ "$3" = --verbose ]; then echo 'openai/gpt-5
{"variants":{"high":{},"low":{}}}'; fi`;

Deno.test("ModelLists asks OpenCode once a minute, prefix first, without the host's own variables", () =>
  onStage(async ({ lists, clock, cli, calls }) => {
    const target = { provider: "opencode", executable: await cli(VERBOSE), prefixArgs: ["run-it"] };
    const [one, two] = await Promise.all([lists.list(target), lists.list(target)]);
    assert.deepEqual(one, two);
    assert.equal(one.fallback, false);
    assert.deepEqual(one.models.map((model) => model.id), ["openai/gpt-5"]);
    assert.deepEqual(one.models[0]!.thinking!.supported_levels.map((level) => level.value), ["low", "high"]);
    await lists.list(target);
    assert.deepEqual(await calls(), ["run-it models --verbose"]);
    await clock.advance(60_000);
    await lists.list(target);
    await lists.list({ ...target, prefixArgs: ["another"] });
    assert.equal((await calls()).length, 3);
  }));

Deno.test("ModelLists [OC-23] asks the plain command when the long one fails or prints noise; nothing is remembered", () =>
  onStage(async ({ lists, cli, calls }) => {
    const body =
      `if [ "$2" = --verbose ]; then echo "panic: catalog sync failed"; exit 1; fi; echo openai/gpt-4o`;
    const target = { provider: "opencode", executable: await cli(body), prefixArgs: [] };
    assert.deepEqual((await lists.list(target)).models.map((model) => model.id), ["openai/gpt-4o"]);
    const silent = { ...target, executable: await cli("exit 2") };
    assert.deepEqual(await lists.list({ ...silent, prefixArgs: ["x"] }), { models: [], fallback: false });
    await lists.list({ ...silent, prefixArgs: ["x"] });
    assert.equal((await calls()).filter((call) => call.startsWith("x ")).length, 4);
  }));

Deno.test("ModelLists [CB-8] reads CodeBuddy's help from either stream, with its levels; else its plain list", () =>
  onStage(async ({ lists, cli }) => {
    const help =
      "  --model <model>  Currently supported: (gpt-5.5, glm-5.1-ioa)\n  --effort <level>  Effort (low, high)";
    const target = {
      provider: "codebuddy",
      executable: await cli(`echo "${help}" >&2; exit 1`),
      prefixArgs: [],
    };
    const { models, fallback } = await lists.list(target);
    assert.deepEqual([models.map((model) => model.id), fallback], [["gpt-5.5", "glm-5.1-ioa"], false]);
    assert.equal(models[1]!.thinking!.supported_levels.length, 2);
    const plain = await lists.list({ ...target, executable: "" });
    assert.equal(plain.fallback, true);
    assert.ok(plain.models.length > 0);
  }));

Deno.test("ModelLists leaves a CLI that hangs to its limit, and no process of it", () =>
  onStage(async ({ dir, lists, clock, cli }) => {
    await new Deno.Command("mkfifo", { args: [`${dir}/up`] }).output();
    const executable = await cli(`echo up > '${dir}/up'; sleep 600`);
    const asked = lists.list({ provider: "opencode", executable, prefixArgs: [] });
    assert.equal((await Deno.readTextFile(`${dir}/up`)).trim(), "up");
    await clock.advance(15_000);
    assert.deepEqual(await asked, { models: [], fallback: false });
  }));

Deno.test("ModelLists asks nobody whose list is plain, nor starts a program that is not there", () =>
  onStage(async ({ dir, lists }) => {
    const target = (provider: string) => ({ provider, executable: `${dir}/nothing`, prefixArgs: [] });
    assert.equal((await lists.list(target("claude"))).fallback, false);
    assert.equal((await lists.list(target("cursor"))).fallback, true);
    assert.deepEqual(await lists.list(target("opencode")), { models: [], fallback: false });
  }));
