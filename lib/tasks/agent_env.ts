/** How a task's processes are marked, and which inherited values are masked. */

/** Names of inherited variables whose values are masked like the task's own. */
const INHERITED_SECRET = /(?:_KEY|TOKEN|SECRET|PASSWORD)$/i;

/** Secrets of the host's own environment that every agent sees. */
export function inheritedSecrets(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).filter(([key, value]) => INHERITED_SECRET.test(key) && value.length >= 8)
    .map(([, value]) => value);
}

/** The one variable that marks every process of a task's run. */
export function runMarker(taskId: string): string {
  return `MULTICA_TASK_ID=${taskId}`;
}
