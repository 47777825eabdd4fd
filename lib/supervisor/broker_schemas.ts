/** The shapes of what the engine may ask: it is the less trusted side, so nothing of it is taken unread. */
import * as z from "zod";
import { MARKER, MARKER_FORM } from "./group_check.ts";
import type { BrokerCalls, BrokerName } from "./protocol.ts";

const path = z.string().min(1).max(4096);

const groupSchema = z.object({
  pid: z.int().min(2),
  marker: z.string().regex(MARKER, MARKER_FORM),
});

const ms = z.number().min(0).max(24 * 3_600_000);
const fileOp = z.discriminatedUnion("op", [
  z.object({ op: z.literal("stat"), path }),
  z.object({ op: z.literal("read"), path }),
  z.object({ op: z.literal("write"), path, text: z.string(), mode: z.int().min(0).max(0o777) }),
  z.object({ op: z.literal("mkdir"), path, mode: z.int().min(0).max(0o777) }),
  z.object({ op: z.literal("remove"), path, recursive: z.boolean() }),
  z.object({ op: z.literal("list"), path }),
]);

/** One schema a call. */
export const brokerSchemas: { readonly [N in BrokerName]: z.ZodType<BrokerCalls[N]["arg"]> } = {
  "process.end": z.object({
    group: groupSchema,
    options: z.object({ graceMs: ms, proofMs: ms.exactOptional() }),
  }),
  "process.groupEmpty": groupSchema,
  "process.cpuTime": groupSchema,
  "link": z.object({ path, target: path }),
  "executable.add": z.object({
    command: z.string().min(1).max(4096),
    profileId: z.string().max(256),
    prefixArgs: z.array(z.string()).max(256),
  }),
  "agents.discover": z.object({}),
  "agent.present": z.object({ path }),
  "local.open": z.object({ path: z.string().max(4096) }),
  "local.lock": z.object({ path, task: z.string().min(1).max(256) }),
  "local.unlock": z.object({ path, task: z.string().min(1).max(256) }),
  "local": z.object({ root: path, ops: z.array(fileOp).max(1000) }),
};
