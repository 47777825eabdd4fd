/** Splits one line of extra arguments into words, as a shell would without expanding anything. */

/** What {@link splitWords} throws; the text says what is wrong and at which character (from 1). */
export class InvalidWords extends SyntaxError {
  override readonly name = "InvalidWords";
  constructor(reason: string, readonly position: number) {
    super(`${reason} at character ${position}`);
  }
}

/**
 * Splits `text` into words (spec 03 §5.5): blanks separate, `"…"` and `'…'` group and may be empty, a backslash
 * escapes except inside single quotes (`\n` and `\t` become newline and tab), `$VAR`, backticks and `$(…)` stay
 * as they are. An unquoted `; & | < >` is an error: nothing here runs a shell, and cutting the line there would
 * hide the mistake.
 * @throws {InvalidWords}
 */
export function splitWords(text: string): string[] {
  return new Splitter(text).run();
}

class Splitter {
  readonly #words: string[] = [];
  #word = "";
  /** True once the word exists, even when empty (`''`). */
  #open = false;
  #at = 0;

  constructor(private readonly text: string) {}

  run(): string[] {
    while (this.#at < this.text.length) this.#step(this.text[this.#at]!);
    this.#endWord();
    return this.#words;
  }

  #step(char: string): void {
    if (char === " " || char === "\t" || char === "\r" || char === "\n") {
      this.#endWord();
      this.#at++;
    } else if (char === '"' || char === "'") this.#quoted(char);
    else if (char === "`") this.#backticks();
    else if (char === "$" && this.text[this.#at + 1] === "(") this.#substitution();
    else if (char === "\\") this.#take(this.#escape());
    else if (char === "(" || char === ")") throw this.#error(`unquoted "${char}"`);
    else if (";&|<>".includes(char)) {
      throw this.#error(
        `unquoted "${char}" (no shell runs here; put it in quotes if it belongs to an argument)`,
      );
    } else this.#take(this.text[this.#at++]!);
  }

  #take(piece: string): void {
    this.#word += piece;
    this.#open = true;
  }

  #endWord(): void {
    if (this.#open) this.#words.push(this.#word);
    this.#word = "";
    this.#open = false;
  }

  /** Reads a backslash and what it escapes. */
  #escape(): string {
    const next = this.text[this.#at + 1];
    if (next === undefined) throw this.#error("backslash without a character after it");
    this.#at += 2;
    return next === "n" ? "\n" : next === "t" ? "\t" : next;
  }

  #quoted(quote: string): void {
    const start = this.#at++;
    this.#take("");
    while (this.text[this.#at] !== quote) {
      if (this.#at >= this.text.length) throw this.#error(`${quote} is never closed`, start);
      this.#take(quote === '"' && this.text[this.#at] === "\\" ? this.#escape() : this.text[this.#at++]!);
    }
    this.#at++;
  }

  #backticks(): void {
    const start = this.#at;
    do {
      this.#take(this.text[this.#at] === "\\" ? this.#escape() : this.text[this.#at++]!);
      if (this.#at >= this.text.length) throw this.#error("` is never closed", start);
    } while (this.text[this.#at] !== "`");
    this.#take(this.text[this.#at++]!);
  }

  #substitution(): void {
    const start = this.#at;
    this.#take("$(");
    this.#at += 2;
    for (let depth = 1; depth > 0;) {
      const char = this.text[this.#at];
      if (char === undefined) throw this.#error("$( is never closed", start);
      if (char === "(") depth++;
      if (char === ")") depth--;
      this.#take(char === "\\" ? this.#escape() : this.text[this.#at++]!);
    }
  }

  #error(reason: string, at = this.#at): InvalidWords {
    return new InvalidWords(reason, at + 1);
  }
}
