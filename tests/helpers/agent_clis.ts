/** Real agent CLIs for `tests/agents`: pinned versions, fetched from npm into a cache the first time. */
export { AGENT_CLIS, type AgentCliName, installCli, installedCli } from "../../scripts/agent_clis.ts";
