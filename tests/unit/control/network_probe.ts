/** One HTTP call and one socket, in a process of its own so that proxies and CAs come from its environment. */
import { ControlSocket, HttpControl } from "../../../lib/control/mod.ts";
import { errorText, Scope, systemClock } from "../../../lib/core/mod.ts";

const baseUrl = Deno.args[0]!;
const control = new HttpControl({
  baseUrl,
  token: () => "mul_test",
  identity: { version: "" },
  clock: systemClock,
});
const http = await control.taskStatus("t").catch(errorText);
control.close();

const scope = new Scope("probe");
const { promise, resolve } = Promise.withResolvers<string>();
const socket = new ControlSocket({
  baseUrl,
  token: () => "mul_test",
  version: "",
  clock: systemClock,
  random: () => 0.5,
  heartbeatIntervalMs: 15_000,
  scope,
  listener: {
    connected: () => {},
    disconnected: () => {},
    ack: () => resolve("acknowledged"),
    taskAvailable: () => {},
    profilesChanged: () => {},
    workspacesChanged: () => {},
    pendingWork: () => {},
    unauthorized: () => {},
    runtimesRefused: () => {},
  },
});
socket.setRuntimes(["r1"]);
scope.spawn("watch", async (signal) => {
  while (socket.state !== "BACKOFF" && !signal.aborted) await new Promise((done) => setTimeout(done, 5));
  resolve(socket.status());
});
const said = await promise;
await scope.close();
console.log(JSON.stringify({ http, socket: said }));
