import assert from "node:assert/strict";
import fc from "fast-check";
import { InvalidWords, splitWords } from "../../../lib/core/words.ts";

Deno.test("splitWords() [HD-14] splits every vector [03 §5.5]", () => {
  const vectors: [string, string[]][] = [
    ["", []],
    ["  \t\r\n ", []],
    [
      '--max-turns 60 --append-system-prompt "multi word"',
      ["--max-turns", "60", "--append-system-prompt", "multi word"],
    ],
    ["--a 'b c' d", ["--a", "b c", "d"]],
    [`--a="" ''`, ["--a=", ""]],
    ["a\\ b", ["a b"]],
    ["'a\\nb'", ["a\\nb"]],
    ['"a\\nb"', ["a\nb"]],
    ["a\\tb", ["a\tb"]],
    ["--x $HOME", ["--x", "$HOME"]],
    ["--x $(id -u) y", ["--x", "$(id -u)", "y"]],
    ["$(a (b c) d) e", ["$(a (b c) d)", "e"]],
    ["`id -u` y", ["`id -u`", "y"]],
    ["a'b'c", ["abc"]],
    [`"it's"`, ["it's"]],
    [`'say "x"'`, ['say "x"']],
    [`"a;b" 'c|d' e\\&f`, ["a;b", "c|d", "e&f"]],
  ];
  for (const [text, words] of vectors) assert.deepEqual(splitWords(text), words, text);
});

Deno.test("splitWords() refuses what a shell would treat otherwise, instead of cutting the line [03 §5.5]", () => {
  for (
    const text of [
      "(a)",
      "a)",
      '"open',
      "'open",
      "tail\\",
      "a && b",
      "a 2>err",
      "a;b",
      "a|b",
      "a<b",
      "$(open",
      "`open",
      '"a\\',
    ]
  ) {
    assert.throws(() => splitWords(text), InvalidWords, text);
  }
  assert.throws(() => splitWords("ab && c"), /unquoted "&".*at character 4/);
});

Deno.test("splitWords() gives back any words that were single-quoted", () => {
  const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("'"));
  fc.assert(fc.property(fc.array(word), (words) => {
    assert.deepEqual(splitWords(words.map((text) => `'${text}'`).join(" ")), words);
  }));
});

Deno.test("splitWords() never fails otherwise than with InvalidWords", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      splitWords(text);
    } catch (error) {
      assert.ok(error instanceof InvalidWords);
    }
  }));
});
