import assert from "node:assert/strict";
import { agentVariables } from "../../../lib/agents/mod.ts";
import { join } from "node:path";
import {
  configFile,
  type Flags,
  inspectHost,
  type Machine,
  realFiles,
  resolveHost,
  SettingsInvalid,
  updateProfileFile,
} from "../../../lib/config/mod.ts";
import { testMachine } from "../../helpers/host_config.ts";

async function withHome(work: (home: string) => Promise<void> | void): Promise<void> {
  const home = await Deno.makeTempDir();
  try {
    await work(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

interface Given {
  readonly profile?: string;
  readonly flags?: Flags;
  readonly env?: Record<string, string>;
  readonly file?: Record<string, unknown>;
  readonly machine?: Partial<Machine>;
  readonly createIdentity?: boolean;
}

function inspect(home: string, given: Given = {}) {
  const profile = given.profile ?? "";
  if (given.file !== undefined) {
    const { file } = given;
    updateProfileFile(realFiles, configFile(home, profile), () => file);
  }
  const machine = testMachine(home, { env: given.env ?? {}, ...given.machine });
  return inspectHost({
    profile,
    flags: given.flags ?? {},
    machine,
    agentVariables: agentVariables(),
    createIdentity: given.createIdentity ?? false,
  });
}

function setting(home: string, name: string, given: Given) {
  const { settings, problems } = inspect(home, given);
  assert.deepEqual(problems, []);
  return settings.find((each) => each.name === name)!;
}

Deno.test("resolveHost() gives the chapter's defaults [03 §5.3] [01 §1.7]", async () => {
  await withHome((home) => {
    const { config, problems } = inspect(home);
    assert.deepEqual(problems, []);
    assert.deepEqual({
      serverUrl: config.serverUrl,
      healthPort: config.healthPort,
      deviceName: config.deviceName,
      workspacesRoot: config.paths.workspacesRoot,
      poll: config.pollIntervalMs,
      beat: config.heartbeatIntervalMs,
      sync: config.syncIntervalMs,
      renew: config.renewIntervalMs,
      slots: config.maxConcurrentTasks,
      timeout: config.agentTimeoutMs,
      codex: config.codexSemanticInactivityMs,
      idle: config.idleWatchdogMs,
      tool: config.toolWatchdogMs,
      keep: config.keepEnvAfterTask,
      update: config.autoUpdate,
      updateEvery: config.autoUpdateIntervalMs,
      gc: config.gc,
      level: config.logLevel,
      log: [config.logMaxBytes, config.logMaxFiles],
    }, {
      serverUrl: "http://localhost:8080",
      healthPort: 19514,
      deviceName: "build-box",
      workspacesRoot: join(home, "multica_workspaces"),
      poll: 30_000,
      beat: 15_000,
      sync: 30_000,
      renew: 259_200_000,
      slots: 20,
      timeout: 0,
      codex: 600_000,
      idle: 1_800_000,
      tool: 7_200_000,
      keep: false,
      update: false,
      updateEvery: 21_600_000,
      gc: {
        enabled: true,
        intervalMs: 3_600_000,
        ttlMs: 86_400_000,
        orphanTtlMs: 259_200_000,
        artifactTtlMs: 43_200_000,
        artifactPatterns: ["node_modules", ".next", ".turbo"],
      },
      level: "info",
      log: [20 * 1024 * 1024, 5],
    });
  });
});

Deno.test("resolveHost() takes flag over environment over file over default, with the origin of each [03 §5.1]", async () => {
  await withHome((home) => {
    const file = { poll_interval: "4s" };
    const env = { MULTICA_DAEMON_POLL_INTERVAL: " 3s " };
    const flags = { "poll-interval": "2s" };
    const path = configFile(home, "");
    const at = (given: Given) => {
      const { value, origin, source } = setting(home, "poll_interval", given);
      return [value, origin, source];
    };
    assert.deepEqual(at({ flags, env, file }), ["2s", "flag", "--poll-interval"]);
    assert.deepEqual(at({ env, file }), ["3s", "environment", "MULTICA_DAEMON_POLL_INTERVAL"]);
    assert.deepEqual(at({ env: { MULTICA_DAEMON_POLL_INTERVAL: "  " } }), [
      "4s",
      "profile file",
      `poll_interval in ${path}`,
    ]);
    assert.deepEqual(at({ file: {} }), ["30s", "default", ""]);
  });
});

Deno.test("resolveHost() lists every bad value at once: name, value, reason, what would be right", async () => {
  await withHome((home) => {
    const machine = testMachine(home, {
      env: {
        MULTICA_DAEMON_POLL_INTERVAL: "30",
        MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "many",
        MULTICA_CLAUDE_ARGS: '--x "open',
        MULTICA_SERVER_URL: "localhost:8080",
      },
    });
    const resolve = () =>
      resolveHost({
        profile: "",
        flags: { "heartbeat-interval": "2m" },
        machine,
        agentVariables: agentVariables(),
        createIdentity: true,
      });
    assert.throws(resolve, (error) => {
      assert.ok(error instanceof SettingsInvalid);
      assert.equal(error.exitCode, 1);
      assert.deepEqual(error.problems.map((problem) => problem.source).sort(), [
        "--heartbeat-interval",
        "MULTICA_CLAUDE_ARGS",
        "MULTICA_DAEMON_MAX_CONCURRENT_TASKS",
        "MULTICA_DAEMON_POLL_INTERVAL",
        "MULTICA_SERVER_URL",
      ]);
      assert.match(
        error.message,
        /MULTICA_DAEMON_POLL_INTERVAL="30": invalid duration, it has no unit; use a duration of at least 1s, such as 30s/,
      );
      assert.match(
        error.message,
        /MULTICA_DAEMON_MAX_CONCURRENT_TASKS="many": invalid integer; use a whole number from 1/,
      );
      assert.match(error.message, /--heartbeat-interval="2m": it is too long; use a duration from 1s to 1m/);
      return true;
    });
    assert.deepEqual([...Deno.readDirSync(home)], [], "nothing is written for a start that fails");
  });
});

Deno.test("resolveHost() refuses what older versions took and then failed with [03 §5.3]", async () => {
  await withHome((home) => {
    const bad: Record<string, string>[] = [
      { MULTICA_DAEMON_POLL_INTERVAL: "0" },
      { MULTICA_DAEMON_POLL_INTERVAL: "-5s" },
      { MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "0" },
      { MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "-1" },
      { MULTICA_GC_TTL: "0" },
      { MULTICA_AGENT_TIMEOUT: "-1h" },
    ];
    for (const env of bad) assert.equal(inspect(home, { env }).problems.length, 1, JSON.stringify(env));
    assert.equal(
      inspect(home, { env: { MULTICA_DAEMON_HEARTBEAT_INTERVAL: "0" } }).config.heartbeatIntervalMs,
      15_000,
    );
    assert.equal(inspect(home, { env: { MULTICA_GC_ARTIFACT_TTL: "0" } }).config.gc.artifactTtlMs, 0);
  });
});

Deno.test("resolveHost() reads the words of each switch as the chapter does [03 §5.3]", async () => {
  await withHome((home) => {
    const keep = (text: string) =>
      inspect(home, { env: { MULTICA_KEEP_ENV_AFTER_TASK: text } }).config.keepEnvAfterTask;
    assert.deepEqual(["true", "1", "yes", "on", "x", ""].map(keep), [true, true, false, false, false, false]);
    const gc = (text: string) => inspect(home, { env: { MULTICA_GC_ENABLED: text } }).config.gc.enabled;
    assert.deepEqual(["false", "0", "no", "off", ""].map(gc), [false, false, true, true, true]);
    const level = (text: string) => inspect(home, { env: { LOG_LEVEL: text } }).config.logLevel;
    assert.deepEqual(["info", "warn", "WARNING", "error", "trace", ""].map(level), [
      "info",
      "warning",
      "warning",
      "error",
      "debug",
      "info",
    ]);
    assert.equal(inspect(home, { flags: { debug: true } }).config.logLevel, "debug");
    const backups = (text: string) =>
      inspect(home, { env: { MULTICA_DAEMON_LOG_MAX_BACKUPS: text } }).config.logMaxFiles;
    assert.deepEqual(["3", "0", "-1", "x"].map(backups), [3, 5, 5, 5]);
  });
});

Deno.test("auto_update is on for the cloud only, environment forces it, the flag beats all [03 §16]", async () => {
  await withHome((home) => {
    const on = (given: Given) => inspect(home, given).config.autoUpdate;
    const cloud = { MULTICA_SERVER_URL: "https://api.multica.ai" };
    assert.equal(on({}), false);
    assert.equal(on({ env: cloud }), true);
    assert.equal(on({ env: { MULTICA_DAEMON_AUTO_UPDATE: "YES" } }), true);
    assert.equal(on({ env: { ...cloud, MULTICA_DAEMON_AUTO_UPDATE: "off" } }), false);
    assert.equal(on({ env: { ...cloud, MULTICA_DAEMON_AUTO_UPDATE: "perhaps" } }), true);
    assert.equal(
      on({ env: { ...cloud, MULTICA_DAEMON_AUTO_UPDATE: "on" }, flags: { "no-auto-update": true } }),
      false,
    );
    assert.equal(on({ env: cloud, file: { disable_auto_update: true } }), false);
    assert.equal(on({ env: {}, file: { disable_auto_update: false } }), false);
  });
});

Deno.test("an explicit --agent-timeout 0 overrides the environment [03 §5.3]", async () => {
  await withHome((home) => {
    const env = { MULTICA_AGENT_TIMEOUT: "2h" };
    assert.equal(inspect(home, { env }).config.agentTimeoutMs, 7_200_000);
    assert.equal(inspect(home, { env, flags: { "agent-timeout": "0" } }).config.agentTimeoutMs, 0);
  });
});

Deno.test("drain_timeout is short under a terminal and long as a service", async () => {
  await withHome((home) => {
    assert.equal(inspect(home, { machine: { terminal: true } }).config.drainTimeoutMs, 30_000);
    assert.equal(inspect(home, { machine: { terminal: false } }).config.drainTimeoutMs, 600_000);
    assert.equal(inspect(home, { env: { MULTICA_DRAIN_TIMEOUT: "5s" } }).config.drainTimeoutMs, 5_000);
  });
});

Deno.test("artifact patterns drop paths and blanks [03 §5.6]", async () => {
  await withHome((home) => {
    const patterns = (text: string) =>
      inspect(home, { env: { MULTICA_GC_ARTIFACT_PATTERNS: text } }).config.gc.artifactPatterns;
    assert.deepEqual(patterns("node_modules, .next ,foo/bar, ../etc, ,target"), [
      "node_modules",
      ".next",
      "target",
    ]);
    assert.deepEqual(patterns(" "), ["node_modules", ".next", ".turbo"]);
  });
});

Deno.test("the workspaces root is made absolute and belongs to its profile [03 §5.3]", async () => {
  await withHome((home) => {
    const root = (given: Given) => inspect(home, given).config.paths.workspacesRoot;
    assert.equal(root({ profile: "staging" }), join(home, "multica_workspaces_staging"));
    assert.equal(root({ env: { MULTICA_WORKSPACES_ROOT: "work" } }), join(home, "work"));
    assert.equal(root({ env: { MULTICA_WORKSPACES_ROOT: "~/w" } }), join(home, "w"));
    assert.equal(
      root({ flags: { "workspaces-root": "/x/../y" }, env: { MULTICA_WORKSPACES_ROOT: "/z" } }),
      "/y",
    );
  });
});

Deno.test("agent variables: paths, models, arguments, OpenClaw values of the file [03 §5.5] [03 §5.7] [03 §6.1]", async () => {
  await withHome((home) => {
    const { config } = inspect(home, {
      env: {
        PATH: "/bin",
        MULTICA_CLAUDE_PATH: " /opt/claude ",
        MULTICA_ANTIGRAVITY_MODEL: "Gemini 3 Pro (High)",
        MULTICA_CODEX_ARGS: `--a 'b c' ""`,
        MULTICA_PI_MODEL: "  ",
        MULTICA_CURSOR_ARGS: "--no-such-variable",
      },
      file: {
        backends: { openclaw: { binary_path: "/opt/openclaw", state_dir: "/var/oc" } },
        profile_command_overrides: { p1: " /opt/my-claude ", p2: " " },
      },
    });
    assert.deepEqual(config.agentPaths, { claude: "/opt/claude", openclaw: "/opt/openclaw" });
    assert.deepEqual(config.agentModels, { antigravity: "Gemini 3 Pro (High)" });
    assert.deepEqual(config.agentArgs, { codex: ["--a", "b c", ""] });
    assert.deepEqual(config.profileCommandOverrides, { p1: "/opt/my-claude" });
    assert.equal(config.inheritedEnv["OPENCLAW_STATE_DIR"], "/var/oc");
    const empty = inspect(home, { env: { OPENCLAW_STATE_DIR: "", MULTICA_OPENCLAW_PATH: "/env/oc" } }).config;
    assert.equal(empty.inheritedEnv["OPENCLAW_STATE_DIR"], "");
    assert.equal(empty.agentPaths["openclaw"], "/env/oc");
    assert.equal(empty.inheritedEnv["PATH"], "/usr/local/bin:/usr/bin:/bin");
  });
});

Deno.test("allow_commands comes from the file, and the environment wins", async () => {
  await withHome((home) => {
    const file = { allow_commands: ["a", " /b/c "] };
    assert.deepEqual(inspect(home, { file }).config.allowCommands, ["a", "/b/c"]);
    assert.deepEqual(inspect(home, { env: { MULTICA_ALLOW_COMMANDS: "x, *" } }).config.allowCommands, [
      "x",
      "*",
    ]);
    assert.equal(inspect(home, { file: { allow_commands: 3 } }).problems.length, 1);
    const [relative] = inspect(home, { env: { MULTICA_ALLOW_COMMANDS: "ok, rel/path" } }).problems;
    assert.match(JSON.stringify(relative), /\\"rel\/path\\" is neither a command name nor an absolute path/);
  });
});

Deno.test("identity: a configured id may be any string; otherwise daemon.id, written only by a good start [03 §4.1]", async () => {
  await withHome((home) => {
    assert.equal(inspect(home, { env: { MULTICA_DAEMON_ID: " my id " } }).config.daemonId, "my id");
    assert.equal(
      inspect(home, { flags: { "daemon-id": "x" }, env: { MULTICA_DAEMON_ID: "y" } }).config.daemonId,
      "x",
    );
    assert.equal(inspect(home).config.daemonId, "");
    const bad = inspect(home, { createIdentity: true, env: { MULTICA_GC_TTL: "x" } });
    assert.equal(bad.config.daemonId, "");
    const { config } = inspect(home, { createIdentity: true });
    assert.match(config.daemonId, /^[0-9a-f-]{36}$/);
    assert.equal(inspect(home).config.daemonId, config.daemonId);
    assert.deepEqual(config.legacyDaemonIds, ["build-box", "build-box.local"]);
    assert.equal(inspect(home, { machine: { hostname: " " } }).config.deviceName, "local-machine");
  });
});

Deno.test("the token comes from the file alone and is never shown [03 §7.4]", async () => {
  await withHome((home) => {
    const token = "mul_0123456789abcdef0123456789abcdef01234567";
    const { config, settings } = inspect(home, { file: { token }, env: { MULTICA_TOKEN: "mul_other" } });
    assert.equal(config.token, token);
    assert.ok(!JSON.stringify(settings).includes(token));
    assert.equal(settings.find((each) => each.name === "token")!.value, "mul_0123…");
    const broken = inspect(home, { file: { token: "two\nlines" } });
    assert.equal(broken.config.token, "");
    assert.ok(!JSON.stringify(broken.problems).includes("lines"));
  });
});

Deno.test("resolveHost() gives a frozen value that crosses threads", async () => {
  await withHome((home) => {
    const { config } = inspect(home);
    assert.throws(() => (config as { profile: string }).profile = "x", TypeError);
    assert.throws(() => (config.gc.artifactPatterns as string[]).push("x"), TypeError);
    assert.deepEqual(structuredClone(config), config);
  });
});

Deno.test("a machine already set up for Multica starts as it is: file, id and port are kept", async () => {
  await withHome(async (home) => {
    const dir = join(home, ".multica/profiles/staging");
    await Deno.mkdir(dir, { recursive: true });
    const before =
      '{\n  "server_url": "https://api.example.com",\n  "token": "mul_x",\n  "workspace_id": "w"\n}\n';
    await Deno.writeTextFile(join(dir, "config.json"), before);
    await Deno.writeTextFile(join(home, ".multica/daemon.id"), "0197f7a2-5c1e-7b3a-9d40-3f2c1b0a9e8d\n");
    const { config } = inspect(home, { profile: "staging", createIdentity: true });
    assert.equal(config.serverUrl, "https://api.example.com");
    assert.equal(config.token, "mul_x");
    assert.equal(config.daemonId, "0197f7a2-5c1e-7b3a-9d40-3f2c1b0a9e8d");
    assert.equal(config.healthPort, 20264);
    assert.equal(await Deno.readTextFile(join(dir, "config.json")), before);
  });
});

Deno.test("codex_first_turn_timeout is derived unless it is set [06 §11.9]", async () => {
  await withHome((home) => {
    assert.equal(inspect(home).config.codexFirstTurnMs, 0);
    const env = { MULTICA_CODEX_FIRST_TURN_TIMEOUT: "45s" };
    assert.equal(inspect(home, { env }).config.codexFirstTurnMs, 45_000);
  });
});
