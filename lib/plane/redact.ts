/** The server's masking of secrets in what it stores and shows. */

const SECRETS =
  /\b(?:sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|xox[abpr]-[A-Za-z0-9-]{10,}|m(?:ul|dt|at|cn)_[0-9a-f]{40})\b/g;

/** The text with known token shapes replaced. */
export function redact(text: string): string {
  return text.replace(SECRETS, "[REDACTED]");
}
