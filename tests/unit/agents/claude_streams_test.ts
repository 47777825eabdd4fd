/** Captured Claude Code streams, through the driver. N-8: `2.1.220/context_exhausted`, from the later source's capture. */
import { claudeDriver } from "../../../lib/agents/claude.ts";
import { replayTests } from "../../helpers/replay.ts";

replayTests("claude", claudeDriver, new URL("../../fixtures/streams/claude/", import.meta.url));
