/** What looks like a secret whoever it belongs to: the table of spec 06 §11.16, in its order. */
/** First looks: a fixed beginning, a short one at a word border, the word bearer, a URL, a name before `=` or `:`. */
type Family = "fixed" | "short" | "bearer" | "url" | "named";

/** One rule of the table. */
export interface RedactPattern {
  readonly pattern: RegExp;
  readonly replacement: string;
  /** Which cheap first look decides whether the pattern can match at all. */
  readonly family: Family;
}

/** Names whose value is a credential when `=` or `:` follows. */
const CREDENTIAL_NAMES =
  "API_KEY|API_SECRET|SECRET_KEY|SECRET|ACCESS_TOKEN|AUTH_TOKEN|PRIVATE_KEY|DATABASE_URL|" +
  "DB_PASSWORD|DB_URL|REDIS_URL|PASSWORD|TOKEN";

/** The general table, applied in this order, every match replaced. */
export const REDACT_PATTERNS: readonly RedactPattern[] = [
  { pattern: /\bAKIA[0-9A-Z]{16}\b/g, replacement: "[REDACTED AWS KEY]", family: "fixed" },
  {
    pattern: /(?:aws_secret_access_key|secret_?access_?key)\s*[=:]\s*[A-Za-z0-9/+=]{40}/gi,
    replacement: "[REDACTED AWS SECRET]",
    family: "named",
  },
  {
    pattern: /-----BEGIN[A-Z\s]*PRIVATE KEY-----.*?-----END[A-Z\s]*PRIVATE KEY-----/gs,
    replacement: "[REDACTED PRIVATE KEY]",
    family: "fixed",
  },
  {
    pattern: /\b(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9_]{36,255}\b/g,
    replacement: "[REDACTED GITHUB TOKEN]",
    family: "fixed",
  },
  {
    pattern: /\bgithub_pat_[A-Za-z0-9_]{20,255}\b/g,
    replacement: "[REDACTED GITHUB TOKEN]",
    family: "fixed",
  },
  { pattern: /\bsk-[A-Za-z0-9_-]{20,}\b/g, replacement: "[REDACTED API KEY]", family: "short" },
  {
    pattern: /\bxox[bporase]-[A-Za-z0-9-]{10,}\b/g,
    replacement: "[REDACTED SLACK TOKEN]",
    family: "fixed",
  },
  { pattern: /\bxapp-[A-Za-z0-9-]{10,}\b/g, replacement: "[REDACTED SLACK TOKEN]", family: "fixed" },
  { pattern: /\bglpat-[A-Za-z0-9_-]{20,}\b/g, replacement: "[REDACTED GITLAB TOKEN]", family: "fixed" },
  {
    pattern: /\bAIza[0-9A-Za-z_-]{35}([^0-9A-Za-z_-]|$)/g,
    replacement: "[REDACTED GOOGLE API KEY]$1",
    family: "fixed",
  },
  {
    pattern: /\b(?:sk|rk)_live_[0-9A-Za-z]{16,}\b/g,
    replacement: "[REDACTED STRIPE KEY]",
    family: "fixed",
  },
  {
    pattern: /\bey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\b/g,
    replacement: "[REDACTED JWT]",
    family: "short",
  },
  { pattern: /\bBearer\s+[A-Za-z0-9\-._~+/]+=*\b/gi, replacement: "Bearer [REDACTED]", family: "bearer" },
  {
    pattern: /(?:postgres|mysql|mongodb|redis|amqp)(?:ql)?:\/\/[^:\s]+:[^@\s]+@/gi,
    replacement: "[REDACTED CONNECTION STRING]@",
    family: "url",
  },
  {
    pattern: new RegExp(`(?:${CREDENTIAL_NAMES})\\s*[=:]\\s*\\S+`, "gi"),
    replacement: "[REDACTED CREDENTIAL]",
    family: "named",
  },
];

/** One of these stands in all that the rules of the family `fixed` match. */
export const FIXED_STARTS: readonly string[] =
  "AKIA AIza ghp_ gho_ ghu_ ghs_ ghr_ xoxb- xoxp- xoxo- xoxr- xoxa- xoxs- xoxe- xapp- glpat- -----BEGIN k_live_ github_pat_"
    .split(" ");
const SHORT = /\bsk-[A-Za-z0-9_-]{20}|\bey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10}/;
const BEARER = /[bB][eE][aA][rR][eE][rR]\s/;

function familyBits(family: Family): number {
  return REDACT_PATTERNS.reduce((bits, rule, n) => rule.family === family ? bits | 1 << n : bits, 0);
}

const BITS = {
  fixed: familyBits("fixed"),
  short: familyBits("short"),
  bearer: familyBits("bearer"),
  url: familyBits("url"),
  named: familyBits("named"),
};

/**
 * Bits of the patterns that may match `text` (number `n` has bit `n`); 0 = none can. `fixed` says whether one of
 * {@link FIXED_STARTS} occurs in it.
 */
export function patternBits(text: string, fixed: boolean): number {
  let bits = 0;
  if (fixed) bits |= BITS.fixed;
  if ((text.includes("sk-") || text.includes("ey")) && SHORT.test(text)) bits |= BITS.short;
  if (BEARER.test(text)) bits |= BITS.bearer;
  if (text.includes("://")) bits |= BITS.url;
  if (hasNamed(text, "=") || hasNamed(text, ":")) bits |= BITS.named;
  return bits;
}

/** True when something that ends like a credential's name (KEY, SECRET, TOKEN, URL, PASSWORD) stands before `sign`. */
function hasNamed(text: string, sign: string): boolean {
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {
    let end = at - 1;
    while (end > 0 && isBlank(text.charCodeAt(end))) end--;
    if (end < 2) continue;
    const pair = (text.charCodeAt(end - 1) | 0x20) << 8 | (text.charCodeAt(end) | 0x20);
    if (NAME_ENDS.has(pair)) return true;
  }
  return false;
}

function isBlank(unit: number): boolean {
  return unit <= 0x20 || unit === 0xa0 || unit >= 0x1680 && /\s/.test(String.fromCharCode(unit));
}

/** Last two letters of the names. */
const NAME_ENDS = new Set(
  ["ey", "et", "en", "rl", "rd"].map((pair) => pair.charCodeAt(0) << 8 | pair.charCodeAt(1)),
);

/** True for text that a rule may go on from after more white space: the value is still to come. */
export const OPEN_AT_END = new RegExp(
  `(?:(?:${CREDENTIAL_NAMES}|aws_secret_access_key|secret_?access_?key)\\s*[=:]?|bearer)\\s*$`,
  "i",
);

/** Beginnings, lower case, of everything the table may match inside one word (the streamed form holds these back). */
export const WORD_STARTS: readonly string[] = [
  ..."akia aiza ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ xoxb- xoxp- xoxo- xoxr- xoxa- xoxs- xoxe- xapp- glpat-"
    .split(" "),
  ..."-----begin bearer postgres mysql mongodb redis amqp".split(" "),
  ...CREDENTIAL_NAMES.toLowerCase().split("|"),
  "aws_secret_access_key",
  "secret_access_key",
  "secretaccesskey",
  "secret_accesskey",
  "secretaccess_key",
  "sk-",
  "ey",
  "sk_live_",
  "rk_live_",
];

/** Names of environment variables that say their value is a secret. */
const SECRET_NAME =
  /KEY|TOKEN|SECRET|PASS|PWD|CRED|AUTH|COOKIE|SESSION|PRIVATE|SIGNATURE|DSN|WEBHOOK|_PAT$|^PAT$/i;

/** Values that say so themselves. */
const SECRET_SHAPE =
  /^(?:[A-Za-z]{2,10}[-_][A-Za-z0-9_-]{8,}|[A-Za-z0-9+/_-]{20,}={0,2}|ey[A-Za-z0-9_-]+\..*)$/;

/** Plain words that would blank out half of every text. */
const NO_SECRET = /^(?:true|false|yes|no|on|off|none|null|auto|default|enabled|disabled|[0-9]{1,5}|.{0,3})$/i;

/**
 * Values of an agent's own environment that must never be seen: by name, by shape, and every value of 12 or more
 * characters (decisions: masking).
 */
export function secretValues(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .filter(([name, value]) =>
      !NO_SECRET.test(value) && (value.length >= 12 || SECRET_NAME.test(name) || SECRET_SHAPE.test(value))
    )
    .map(([, value]) => value);
}

const URL_CREDENTIALS = /\b[a-z][a-z0-9+.-]*:\/\/(?:[^\s/:@]*):([^\s/@]{4,})@/gi;

/** Passwords inside URLs of a text (`https://user:PASSWORD@host`). */
export function urlCredentials(text: string): string[] {
  return [...text.matchAll(URL_CREDENTIALS)].map((match) => match[1]!);
}
