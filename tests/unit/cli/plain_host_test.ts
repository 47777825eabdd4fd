import assert from "node:assert/strict";
import { plainHostOptions } from "../../../lib/cli/plain_host.ts";
import { Program } from "../../../lib/cli/program.ts";

/** What the command parser makes of the same line, without what it adds to every line. */
function parsed(args: readonly string[]): Record<string, unknown> {
  const { root } = new Program();
  root.action(() => {}).parse([...args], { from: "user" });
  const given = Object.entries(root.opts()).filter(([name]) => root.getOptionValueSource(name) === "cli");
  return Object.fromEntries(given);
}

Deno.test("plainHostOptions() reads a line of long options as the command parser does", () => {
  for (
    const line of [
      "",
      "--profile staging",
      "--profile=staging --debug",
      "--poll-interval 45s --max-concurrent-tasks=3 --workspace-id w1",
      "--no-auto-update --device-name two=words",
      "--profile a --profile b",
    ]
  ) {
    const args = line === "" ? [] : line.split(" ");
    assert.deepEqual(plainHostOptions(args), parsed(args), line);
  }
});

Deno.test("plainHostOptions() leaves everything else to the command parser", () => {
  for (
    const line of [
      "status",
      "--profile staging status",
      "--help",
      "-V",
      "--version",
      "--pol-interval 3s",
      "--profile",
      "--profile --debug",
      "--debug=yes",
      "-- x",
      "--profile staging x",
    ]
  ) assert.equal(plainHostOptions(line.split(" ")), undefined, line);
});
