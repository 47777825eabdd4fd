/**
 * The plane as a process of its own, for chaos and bench:
 * `deno run -A tests/helpers/plane_main.ts [--port N] [--db FILE] [--era later] [--token T] [--gate] [--record] [--local]`
 * prints `{"url":…,"token":…,"pid":…}` as one line, ends on SIGTERM or when its stdin closes with `--tied`.
 * It is steered over `/api/test/*` (see `plane_process.ts`), which exist in this entry only.
 */
import { parseArgs } from "node:util";
import { localRoutes, Plane, serveLocalPlane } from "../../lib/plane/mod.ts";
import { testRoutes } from "./plane_test_routes.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    port: { type: "string", default: "0" },
    db: { type: "string", default: ":memory:" },
    era: { type: "string", default: "baseline" },
    sync: { type: "string", default: "NORMAL" },
    token: { type: "string" },
    gate: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
    local: { type: "boolean", default: false },
    tied: { type: "boolean", default: false },
  },
});

const common = {
  port: Number(values.port),
  gate: values.gate,
  record: values.record,
  ...(values.token === undefined ? {} : { token: values.token }),
};
const plane = values.local
  ? (await serveLocalPlane({ ...common, dbPath: values.db, routes: (own) => [testRoutes(own)] })).plane
  : await Plane.open({
    ...common,
    path: values.db,
    era: values.era === "later" ? "later" : "baseline",
    synchronous: values.sync === "FULL" ? "FULL" : values.sync === "OFF" ? "OFF" : "NORMAL",
    routes: (own) => [localRoutes(own), testRoutes(own)],
  });

console.log(JSON.stringify({ url: plane.url, token: plane.token, pid: Deno.pid }));

const ended = Promise.withResolvers<void>();
const stop = () => ended.resolve();
Deno.addSignalListener("SIGTERM", stop);
Deno.addSignalListener("SIGINT", stop);
if (values.tied) {
  (async () => {
    for await (const _ of Deno.stdin.readable);
    stop();
  })();
}
await ended.promise;
await plane.close();
Deno.exit(0);
