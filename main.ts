/** Entry of multica-host: hands the arguments over and ends with the exit code. */
import { runCli } from "./lib/cli/mod.ts";

Deno.exit(await runCli(Deno.args));
