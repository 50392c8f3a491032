/** Lore as the page knows it: the five kinds, pieces, worlds, and what they are as text. */
import type { World } from "./api";
import { asParagraphs, asText } from "./markdown";

export interface Piece {
  name: string;
  description: string;
  details: Record<string, unknown>;
  type: string;
}

export type Kind = "character" | "faction" | "setting" | "event" | "relic";

/** In the order in which they can build on each other: an event has a setting, a relic has both. */
export const KINDS: readonly { kind: Kind; job: string; plural: string; line: string }[] = [
  {
    kind: "character",
    job: "generate_characters",
    plural: "Characters",
    line: "Someone the story happens to.",
  },
  {
    kind: "faction",
    job: "generate_factions",
    plural: "Factions",
    line: "Those who want something, together.",
  },
  { kind: "setting", job: "generate_settings", plural: "Settings", line: "Where it happens." },
  { kind: "event", job: "generate_events", plural: "Events", line: "What set it going." },
  { kind: "relic", job: "generate_relics", plural: "Relics", line: "The thing that everyone is after." },
];

export const isPiece = (value: unknown): value is Piece => {
  const piece = value as Partial<Piece> | null;
  return (
    typeof piece?.name === "string" && typeof piece.description === "string" && typeof piece.type === "string"
  );
};

export const isParagraph = (value: unknown): value is { text: string } => {
  const paragraph = value as { type?: unknown; text?: unknown } | null;
  return paragraph?.type === "paragraph" && typeof paragraph.text === "string";
};

export type Tale = Pick<World, "title" | "story" | "quest"> & { theme?: string; pieces: readonly Piece[] };

/** `post-apocalyptic` as “Post-apocalyptic”, `norse-mythology` as “Norse mythology”. */
export function themeInWords(theme: string): string {
  const words = theme.startsWith("post-") ? theme : theme.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function nameInWords(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function pieceAsMarkdown({ name, description, details }: Piece): string {
  return [`### ${asText(name)}`, asText(description), ...detailLines(details)]
    .join("\n\n")
    .replaceAll("\n\n- ", "\n- ");
}

function detailLines(details: Record<string, unknown>): string[] {
  return Object.entries(details).map(
    ([name, value]) => `- **${asText(nameInWords(name))}:** ${asText(valueInWords(value))}`,
  );
}

export function valueInWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueInWords).join(", ");
  if (value !== null && typeof value === "object")
    return Object.entries(value)
      .map(([name, part]) => `${nameInWords(name).toLowerCase()} ${valueInWords(part)}`)
      .join(", ");
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function taleAsMarkdown({ title, theme, story, quest, pieces }: Tale): string {
  const stages = quest.stages.map((stage, at) => `${at + 1}. ${asText(stage)}`).join("\n");
  return [
    `# ${asText(title)}`,
    ...(theme ? [`*${asText(themeInWords(theme))}*`] : []),
    asParagraphs(story),
    `## Quest: ${asText(quest.title)}`,
    asText(quest.description),
    stages,
    "## Pieces",
    ...pieces.map(pieceAsMarkdown),
    "",
  ].join("\n\n");
}
