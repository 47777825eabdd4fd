/** An agent of a real host calls `multica` from inside its task (spec 05 Part C, 03 §17.6). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withWorld } from "../helpers/e2e_world.ts";

/** `ran NAME ARGS…` runs the shim as the agent's shell does, `lost NAME ARGS…` with nothing but HOME and PATH left. */
const PLAY = String.raw`
init
shim=$(command -v multica)
echo "$shim" > "$STAGE/shim"
ran() { name=$1; shift; multica "$@" > "$STAGE/$name.out" 2> "$STAGE/$name.err"; echo $? > "$STAGE/$name.code"; }
lost() { name=$1; shift
  env -i HOME="$HOME" PATH=/usr/bin:/bin ${"$"}{DENO_DIR:+DENO_DIR="$DENO_DIR"} "$shim" "$@" > "$STAGE/$name.out" 2> "$STAGE/$name.err"
  echo $? > "$STAGE/$name.code"; }
ran list issue list --output json
key=$(sed -n 's/.*"identifier": "\(.*\)".*/\1/p' "$STAGE/list.out" | head -1)
printf 'Hello from ${"`"}inside${"`"} $HOME\n' > reply.md
ran comment issue comment add "$key" --content-file reply.md
ran status issue status "$key" in_review
ran login login --token mul_x
ran typo issue comment ad "$key"
lost lost issue status "$key" done
cd "$HOME"; lost outside issue status "$key" done
result "Done."`;

Deno.test("multica acts for the task, and for nobody where the task's environment is lost", () =>
  withWorld({ play: PLAY }, async (world) => {
    const { plane, home } = world;
    // The bait: the human's own login, which a shell without the task's variables would find in HOME.
    const owner = JSON.stringify({
      server_url: plane.url,
      token: plane.token,
      workspace_id: world.workspaceId,
    });
    await Deno.mkdir(join(home.dir, ".multica"), { recursive: true });
    await Deno.writeTextFile(join(home.dir, ".multica", "config.json"), owner);
    const host = await world.running();
    const id = world.task({ title: "Say hello" });
    const task = await plane.taskState(id, ["completed", "failed", "cancelled"]);
    assert.equal(task.status, "completed", task.error + host.output);

    const said = (name: string, what: "out" | "err" | "code") =>
      Deno.readTextFileSync(join(world.agent.stage, `${name}.${what}`)).trim();
    assert.match(Deno.readTextFileSync(join(world.agent.stage, "shim")), /\/agent-bin\/multica\n$/);
    const [issue] = JSON.parse(said("list", "out")).issues;
    assert.equal(said("comment", "code"), "0", said("comment", "err"));
    const comment = plane.comments(issue.id).at(-1)!;
    assert.equal(comment["content"], "Hello from `inside` $HOME");
    assert.equal(comment["author_type"], "agent");
    assert.equal(comment["source_task_id"], id);
    assert.equal(said("status", "code"), "0");
    assert.equal(plane.issue(issue.id)!["status"], "in_review", "nobody acted as the owner");

    assert.equal(said("login", "code"), "1");
    assert.match(said("login", "err"), /belongs to the human/);
    assert.equal(said("typo", "code"), "1");
    assert.match(said("typo", "err"), /unknown command "ad"/);
    for (const name of ["lost", "outside"]) {
      assert.equal(said(name, "code"), "1");
      assert.match(said(name, "err"), /MULTICA_TOKEN/);
      assert.match(said(name, "err"), /mat_/);
    }
    assert.match(said("lost", "err"), /daemon_task_context\.json/, "the marker tells that this is a task");
  }));
