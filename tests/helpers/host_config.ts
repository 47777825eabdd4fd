/** A resolved configuration for tests: a machine of its own in `home`, nothing inherited but what is given. */
import { agentVariables } from "../../lib/agents/mod.ts";
import { type HostConfig, type Machine, realFiles, resolveHost } from "../../lib/config/mod.ts";
import { systemClock } from "../../lib/core/mod.ts";

/** A machine whose home is `home`. */
export function testMachine(home: string, overrides: Partial<Machine> = {}): Machine {
  return {
    env: {},
    home,
    hostname: "build-box",
    cwd: home,
    terminal: false,
    files: realFiles,
    clock: systemClock,
    ...overrides,
  };
}

/** A whole {@link HostConfig} of defaults below `home`, with `overrides` on top. */
export function testConfig(home: string, overrides: Partial<HostConfig> = {}): HostConfig {
  const { config } = resolveHost({
    profile: "",
    flags: { "daemon-id": "0197f7a2-5c1e-7b3a-9d40-3f2c1b0a9e8d" },
    machine: testMachine(home),
    agentVariables: agentVariables(),
    token: "mul_test",
    createIdentity: false,
  });
  return { ...config, ...overrides };
}
