import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type HttpControl, parseRetryAfter, RequestError, TransportError } from "../../../lib/control/mod.ts";
import { gate, refuse, withBoth, withControl, withServer } from "./server.ts";

Deno.test("Transport gives the first 4096 bytes of an error, trimmed, with its text and Retry-After", async () => {
  const long = "  " + "x".repeat(200_000);
  await withBoth(
    (_seen, n) => n === 1 ? refuse(409, "busy", { "retry-after": "3" }) : new Response(long, { status: 500 }),
    async (control) => {
      await assert.rejects(control.start("t"), (error) => {
        assert.ok(error instanceof RequestError);
        assert.equal(error.message, 'POST /api/daemon/tasks/t/start returned 409: {"error":"busy"}');
        assert.equal(error.retryAfterMs, 3_000);
        return true;
      });
      await assert.rejects(control.start("t"), (error) => {
        assert.ok(error instanceof RequestError);
        assert.equal(error.body, "x".repeat(4_094));
        return true;
      });
    },
  );
});

Deno.test("Transport calls an empty, broken or foreign answer a transport error, and drains what is not wanted", async () => {
  const bodies = ["", "{", "<html>", "[]", "7"];
  await withBoth(
    (_seen, n) => new Response(bodies[(n - 1) % bodies.length]!),
    async (control) => {
      for (const body of bodies) {
        await assert.rejects(control.start("t"), (error) => {
          assert.ok(error instanceof TransportError, body);
          assert.equal(error.code, "bad_response");
          return true;
        });
      }
      for (const _ of bodies) await control.progress("t", "", 1, 2);
    },
  );
  await withBoth(
    () => new Response(null, { status: 204 }),
    (control) => control.pinSession("t", { work_dir: "/w" }),
  );
});

Deno.test("Transport never sends NUL or lone surrogates, also in bodies encoded elsewhere", async () => {
  await withBoth(() => Response.json({ id: "t", status: "failed" }), async (control, { seen }) => {
    await control.fail("t", { error: "a\0b\ud800c😀 \\u0000" });
    await control.messagesEncoded(
      "t",
      '{"messages":[{"seq":1,"type":"text","content":"a\\u0000b\\uD800\\uD83D\\uDE00"}]}',
    );
    await control.messages("t", [{ seq: 1, type: "tool_use", tool: "t", input: { "k\0": ["v\0"] } }]);
    const [fail, encoded, messages] = seen.map(({ body }) => JSON.parse(body));
    assert.equal(fail.error, "ab\ufffdc😀 \\u0000");
    assert.equal(encoded.messages[0].content, "ab\ufffd😀");
    assert.deepEqual(messages.messages[0].input, { k: ["v"] });
    for (const { body } of seen) assert.ok(!/[^\\]\\u0000/.test(body));
  });
});

Deno.test("Transport follows redirects below its own origin only; the bearer goes nowhere else", async () => {
  let strangers = 0;
  await withServer(() => {
    strangers++;
    return Response.json({ status: "running" });
  }, async (other) => {
    await withBoth(({ path }) => {
      if (path.includes("/here/")) {
        return new Response(null, { status: 302, headers: { location: "/moved" } });
      }
      if (path.includes("/keep/")) {
        return new Response(null, { status: 307, headers: { location: "/moved" } });
      }
      if (path.includes("/loop/")) return new Response(null, { status: 302, headers: { location: path } });
      if (path === "/moved") return Response.json({ id: "t", status: "running" });
      return new Response(null, { status: 302, headers: { location: `${other.url}/x` } });
    }, async (control, { seen }) => {
      assert.equal(await control.taskStatus("here"), "running");
      assert.equal(seen[1]!.headers.get("authorization"), "Bearer mul_test");
      assert.equal((await control.start("keep")).status, "running");
      assert.equal(`${seen[3]!.method} ${seen[3]!.body}`, "POST {}");
      await assert.rejects(
        control.taskStatus("away"),
        /redirected to http:\/\/127\.0\.0\.1:\d+, which is not the configured/,
      );
      await assert.rejects(control.taskStatus("loop"), /more than 10 redirects/);
    });
  });
  assert.equal(strangers, 0);
});

Deno.test("Transport refuses an answer over the size limit, with and without a length", async () => {
  const body = JSON.stringify({ status: "x".repeat(2_000) });
  await withBoth(
    (_seen, n) =>
      n === 1 ? new Response(body) : new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(body));
            controller.close();
          },
        }),
      ),
    async (control) => {
      for (let n = 0; n < 2; n++) await assert.rejects(control.taskStatus("t"), /longer than 1000 bytes/);
    },
    { maxResponseBytes: 1_000 },
  );
});

Deno.test("Transport names why there was no answer, without addresses", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await withControl(`http://user:secret@127.0.0.1:${port}`, async (control) => {
    await assert.rejects(control.taskStatus("t"), (error) => {
      assert.ok(error instanceof TransportError);
      assert.equal(error.code, "network_refused");
      assert.ok(!error.message.includes("secret") && !error.message.includes(String(port)), error.message);
      return true;
    });
  });
  await withServer(() => Response.json({}), async ({ url }) => {
    await withControl(url.replace("http:", "https:"), async (control) => {
      await assert.rejects(control.taskStatus("t"), { code: "network_tls" });
    });
  });
});

Deno.test("Transport.dropConnections() leaves requests under way alone and serves the next", async () => {
  const arrived = gate();
  const answer = gate();
  await withBoth(async (_seen, n) => {
    if (n === 1) {
      arrived.open();
      await answer.promise;
    }
    return Response.json({ status: `call ${n}` });
  }, async (control) => {
    const slow = control.taskStatus("t");
    await arrived.promise;
    control.dropConnections();
    assert.equal(await control.taskStatus("t"), "call 2");
    answer.open();
    assert.equal(await slow, "call 1");
  });
});

Deno.test("Transport keeps the path of the base URL", async () => {
  await withServer(() => Response.json({ status: "ok" }), async ({ url, seen }) => {
    await withControl(`${url}/multica/`, async (control) => void await control.taskStatus("t"));
    assert.equal(seen[0]!.path, "/multica/api/daemon/tasks/t/status");
  });
});

Deno.test("parseRetryAfter() takes seconds and dates", () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(parseRetryAfter("5", now), 5_000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now), 30_000);
  assert.equal(parseRetryAfter("Wed, 31 Dec 2025 00:00:30 GMT", now), 0);
  for (const value of [null, "", "soon"]) assert.equal(parseRetryAfter(value, now), undefined);
  assert.equal(parseRetryAfter("999999999", now), 3_600_000);
});

/** Counts requests; answers the first on a connection and hangs up on every other without a word. */
async function withRudeServer(use: (url: string, requests: string[]) => Promise<void>): Promise<void> {
  const requests: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {}).on("close", () => open.delete(socket));
    let answered = 0;
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      if (!/\r\n\r\n(\{.*\}|2\r\n\{\}\r\n0\r\n\r\n|[0-9a-f]+\r\n\{.*\}\r\n0\r\n\r\n)$/.test(text)) return;
      requests.push(text.split("\r\n")[0]!);
      text = "";
      if (answered++ > 0) return void socket.destroy();
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{"tasks":[]}\n');
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests);
  } finally {
    server.close();
    for (const socket of open) socket.destroy();
    await once(server, "close");
  }
}

Deno.test("Transport sends claims and messages at most once when a kept connection breaks", async () => {
  const calls = [
    (control: HttpControl) => control.claim("r"),
    (control: HttpControl) => control.claimBatch({ daemon_id: "d", runtime_ids: ["r"], max_tasks: 1 }),
    (control: HttpControl) => control.messages("t", [{ seq: 1, type: "text", content: "x" }]),
  ];
  for (const call of calls) {
    await withRudeServer(async (url, requests) => {
      await withControl(url, async (control) => {
        await call(control);
        await assert.rejects(call(control), TransportError);
        assert.equal(requests.length, 2);
      });
    });
  }
});
