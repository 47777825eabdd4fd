/** The CLI's own session files are gone: a follow-up completes all the same, on a fresh session, under the whole host. */
import assert from "node:assert/strict";
import type { AgentCliName } from "../helpers/agent_clis.ts";
import { withRealHost } from "../helpers/real_host.ts";

/** Where each CLI keeps its sessions, by directory name. */
const SESSIONS: Readonly<Partial<Record<AgentCliName, RegExp>>> = {
  claude: /\/\.claude\/projects$/,
  codex: /\/sessions$/,
  opencode: /\/\.local\/share\/opencode$/,
  copilot: /\/\.copilot$/,
  qwen: /\/\.qwen$/,
};

/** Directories below `root` whose path fits; links are not followed. */
function directories(root: string, fits: RegExp): string[] {
  return [...Deno.readDirSync(root)].filter((entry) => entry.isDirectory).flatMap((entry) => {
    const path = `${root}/${entry.name}`;
    return fits.test(path) ? [path] : directories(path, fits);
  });
}

for (const [name, place] of Object.entries(SESSIONS) as [AgentCliName, RegExp][]) {
  Deno.test(`the host goes on with a fresh session when those of the real ${name} are gone`, () =>
    withRealHost(name, async ({ plane, host, home, run }) => {
      const first = await run();
      assert.equal(first.status, "completed", first.error + host.output);
      assert.notEqual(first.session_id, "");
      const kept = directories(home.dir, place);
      assert.notEqual(kept.length, 0);
      for (const dir of kept) await Deno.remove(dir, { recursive: true });

      const second = await run(first.issue_id);
      assert.equal(second.status, "completed", second.error + host.output);
      assert.equal(second.work_dir, first.work_dir);
      assert.notEqual(second.session_id, "");
      assert.notEqual(second.session_id, first.session_id);
      const [complete] = plane.requests((one) => one.path.endsWith(`/tasks/${second.id}/complete`));
      assert.equal(JSON.parse(complete!.body).retired_session_id, first.session_id);
    }));
}
