/** The commands as a person types them: the real program in a private home. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { healthPort } from "../../../lib/config/mod.ts";
import { makeHome, runHostCommand, type TestHome } from "../../helpers/host_process.ts";

async function withHome(work: (home: TestHome) => Promise<void>, profile = ""): Promise<void> {
  const home = await makeHome({ profile });
  try {
    await work(home);
  } finally {
    await home.remove();
  }
}

Deno.test("version prints two lines, JSON for programs, one line for --version [03 §12.5]", async () => {
  await withHome(async (home) => {
    const plain = await runHostCommand(home, ["version"]);
    assert.match(
      plain.stdout,
      /^multica-host \d+\.\d+\.\d+ \(commit: \w+, built: \w+\)\ndeno \S+, \w+\/(amd64|arm64)\n$/,
    );
    const facts = JSON.parse((await runHostCommand(home, ["version", "--output", "json"])).stdout);
    for (const key of ["version", "commit", "date", "go", "os", "arch"]) {
      assert.equal(typeof facts[key], "string", key);
    }
    assert.equal((await runHostCommand(home, ["--version"])).stdout, plain.stdout.split("\n")[0] + "\n");
    const late = await runHostCommand(home, ["version", "--profile", "staging", "--output", "json"]);
    assert.deepEqual(JSON.parse(late.stdout), facts);
  });
});

Deno.test("a mistyped command gets the nearest right one, exit 1, nothing on stdout [03 §13.3]", async () => {
  await withHome(async (home) => {
    const ran = await runHostCommand(home, ["stauts"]);
    assert.deepEqual(ran, {
      code: 1,
      stdout: "",
      stderr: 'error: "stauts" is no command\n  → did you mean multica-host status?\n',
    });
    const flag = await runHostCommand(home, ["--pol-interval", "3s"]);
    assert.equal(flag.code, 1);
    assert.match(flag.stderr, /unknown option '--pol-interval'/);
  });
});

Deno.test("the host refuses bad settings by name, value and what would be right [03 §5.3]", async () => {
  await withHome(async (home) => {
    const ran = await runHostCommand(home, ["--poll-interval", "30"]);
    assert.equal(ran.code, 1);
    assert.match(
      ran.stderr,
      /^error: Cannot use --poll-interval="30": invalid duration, it has no unit; use a duration of at least 1s, such as 30s\n/,
    );
    const bad = await runHostCommand(home, ["--profile", "../x"]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /is no profile name/);
  });
});

Deno.test("config shows values with origin, masks the token, and fails when the host could not start [03 §12.1]", async () => {
  await withHome(async (home) => {
    const token = "mul_0123456789abcdef0123456789abcdef01234567";
    await Deno.writeTextFile(
      join(home.stateDir, "config.json"),
      JSON.stringify({ token, workspace_id: "w1" }),
    );
    const env = { MULTICA_GC_TTL: "3d" };
    const ran = await runHostCommand(home, ["config", "show"], env);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^gc_ttl +72h +environment +MULTICA_GC_TTL$/m);
    assert.match(ran.stdout, /^workspace_id +w1 +profile file/m);
    assert.ok(!ran.stdout.includes(token));
    const json = JSON.parse((await runHostCommand(home, ["config", "--output", "json"], env)).stdout);
    assert.deepEqual(json.settings.find((each: { name: string }) => each.name === "gc_ttl"), {
      name: "gc_ttl",
      value: "72h",
      origin: "environment",
      source: "MULTICA_GC_TTL",
    });
    const wrong = await runHostCommand(home, ["config"], { MULTICA_GC_TTL: "soon" });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /MULTICA_GC_TTL="soon": invalid duration/);
  });
});

Deno.test("config set writes one key; an unknown one lists those there are [03 §12.1]", async () => {
  await withHome(async (home) => {
    assert.equal((await runHostCommand(home, ["config", "set", "server_url", "https://x.example"])).code, 0);
    const file = JSON.parse(await Deno.readTextFile(join(home.stateDir, "config.json")));
    assert.equal(file.server_url, "https://x.example");
    const unknown = await runHostCommand(home, ["config", "set", "nope", "1"]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /known: server_url, app_url, workspace_id,/);
    assert.equal((await runHostCommand(home, ["config", "set", "nope"])).code, 1);
  });
});

Deno.test("commands of the human are refused inside a task [03 §17.6]", async () => {
  await withHome(async (home) => {
    const before = await Deno.readTextFile(join(home.stateDir, "config.json"));
    for (
      const args of [["allow", "*"], ["login", "mul_x"], ["logout"], ["stop"], [
        "config",
        "set",
        "server_url",
        "http://x",
      ], []]
    ) {
      const ran = await runHostCommand(home, args, { MULTICA_TASK_ID: "t" });
      assert.equal(ran.code, 1, args.join(" "));
      assert.match(ran.stderr, /belongs to the person who owns this machine/, args.join(" "));
    }
    assert.equal(await Deno.readTextFile(join(home.stateDir, "config.json")), before);
  });
});

Deno.test("status, stop and logs say that a profile does not exist, and which do [03 §17.3]", async () => {
  await withHome(async (home) => {
    for (const verb of ["status", "stop", "logs"]) {
      const ran = await runHostCommand(home, [verb, "--profile", "stagging"]);
      assert.equal(ran.code, 1, verb);
      assert.match(ran.stderr, /There is no profile "stagging".*\n.*known profiles: team\/dev/);
    }
    const json = await runHostCommand(home, ["status", "--profile", "stagging", "--output", "json"]);
    const expected = { status: "unknown_profile", profile: "stagging", known_profiles: ["team/dev"] };
    assert.deepEqual(JSON.parse(json.stdout), expected);
  }, "team/dev");
});

Deno.test("status of a stopped host is no failure [03 §7.9]", async () => {
  await withHome(async (home) => {
    const ran = await runHostCommand(home, ["status", "--profile", "quiet-one"]);
    assert.deepEqual([ran.code, ran.stdout], [
      0,
      "Host [quiet-one]:  stopped\nstart it with: multica-host --profile quiet-one\n",
    ]);
    const json = await runHostCommand(home, [
      "daemon",
      "status",
      "--profile",
      "quiet-one",
      "--output",
      "json",
    ]);
    assert.deepEqual(JSON.parse(json.stdout), { status: "stopped" });
    const stop = await runHostCommand(home, ["stop", "--profile", "quiet-one"]);
    assert.deepEqual([stop.code, stop.stderr], [0, "The host is not running\n"]);
    const logs = await runHostCommand(home, ["logs", "--profile", "quiet-one"]);
    assert.equal(logs.code, 1);
    assert.match(logs.stderr, /There is no log yet/);
  }, "quiet-one");
});

Deno.test("status shows an older daemon, and names the profile that holds a colliding port [03 §17.3]", async () => {
  let health: Record<string, unknown> = {
    status: "running",
    pid: 7,
    uptime: "1m5s",
    agents: ["claude"],
    workspaces: [],
  };
  const port = healthPort("status-test-b");
  const other = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, () => Response.json(health));
  try {
    await withHome(async (home) => {
      const args = ["status", "--profile", "status-test-b"];
      const old = await runHostCommand(home, args);
      assert.match(old.stdout, /^Host \[status-test-b\]: {2}running \(pid 7, uptime 1m5s\)\n/);
      assert.match(old.stdout, /^Workspaces: +0 /m);
      health = {
        ...health,
        profile: "b-tset-status",
        claiming: { state: "full", why: "all slots are taken" },
      };
      assert.match(
        (await runHostCommand(home, args)).stdout,
        /stopped; its port \d+ is held by profile "b-tset-status"/,
      );
      const json = JSON.parse((await runHostCommand(home, [...args, "--output", "json"])).stdout);
      assert.deepEqual(json, { status: "stopped", port_conflict: { port, profile: "b-tset-status" } });
      const stop = await runHostCommand(home, ["stop", "--profile", "status-test-b"]);
      assert.equal(stop.code, 1);
      assert.match(stop.stderr, /nothing was stopped/);
      health = { ...health, profile: "status-test-b" };
      const ours = await runHostCommand(home, args);
      assert.match(ours.stdout, /^Claiming: +no: all slots are taken$/m);
    }, "status-test-b");
  } finally {
    await other.shutdown();
  }
});

Deno.test("login checks the token with the server, then saves it; auth status and logout follow [03 §10.1] [03 §10.4]", async () => {
  const seen: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(request.headers.get("authorization"));
    const good = request.headers.get("authorization") === "Bearer mul_good_token";
    return good
      ? Response.json({ name: "Ada", email: "ada@example.com" })
      : Response.json({ error: "invalid token" }, { status: 401 });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await withHome(async (home) => {
      await Deno.remove(join(home.stateDir, "config.json"));
      for (const bad of ["mdt_x", "mat_x", "MUL_x", "mul_", " "]) {
        const ran = await runHostCommand(home, ["login", "--token", bad, "--server-url", url]);
        assert.equal(ran.code, 1, bad);
      }
      assert.equal(seen.length, 0);
      const refused = await runHostCommand(home, ["login", "--token=mul_bad", "--server-url", url]);
      assert.equal(refused.code, 3);
      assert.match(refused.stderr, /^error: The server does not accept the token: invalid token\n/);
      const ok = await runHostCommand(home, ["login", "mul_good_token", "--server-url", `${url}/ws`]);
      assert.equal(ok.code, 0, ok.stderr);
      assert.match(ok.stderr, /as Ada <ada@example.com>/);
      const file = JSON.parse(await Deno.readTextFile(join(home.stateDir, "config.json")));
      assert.deepEqual(file, { server_url: url, token: "mul_good_token" });
      const status = await runHostCommand(home, ["auth", "status"]);
      assert.match(status.stdout, /User: {5}Ada|User: +Ada/);
      assert.match(status.stdout, /mul_good_tok\.\.\./);
      assert.equal((await runHostCommand(home, ["logout"])).code, 0);
      const after = await runHostCommand(home, ["auth", "status"]);
      assert.deepEqual([after.code, /Not logged in/.test(after.stdout)], [0, true]);
    });
  } finally {
    await server.shutdown();
  }
});

Deno.test("login says in one sentence that nobody answers, exit 2 [03 §13.2]", async () => {
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = gone.addr;
  gone.close();
  await withHome(async (home) => {
    const ran = await runHostCommand(home, ["login", "mul_x", "--server-url", `http://127.0.0.1:${port}`]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /^error: Nobody answers at the server's address\n {2}→ /);
    assert.ok(!ran.stderr.includes("[debug]"));
    const debug = await runHostCommand(home, [
      "login",
      "mul_x",
      "--server-url",
      `http://127.0.0.1:${port}`,
      "--debug",
    ]);
    assert.match(debug.stderr, /\n\n\[debug\] .*GET \/api\/me/);
  });
});

Deno.test("task commands without a local control plane say how to start one", async () => {
  await withHome(async (home) => {
    const ran = await runHostCommand(home, ["task", "add", "Do it", "--dir", ".", "--agent", "claude"]);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /no local control plane yet\n.*multica-host local/);
  });
});

Deno.test("commands refuse words they do not take, and name their own help", async () => {
  await withHome(async (home) => {
    for (
      const [args, words] of [
        [["status", "extra"], /too many arguments for 'status'.*\n\(see multica-host status --help\)/],
        [["config", "get"], /too many arguments for 'config'/],
        [["task", "show"], /missing required argument 'id'\n\(see multica-host task show --help\)/],
        [["task", "list", "--status", "odd"], /'odd' is invalid. Allowed choices are queued, .*cancelled/],
        [["logs", "--lines", "x"], /--lines "x": invalid integer/],
      ] as const
    ) {
      const ran = await runHostCommand(home, args);
      assert.equal(ran.code, 1, args.join(" "));
      assert.match(ran.stderr, words);
    }
  });
});

Deno.test("rights prints the narrow set of the profile", async () => {
  await withHome(async (home) => {
    await Deno.writeTextFile(join(home.stateDir, "config.json"), '{"server_url":"https://api.example.com"}');
    const ran = await runHostCommand(home, ["rights"]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^ {2}api\.example\.com:443$/m);
    assert.ok(ran.stdout.includes(`  ${home.workspacesRoot}\n`));
    assert.ok(!ran.stdout.includes(".ssh"));
  });
});
