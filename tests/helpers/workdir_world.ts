/** A workspaces root, a home and a room over them, with the supervisor's real policy for local directories. */
import { join } from "node:path";
import { type ClaimedTask, parseClaimedTask, type Skill } from "../../lib/control/mod.ts";
import { inlineFiles } from "../../lib/core/mod.ts";
import { checkLocalDirectory } from "../../lib/supervisor/local_policy.ts";
import { runLocalOps } from "../../lib/supervisor/local_files.ts";
import { type LocalDirectory, type WorkdirDeps, Workdirs } from "../../lib/workdir/mod.ts";
import { FakeClock } from "./fake_clock.ts";

export interface WorkdirWorld {
  readonly base: string;
  readonly root: string;
  readonly home: string;
  readonly temp: string;
  readonly deps: WorkdirDeps;
  readonly rooms: Workdirs;
  prepare(
    task: ClaimedTask,
    options?: { provider?: string; skills?: readonly Skill[]; local?: LocalDirectory },
  ): ReturnType<Workdirs["prepare"]>;
}

export const WORKSPACE = "0b7f3a52-0000-4000-8000-000000000001";

/** A claimed task of one issue, as the server would send it. */
export function claimed(fields: Readonly<Record<string, unknown>> = {}): ClaimedTask {
  const task = parseClaimedTask({
    id: "01a01ec0-e69d-7000-8000-0123456789ab",
    agent_id: "agent-1",
    runtime_id: "runtime-1",
    workspace_id: WORKSPACE,
    issue_id: "issue-1",
    auth_token: "mat_x",
    agent: { id: "agent-1", name: "Robin", instructions: "Be kind." },
    ...fields,
  });
  if (task === undefined) throw new Error("no task");
  return task;
}

export function skillOf(name: string, content = "body", files: Readonly<Record<string, string>> = {}): Skill {
  return {
    id: name,
    source: "workspace",
    name,
    description: "",
    hash: "",
    size_bytes: 0,
    content,
    files: Object.entries(files).map(([path, text]) => ({ path, content: text, sha256: "", size_bytes: 0 })),
  };
}

const PROVIDER_FILES: Readonly<Record<string, { briefFile: string; skillDir: string }>> = {
  claude: { briefFile: "CLAUDE.md", skillDir: ".claude/skills" },
  codex: { briefFile: "AGENTS.md", skillDir: "" },
  cursor: { briefFile: "AGENTS.md", skillDir: ".cursor/skills" },
  hermes: { briefFile: "AGENTS.md", skillDir: "" },
};

/** Builds it in a temporary directory and removes it afterwards. */
export async function withWorkdirs(
  run: (world: WorkdirWorld) => Promise<void>,
  change: Partial<WorkdirDeps> & {
    readonly env?: Readonly<Record<string, string>>;
    readonly profile?: string;
  } = {},
): Promise<void> {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const [root, home, temp] = ["root", "users/me", "t"].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  try {
    await Promise.all([root, home, temp].map((dir) => Deno.mkdir(dir, { recursive: true })));
    const { env, profile, ...given } = change;
    const deps: WorkdirDeps = {
      settings: {
        workspacesRoot: root,
        daemonId: "daemon-1",
        profile: profile ?? "",
        home,
        tempBase: temp,
        os: "linux",
        serverUrl: "http://127.0.0.1:1",
        healthPort: 1,
        shimDir: join(base, "agent-bin"),
        inheritedEnv: { HOME: home, PATH: "/usr/bin", ...env },
        agentArgs: {},
      },
      clock: new FakeClock(),
      io: inlineFiles,
      control: { resolveSkills: () => Promise.reject(new Error("no server")) },
      providerFiles: (provider) => PROVIDER_FILES[provider],
      link: (path, target) => Deno.symlink(target, path),
      openLocal: (path) => checkLocalDirectory(path, { home, os: "linux", own: [root, temp] }),
      localOps: runLocalOps,
      ...given,
    };
    const rooms = await Workdirs.open(deps);
    await run({
      base,
      root,
      home,
      temp,
      deps,
      rooms,
      prepare: (task, { provider = "claude", skills = [], local } = {}) =>
        rooms.prepare({
          task,
          target: { provider, prefixArgs: [] },
          skills,
          local,
          signal: new AbortController().signal,
        }),
    });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

/** Every path below a directory with its text; directories end in `/`, links show their target. */
export function treeOf(dir: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of Deno.readDirSync(dir)) {
    const path = join(dir, entry.name);
    const name = prefix + entry.name;
    if (entry.isDirectory) Object.assign(found, { [`${name}/`]: "" }, treeOf(path, `${name}/`));
    else found[name] = entry.isSymlink ? `-> ${Deno.readLinkSync(path)}` : Deno.readTextFileSync(path);
  }
  return found;
}
