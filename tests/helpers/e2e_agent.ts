/**
 * A scripted agent: a shell program that speaks Claude's stream-json as a test tells it to, and stops at named places
 * until the test lets it go on. Holds are named pipes, so nobody polls: the test hears at once that the agent is there.
 */
import { join } from "node:path";

/** A place in the play where the agent waits. */
export interface AgentHold {
  /** Resolves when the agent waits here. */
  readonly reached: Promise<void>;
  /** Lets it go on (waits until it is there). */
  release(): Promise<void>;
}

/** One start of the agent. */
export interface AgentStart {
  readonly pid: number;
  readonly session: string;
  readonly cwd: string;
}

/** The words a play is made of: `init`, `think`, `say`, `use ID NAME INPUT`, `got ID TEXT`, `hold NAME`, `result`, `fail`. */
const WORDS = String.raw`
line() { printf '%s\n' "$1"; }
blocks() { line '{"type":"assistant","session_id":"'"$session"'","parent_tool_use_id":null,"message":{"role":"assistant","model":"claude-x","content":['"$1"']}}'; }
init() { line '{"type":"system","subtype":"init","session_id":"'"$session"'","model":"claude-x"}'; }
think() { blocks '{"type":"thinking","thinking":"'"$1"'"}'; }
say() { blocks '{"type":"text","text":"'"$1"'"}'; }
use() { blocks '{"type":"tool_use","id":"'"$1"'","name":"'"$2"'","input":'"$3"'}'; }
got() { line '{"type":"user","session_id":"'"$session"'","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"'"$1"'","content":"'"$2"'"}]}}'; }
hold() { read -r _ < "$STAGE/hold.$1"; }
ended() { line '{"type":"result","subtype":"success","is_error":'"$1"',"session_id":"'"$session"'","result":"'"$2"'","modelUsage":{"claude-x":{"inputTokens":10,"outputTokens":5,"cacheReadInputTokens":2,"cacheCreationInputTokens":1}}}'; }
result() { ended false "$1"; }
fail() { ended true "$1"; }
`;

/** What the agent does when a test says nothing else. */
export const SHORT_PLAY = `init\nsay "Working."\nresult "Done."`;

/** The program and its stage directory. Dispose of it. */
export class ScriptedAgent {
  readonly path: string;
  readonly #open: { readonly path: string; arrived: boolean; file: Deno.FsFile | undefined }[] = [];

  private constructor(readonly stage: string) {
    this.path = join(stage, "claude");
  }

  /** Writes the program. */
  static make(play: string = SHORT_PLAY): ScriptedAgent {
    const agent = new ScriptedAgent(Deno.realPathSync(Deno.makeTempDirSync({ prefix: "multica-agent-" })));
    const program = [
      "#!/bin/sh",
      `if [ "$1" = --version ]; then echo "2.1.90 (Claude Code)"; exit 0; fi`,
      `STAGE='${agent.stage}'`,
      `session="s-$$"`,
      `while [ $# -gt 0 ]; do if [ "$1" = --resume ]; then session="$2"; fi; shift; done`,
      `read -r prompt`,
      // As the real one: a record of the session, without which nobody resumes it.
      `mkdir -p "$HOME/.claude/projects/p" && echo '{}' > "$HOME/.claude/projects/p/$session.jsonl"`,
      `echo "$$ $session $PWD" >> "$STAGE/starts"`,
      WORDS,
      `. "$STAGE/play.sh"`,
      `cat > /dev/null`,
      "",
    ].join("\n");
    Deno.writeTextFileSync(agent.path, program, { mode: 0o755 });
    agent.play(play);
    return agent;
  }

  /** What the next starts do. */
  play(script: string): void {
    Deno.writeTextFileSync(join(this.stage, "play.sh"), script + "\n");
  }

  /** Prepares the next stop at `hold NAME`. Once used it is over: prepare it again for a second start. */
  hold(name: string): AgentHold {
    const path = join(this.stage, `hold.${name}`);
    new Deno.Command("mkfifo", { args: [path], stderr: "null" }).outputSync();
    const entry = { path, arrived: false, file: undefined as Deno.FsFile | undefined };
    this.#open.push(entry);
    const reached = Deno.open(path, { write: true }).then((file) => {
      entry.arrived = true;
      entry.file = file;
    });
    return {
      reached,
      release: async () => {
        await reached;
        entry.file?.close();
        entry.file = undefined;
      },
    };
  }

  /** Every start so far, in order. */
  starts(): AgentStart[] {
    let text = "";
    try {
      text = Deno.readTextFileSync(join(this.stage, "starts"));
    } catch {
      return []; // Not started yet.
    }
    return text.trim().split("\n").map((line) => {
      const [pid, session, ...cwd] = line.split(" ");
      return { pid: Number(pid), session: session ?? "", cwd: cwd.join(" ") };
    });
  }

  /** Ends open holds and removes the stage. */
  async dispose(): Promise<void> {
    for (const entry of this.#open) {
      if (!entry.arrived) (await Deno.open(entry.path, { read: true })).close();
      entry.file?.close();
    }
    await Deno.remove(this.stage, { recursive: true });
  }
}
