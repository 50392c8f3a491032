/** The bar on the anvil: five parts, hot while they are made, in their own colour once they are there. */
import { KINDS, type Kind } from "../lore";

export type PartState = "empty" | "hot" | "made" | "chosen";

const WIDE = 60;

export function AnvilArt({ parts }: { parts: Readonly<Record<Kind, PartState>> }) {
  return (
    <svg className="anvil-art" viewBox="0 0 360 250" aria-hidden="true">
      <path d="M6 92h66V76h250v22c-46 8-92 28-92 62v14h-24v34h46v36H110v-36h44v-34h-22c-10-44-58-74-126-82z" />
      {KINDS.map(({ kind }, at) => (
        <rect
          key={kind}
          data-kind={kind}
          data-state={parts[kind]}
          x={36 + at * WIDE}
          y={50}
          width={WIDE - 2}
          height={22}
        />
      ))}
    </svg>
  );
}
