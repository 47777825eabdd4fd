/** Proxies and private CAs, for HTTP and for the socket alike (spec 02 §15). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";

const HOST = "plane.test";
const PROBE = fileURLToPath(new URL("./network_probe.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../../deno.json", import.meta.url));

/** A server that answers the status call and acknowledges heartbeats; with `tls` over TLS. */
function serve(tls?: { cert: string; key: string }) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {}, ...tls }, (request) => {
    if (request.headers.get("upgrade") === null) return Response.json({ status: "running" });
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      const { runtime_id } = JSON.parse(data).payload;
      socket.send(JSON.stringify({ type: "daemon:heartbeat_ack", payload: { runtime_id, status: "ok" } }));
    };
    return response;
  });
}

/** A proxy that leads every name to loopback and notes the first line of each connection. */
async function withProxy(use: (url: string, lines: string[]) => Promise<void>): Promise<void> {
  const lines: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((near) => {
    open.add(near);
    near.on("error", () => {}).on("close", () => open.delete(near));
    near.once("data", (head) => {
      const line = head.toString("latin1").split("\r\n")[0]!;
      lines.push(line);
      const [method, target] = line.split(" ") as [string, string];
      const port = Number(/:(\d+)/.exec(target.replace(/^http:\/\//, ""))![1]);
      const far = connect(port, "127.0.0.1", () => {
        if (method === "CONNECT") near.write("HTTP/1.1 200 OK\r\n\r\n");
        else far.write(head);
        near.pipe(far).pipe(near);
      });
      open.add(far);
      far.on("error", () => near.destroy()).on("close", () => open.delete(far));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, lines);
  } finally {
    server.close();
    for (const socket of open) socket.destroy();
    await once(server, "close");
  }
}

async function probe(url: string, env: Record<string, string>): Promise<{ http: string; socket: string }> {
  const { HOME = "/", PATH = "", DENO_DIR } = Deno.env.toObject();
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--no-check", "--config", CONFIG, PROBE, url],
    clearEnv: true,
    env: {
      HOME,
      PATH,
      ...(DENO_DIR === undefined ? {} : { DENO_DIR }),
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
      ...env,
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.ok(success, text(stderr));
  return JSON.parse(text(stdout));
}

const GOOD = { http: "running", socket: "acknowledged" };

Deno.test("control goes through HTTP_PROXY with HTTP and socket, and past it for NO_PROXY", async () => {
  const server = serve();
  try {
    await withProxy(async (proxy, lines) => {
      const url = `http://${HOST}:${server.addr.port}`;
      assert.deepEqual(await probe(url, { HTTP_PROXY: proxy }), GOOD);
      assert.equal(lines.length, 2);
      assert.match(lines[0]!, new RegExp(`^(GET http://${HOST}:|CONNECT ${HOST}:)`));
      assert.match(lines[1]!, new RegExp(`^(GET http://${HOST}:|CONNECT ${HOST}:)`));
      lines.length = 0;
      const direct = `http://127.0.0.1:${server.addr.port}`;
      assert.deepEqual(await probe(direct, { HTTP_PROXY: proxy, NO_PROXY: "127.0.0.1" }), GOOD);
      assert.deepEqual(lines, []);
    });
  } finally {
    await server.shutdown();
  }
});

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdout: "null", stderr: "piped" })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A CA and a certificate of it for {@link HOST}; no key is kept in the repository. */
async function certificates(dir: string): Promise<{ ca: string; cert: string; key: string }> {
  await Deno.writeTextFile(
    `${dir}/ext`,
    `subjectAltName=DNS:${HOST},IP:127.0.0.1\nbasicConstraints=CA:FALSE\n`,
  );
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await run("openssl", [
    "req",
    "-x509",
    ...key,
    "-subj",
    "/CN=Test CA",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  ], dir);
  await run("openssl", [
    "req",
    ...key.slice(0, 4),
    "-nodes",
    "-subj",
    `/CN=${HOST}`,
    "-keyout",
    "key.pem",
    "-out",
    "req.pem",
  ], dir);
  await run("openssl", [
    ...["x509", "-req", "-in", "req.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-days", "2", "-extfile", "ext", "-out", "cert.pem"],
  ], dir);
  return {
    ca: `${dir}/ca.pem`,
    cert: await Deno.readTextFile(`${dir}/cert.pem`),
    key: await Deno.readTextFile(`${dir}/key.pem`),
  };
}

const openssl = await new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" })
  .output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "control trusts a private CA by environment, for HTTP and socket, also through a CONNECT proxy",
  ignore: !openssl,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    try {
      const { ca, ...tls } = await certificates(dir);
      const server = serve(tls);
      const { port } = server.addr;
      try {
        const stranger = await probe(`https://127.0.0.1:${port}`, {});
        assert.match(stranger.http, /failed: .*certificate/);
        assert.match(stranger.socket, /^cannot connect/);
        assert.deepEqual(await probe(`https://127.0.0.1:${port}`, { DENO_CERT: ca }), GOOD);
        await withProxy(async (proxy, lines) => {
          const url = `https://${HOST}:${port}`;
          assert.deepEqual(await probe(url, { HTTPS_PROXY: proxy, DENO_CERT: ca }), GOOD);
          assert.deepEqual(lines.map((line) => line.split(" ").slice(0, 2)), [
            ["CONNECT", `${HOST}:${port}`],
            ["CONNECT", `${HOST}:${port}`],
          ]);
        });
      } finally {
        await server.shutdown();
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
