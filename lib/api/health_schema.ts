/** Reading `/health` of any version. Apart from the snapshot: the host itself only makes it. */
import * as z from "zod";

const text = z.string().catch("");
const count = z.number().catch(0);

/** `/health` of any Multica host or daemon: what is missing or odd becomes "" or 0; unknown fields stay. */
export const healthSchema = z.looseObject({
  status: z.string(),
  pid: count,
  uptime: text,
  os: text,
  daemon_id: text,
  device_name: text,
  server_url: text,
  cli_version: text,
  /** undefined = an older daemon; anything but a string there is kept as null. */
  profile: z.string().nullable().optional().catch(null),
  active_task_count: count,
  agents: z.array(z.string()).catch([]),
  workspaces: z.array(z.looseObject({ id: text, runtimes: z.array(z.string()).catch([]) })).nullable().catch(
    null,
  ),
  skipped_agents: z.record(z.string(), z.string()).optional().catch(undefined),
  status_sentences: z.record(z.string(), z.string()).optional().catch(undefined),
  claiming: z.object({ state: text, why: text }).optional().catch(undefined),
});

/** A parsed `/health`. */
export type Health = z.infer<typeof healthSchema>;
