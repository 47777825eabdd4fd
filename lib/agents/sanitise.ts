/** Cleans provider diagnostics (stderr, MCP error texts) of credentials before they are shown (spec 06 §11.16). */

const SECRET_RULES: readonly (readonly [RegExp, string])[] = [
  [/(authorization\s*:\s*)[^\r\n]+/gim, "$1[REDACTED]"],
  [
    /("(?:token|auth|authorization|api[_-]?key|secret|password)"\s*:\s*)"(?:\\.|[^"\\])*"/gi,
    '$1"[REDACTED]"',
  ],
  [/(authorization|auth|api[_-]?key|token|secret|password)(\s*[:=]\s*)([^\s,;]+)/gi, "$1$2[REDACTED]"],
];

/**
 * The text without control characters (newline and tab stay) and without credentials. Applied before the general
 * redaction of whatever leaves the host; applying it twice changes nothing.
 */
export function sanitiseDiagnostic(text: string): string {
  // deno-lint-ignore no-control-regex
  let clean = text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "").replace(/[\u0000-\u0008\u000b-\u001f]/g, "");
  for (const [pattern, replacement] of SECRET_RULES) clean = clean.replace(pattern, replacement);
  return clean;
}
