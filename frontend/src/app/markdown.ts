/** Text of strangers and models in files that others open: a viewer shows it as text, whatever is in it. */

/** Controls, marks of direction and characters that nobody sees. */
const UNSEEN =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * A text as one line of Markdown that renders as that text: no element, link, image, entity, formula or heading. What is
 * special in CommonMark and its usual extensions has a backslash before it.
 */
export function asText(text: string): string {
  return text
    .replaceAll(/\s+/gu, " ")
    .replaceAll(UNSEEN, "")
    .trim()
    .replaceAll(/[\\`*_[\]{}<>&|~$^]/g, "\\$&")
    .replaceAll(/:(?=\S)/g, "\\:")
    .replaceAll(/\b(www)\./gi, "$1\\.")
    .replaceAll(/@/g, "\\@")
    .replace(/^([#+\-=!:])/, "\\$1")
    .replace(/^(\d+)([.)])/, "$1\\$2");
}

/** Paragraphs, with a blank line between them. */
export function asParagraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .map(asText)
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}

/** JSON of the same value that may stand inside HTML, and that a terminal shows as it is. */
export function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /[<>&\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
