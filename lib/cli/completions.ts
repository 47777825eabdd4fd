/** Shell completions, made from the tree of commands. */
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";

/** Makes `complete [shell]` print a completion script, and answer the shells that use it. */
export function addCompletions(root: Command): void {
  const placeholder = root.commands.findIndex((command) => command.name() === "complete");
  if (placeholder >= 0) (root.commands as Command[]).splice(placeholder, 1);
  tab(root);
}
