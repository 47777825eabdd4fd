import assert from "node:assert/strict";
import {
  isPermanent,
  isRuntimeGone,
  isTaskGone,
  isTransient,
  isUnauthorized,
  isWorkspaceGone,
  mayHaveArrived,
  RequestError,
  TransportError,
  transportKind,
} from "../../../lib/control/mod.ts";

const http = (status: number, body = "") => new RequestError({ method: "GET", path: "/x", status, body });
const net = (kind: TransportError["kind"]) => new TransportError(kind, "GET", "/x", "why");

Deno.test("gone predicates [R7] ignore case and want both status and text", () => {
  const cases = [
    [isTaskGone, "Task Not Found"],
    [isRuntimeGone, 'x {"error":"RUNTIME not found"}'],
    [isWorkspaceGone, "workspace not found"],
  ] as const;
  for (const [predicate, body] of cases) {
    assert.equal(predicate(http(404, body)), true);
    assert.equal(predicate(http(500, body)), false);
    assert.equal(predicate(http(404, "not found")), false);
    assert.equal(predicate(http(404, "<html>404</html>")), false);
    assert.equal(predicate(undefined), false);
    assert.equal(predicate(net("network_offline")), false);
    assert.equal(predicate(new Error(body)), false);
  }
});

Deno.test("isTransient() takes 5xx, 408, 429 and everything without a status", () => {
  for (const status of [500, 502, 503, 504, 599, 408, 429]) assert.ok(isTransient(http(status)), `${status}`);
  for (const status of [400, 401, 402, 403, 404, 409, 410, 413, 422]) {
    assert.equal(isTransient(http(status)), false);
    assert.ok(isPermanent(http(status)));
  }
  for (const kind of ["network_dns", "network_timeout", "bad_response"] as const) {
    assert.ok(isTransient(net(kind)));
  }
  assert.equal(isTransient(new DOMException("aborted", "AbortError")), false);
});

Deno.test("isUnauthorized() is 401 alone", () => {
  assert.ok(isUnauthorized(http(401, "invalid token")));
  assert.equal(isUnauthorized(http(403)), false);
  assert.equal(isUnauthorized(net("network_tls")), false);
});

Deno.test("mayHaveArrived() is false only where the server cannot have acted", () => {
  for (const error of [http(500), http(503), http(408), net("network_timeout"), net("bad_response")]) {
    assert.ok(mayHaveArrived(error), error.message);
  }
  for (
    const error of [http(429), http(400), net("network_dns"), net("network_refused"), net("network_tls")]
  ) {
    assert.equal(mayHaveArrived(error), false, error.message);
  }
});

Deno.test("RequestError has the contract's text, a code and an exit code", () => {
  const error = new RequestError({ method: "POST", path: "/api/daemon/register", status: 409, body: "busy" });
  assert.equal(error.message, "POST /api/daemon/register returned 409: busy");
  assert.deepEqual([error.code, error.exitCode], ["conflict", 1]);
  const classes = [
    [400, "validation", 5],
    [401, "auth_required", 3],
    [403, "forbidden", 3],
    [404, "not_found", 4],
    [
      422,
      "validation",
      5,
    ],
    [429, "rate_limited", 1],
    [503, "server_error", 1],
    [418, "unknown", 1],
  ] as const;
  for (const [status, code, exit] of classes) {
    assert.deepEqual([http(status).code, http(status).exitCode], [code, exit]);
  }
  assert.deepEqual([net("network_dns").code, net("network_dns").exitCode], ["network_dns", 2]);
});

Deno.test("transportKind() reads the text in the chapter's order, time-out first", () => {
  assert.equal(transportKind("tls handshake timed out"), "network_timeout");
  assert.equal(transportKind("dns error: failed to lookup address information"), "network_dns");
  assert.equal(transportKind("no such host"), "network_dns");
  assert.equal(transportKind("tcp connect error: Connection refused (os error 111)"), "network_refused");
  assert.equal(transportKind("invalid peer certificate: UnknownIssuer"), "network_tls");
  assert.equal(transportKind("connection reset by peer"), "network_offline");
});
