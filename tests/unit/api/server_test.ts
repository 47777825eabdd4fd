import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import {
  type ApiOptions,
  bindApi,
  type HealthSnapshot,
  loopbackRequest,
  PortBusy,
  readHealth,
  requestShutdown,
  STARTING,
} from "../../../lib/api/mod.ts";
import { systemClock } from "../../../lib/core/mod.ts";
import { FakeClock } from "../../helpers/fake_clock.ts";

const CREDENTIAL = "c".repeat(64);
const clock = systemClock;

function options(more: Partial<ApiOptions> = {}): ApiOptions & { port: number } {
  return {
    port: 0,
    identity: {
      pid: 4242,
      os: "linux",
      daemon_id: "0197f7a2-5c1e-7b3a-9d40-3f2c1b0a9e8d",
      device_name: "build-box",
      server_url: "https://api.example.com",
      cli_version: "0.4.3",
      profile: "staging",
    },
    snapshot: () => STARTING,
    credential: CREDENTIAL,
    onShutdown: () => {},
    clock,
    ...more,
  };
}

async function withApi(more: Partial<ApiOptions>, work: (port: number) => Promise<void>): Promise<void> {
  const api = await bindApi(options(more));
  try {
    await work(api.port);
  } finally {
    await api.close();
  }
}

function request(port: number, method: string, path: string, headers: Record<string, string> = {}) {
  return loopbackRequest(port, method, path, headers, { clock });
}

const RUNNING: HealthSnapshot = {
  status: "running",
  active_task_count: 1,
  running_task_count: 1,
  resource_wait_task_count: 0,
  agents: ["claude", "codex"],
  workspaces: [{
    id: "0c1d2e3f-1111-4222-8333-944455556666",
    runtimes: ["7d0f2a64-31c5-4a4e-9c1b-5a6be0a3c901"],
  }],
  skipped_agents: { kimi: "version too old" },
  status_sentences: { poll: "asks again in 12 s" },
  claiming: { state: "claiming", why: "19 of 20 slots are free" },
};

Deno.test("/health has every field of the chapter, and the later ones [03 §9.1] [03 §17.2] [C11.13]", async () => {
  const fake = new FakeClock();
  let state: HealthSnapshot = STARTING;
  await withApi({ clock: fake, snapshot: () => state }, async (port) => {
    const before = JSON.parse((await request(port, "GET", "/health")).body);
    assert.equal(before.status, "starting");
    assert.equal(before.workspaces, null);
    assert.equal(before.uptime, "0s");
    await fake.advance(3_723_400);
    state = RUNNING;
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    assert.match(response.headers.get("content-type")!, /^application\/json/);
    assert.deepEqual(await response.json(), {
      status: "running",
      pid: 4242,
      os: "linux",
      uptime: "1h2m3s",
      daemon_id: "0197f7a2-5c1e-7b3a-9d40-3f2c1b0a9e8d",
      device_name: "build-box",
      server_url: "https://api.example.com",
      cli_version: "0.4.3",
      active_task_count: 1,
      agents: ["claude", "codex"],
      workspaces: RUNNING.workspaces,
      profile: "staging",
      running_task_count: 1,
      resource_wait_task_count: 0,
      skipped_agents: { kimi: "version too old" },
      status_sentences: { poll: "asks again in 12 s" },
      claiming: { state: "claiming", why: "19 of 20 slots are free" },
      program: "multica-host",
    });
  });
});

Deno.test("/health answers any method, other paths are 404 [03 §9]", async () => {
  await withApi({}, async (port) => {
    assert.equal((await request(port, "POST", "/health")).status, 200);
    assert.deepEqual(await request(port, "GET", "/nothing"), { status: 404, body: "not found" });
  });
});

Deno.test("/shutdown wants POST and the credential, answers, then shuts down once asked [03 §9.2]", async () => {
  let asked = 0;
  await withApi({ onShutdown: () => asked++ }, async (port) => {
    const bearer = { authorization: `Bearer ${CREDENTIAL}` };
    assert.deepEqual(await request(port, "GET", "/shutdown", bearer), {
      status: 405,
      body: "method not allowed",
    });
    assert.equal((await request(port, "POST", "/shutdown")).status, 401);
    assert.equal((await request(port, "POST", "/shutdown", { authorization: "Bearer x" })).status, 401);
    assert.equal((await request(port, "POST", "/shutdown", { authorization: "Bearer " })).status, 401);
    assert.equal(asked, 0);
    assert.deepEqual(await requestShutdown(port, CREDENTIAL, { clock }), {
      status: 200,
      body: '{"status":"shutting down"}',
    });
    assert.equal(asked, 1);
  });
});

Deno.test("the local API refuses web pages: any Origin, any other Host [03 §9.3]", async () => {
  await withApi({}, async (port) => {
    const bearer = { authorization: `Bearer ${CREDENTIAL}` };
    for (const path of ["/health", "/shutdown", "/repo/checkout", "/nothing"]) {
      const origin = await request(port, "POST", path, { ...bearer, origin: `http://127.0.0.1:${port}` });
      assert.equal(origin.status, 403, path);
      for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1:1", "127.0.0.1", ""]) {
        assert.equal((await request(port, "POST", path, { ...bearer, host })).status, 403, `${path} ${host}`);
      }
    }
    assert.equal((await request(port, "GET", "/health", { host: `LOCALHOST:${port}` })).status, 200);
  });
});

Deno.test("/repo/checkout checks the request before its handler sees it [03 §9.3]", async () => {
  const seen: unknown[] = [];
  await withApi({
    checkout: (checkout) => {
      seen.push(checkout);
      return Promise.resolve(
        checkout.ref === "busy"
          ? { status: 503, body: "busy", headers: { "Retry-After": "2" } }
          : { status: 200, body: { path: "/x", branch_name: "b" } },
      );
    },
  }, async (port) => {
    const post = (body: string, authorization = "") =>
      fetch(`http://127.0.0.1:${port}/repo/checkout`, {
        method: "POST",
        body,
        headers: authorization === "" ? {} : { authorization },
      });
    const refused = async (body: string) => {
      const response = await post(body);
      return [response.status, await response.text()];
    };
    assert.deepEqual(await refused("{}"), [400, "url is required"]);
    assert.deepEqual(await refused('{"url":"u"}'), [400, "workspace_id is required"]);
    assert.deepEqual(await refused('{"url":"u","workspace_id":"w"}'), [400, "workdir is required"]);
    for (const bad of ["nonsense", "[]", '{"url":3}', ""]) {
      const [status, text] = await refused(bad);
      assert.equal(status, 400);
      assert.match(String(text), /^invalid request body: /);
    }
    assert.equal((await request(port, "GET", "/repo/checkout")).status, 405);
    assert.equal(seen.length, 0);
    const ok = await post(
      '{"url":"u","workspace_id":"w","workdir":"/d","ref":null,"later":1}',
      "Bearer mat_x",
    );
    assert.deepEqual([ok.status, await ok.json()], [200, { path: "/x", branch_name: "b" }]);
    assert.deepEqual(seen, [{
      url: "u",
      workspace_id: "w",
      workdir: "/d",
      ref: "",
      agent_name: "",
      task_id: "",
      checkout_mode: "",
      retry_busy: false,
      token: "mat_x",
    }]);
    const busy = await post('{"url":"u","workspace_id":"w","workdir":"/d","ref":"busy"}');
    assert.deepEqual([busy.status, busy.headers.get("retry-after"), await busy.text()], [503, "2", "busy"]);
  });
});

Deno.test("/repo/checkout of a host without repositories says so [03 §9.3]", async () => {
  await withApi({}, async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/repo/checkout`, {
      method: "POST",
      body: '{"url":"u","workspace_id":"w","workdir":"/d"}',
    });
    assert.deepEqual([response.status, await response.text()], [500, "repo cache not initialized"]);
  });
});

Deno.test("/health answers while a checkout waits [03 §9.1]", async () => {
  let release = () => {};
  const blocked = new Promise<void>((resolve) => release = resolve);
  await withApi({ checkout: () => blocked.then(() => ({ status: 200, body: {} })) }, async (port) => {
    const checkout = fetch(`http://127.0.0.1:${port}/repo/checkout`, {
      method: "POST",
      body: '{"url":"u","workspace_id":"w","workdir":"/d"}',
    });
    assert.equal((await request(port, "GET", "/health")).status, 200);
    release();
    await (await checkout).body?.cancel();
  });
});

Deno.test("bindApi() refuses a second host on the profile with the pid of the first [f10]", async () => {
  await withApi({}, async (port) => {
    await assert.rejects(bindApi({ ...options(), port }), (error) => {
      assert.ok(error instanceof PortBusy);
      assert.equal(error.exitCode, 1);
      assert.equal(error.code, "host_already_running");
      assert.match(error.message, new RegExp(`profile "staging".*already runs \\(pid 4242, port ${port}`));
      assert.equal(error.hint, "multica-host stop --profile staging");
      return true;
    });
  });
});

Deno.test("bindApi() names the profile that holds a colliding port [03 §17.3]", async () => {
  await withApi({}, async (port) => {
    const other = options();
    await assert.rejects(
      bindApi({ ...other, identity: { ...other.identity, profile: "gnigats" }, port }),
      /its port \d+ is held by profile "staging" \(pid 4242\)/,
    );
  });
});

Deno.test("bindApi() says when the port belongs to another program", async () => {
  const other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("hello"),
  );
  try {
    await assert.rejects(bindApi({ ...options(), port: other.addr.port }), { code: "port_busy" });
  } finally {
    await other.shutdown();
  }
});

Deno.test("readHealth() asks again where a listener that ends resets the connection", async () => {
  const server = createServer((socket) => {
    server.close();
    socket.resetAndDestroy();
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port))
  );
  assert.deepEqual(await readHealth(port, { clock }), { kind: "down" });
});

Deno.test("readHealth() tells down, foreign and silent apart, and reads an older daemon [03 §17.3]", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const fake = new FakeClock();
  const silent = readHealth(port, { clock: fake });
  const connection = await listener.accept();
  await fake.advance(2000, { io: true });
  assert.equal((await silent).kind, "foreign");
  connection.close();
  listener.close();
  assert.deepEqual(await readHealth(port, { clock }), { kind: "down" });
  const old = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => Response.json({ status: "running", pid: 7, uptime: "1s", agents: null, new_field: 1 }),
  );
  const answer = await readHealth(old.addr.port, { clock });
  assert.ok(answer.kind === "up");
  assert.equal(answer.health.pid, 7);
  assert.equal(answer.health.profile, undefined);
  assert.deepEqual(answer.health.agents, []);
  assert.equal(answer.health["new_field"], 1);
  await old.shutdown();
});
