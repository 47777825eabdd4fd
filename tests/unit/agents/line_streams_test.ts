import { codebuddyDriver } from "../../../lib/agents/codebuddy.ts";
import { copilotDriver } from "../../../lib/agents/copilot.ts";
import { cursorDriver } from "../../../lib/agents/cursor.ts";
import { openCodeDriver } from "../../../lib/agents/opencode.ts";
import { replayTests } from "../../helpers/replay.ts";

const streams = new URL("../../fixtures/streams/", import.meta.url);

// cursor task = the captured stream B of spec 06 §11.10 [N-21]; codebuddy task [CB-4].
replayTests("codebuddy", codebuddyDriver, new URL("codebuddy/", streams));
replayTests("copilot", copilotDriver, new URL("copilot/", streams));
replayTests("cursor", cursorDriver, new URL("cursor/", streams));
replayTests("opencode", openCodeDriver, new URL("opencode/", streams));
