/** Link, image and autolink destinations of a Markdown text, code left out (CommonMark 0.31 §4.4–4.7, §6.1–6.5). Pure. */

/** Destinations as they would be followed: escapes, entities of `&` and percent signs decoded. */
export function linkDestinations(markdown: string): string[] {
  const text = withoutCodeSpans(withoutCodeBlocks(markdown));
  return [...inline(text), ...definitions(text), ...autolinks(text)].map(decoded).filter((target) =>
    target !== ""
  );
}

/** Fenced and indented code blocks become blank lines. */
function withoutCodeBlocks(markdown: string): string {
  let fence = "";
  let afterBlank = true;
  return markdown.split(/\r\n|\n|\r/).map((line) => {
    // A block inside a quote or list is found behind its markers.
    const bare = line.replace(/^(?: {0,3}(?:>|[-*+](?= )|\d{1,9}[.)](?= )) ?)+/, "");
    const mark = /^ *(`{3,}|~{3,})(.*)$/.exec(bare);
    if (fence !== "") {
      const closes = mark !== null && mark[1]!.startsWith(fence) && mark[2]!.trim() === "";
      if (closes) fence = "";
      return "";
    }
    if (mark !== null && !(mark[1]!.startsWith("`") && mark[2]!.includes("`"))) {
      fence = mark[1]!;
      return "";
    }
    const indented = afterBlank && /^(?: {4}|\t)/.test(line) && line.trim() !== "";
    if (!indented) afterBlank = line.trim() === "";
    return indented ? "" : line;
  }).join("\n");
}

/** Code spans become blanks; a run of backquotes without an equal one after it stays. */
function withoutCodeSpans(text: string): string {
  return text.replace(
    /\\`|(?<!`)(`+)(?!`)([^]*?[^`])\1(?!`)/g,
    (all, run?: string, code?: string) =>
      run === undefined || code === undefined || /\n[ \t]*\n/.test(code) ? all : " ".repeat(all.length),
  );
}

const INLINE = /\]\(\s*(?:<((?:[^<>\n\\]|\\.)*)>|)/g;

function inline(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(INLINE)) {
    found.push(match[1] ?? bareDestination(text, match.index + match[0].length));
  }
  return found;
}

/** A destination without angle brackets: up to a blank, or the bracket that closes the link. */
function bareDestination(text: string, from: number): string {
  let depth = 0;
  let at = from;
  for (; at < text.length; at++) {
    const c = text[at]!;
    if (c === "\\") at++;
    else if (/\s/.test(c)) break;
    else if (c === "(") depth++;
    else if (c === ")" && depth-- === 0) break;
  }
  return text.slice(from, at);
}

function definitions(text: string): string[] {
  const rows = text.matchAll(/^ {0,3}(?:> ?)*\[(?:[^[\]\\]|\\.)+\]:\s*(?:<([^<>\n]*)>|(\S+))/gm);
  return [...rows].map((match) => match[1] ?? match[2] ?? "");
}

function autolinks(text: string): string[] {
  return [...text.matchAll(/<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*)>/g)].map((match) => match[1]!);
}

function decoded(target: string): string {
  const plain = target.trim().replace(/\\([!-/:-@[-`{-~])/g, "$1").replace(/&amp;/g, "&");
  try {
    return decodeURIComponent(plain);
  } catch {
    // A stray percent sign: the text as it stands.
    return plain;
  }
}
