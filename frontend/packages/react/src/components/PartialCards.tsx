/** Cards that appear one by one: what is finished, and a blank for what is not yet. */
import type { ReactNode } from "react";

export interface PartialCardsProps<Item> {
  items: readonly Item[];
  /** How many there will be. */
  count: number;
  /** Whether the rest is being made; else no blanks are shown. */
  isPending: boolean;
  label: string;
  render: (item: Item, index: number) => ReactNode;
  keyOf: (item: Item, index: number) => string;
}

export default function PartialCards<Item>({
  items,
  count,
  isPending,
  label,
  render,
  keyOf,
}: PartialCardsProps<Item>) {
  const blanks = isPending ? Math.max(0, count - items.length) : 0;
  return (
    <ul className="ls-cards" aria-label={label} aria-busy={isPending}>
      {items.map((item, index) => (
        <li key={keyOf(item, index)} className="ls-card-slot">
          {render(item, index)}
        </li>
      ))}
      {Array.from({ length: blanks }, (_, index) => (
        <li key={`blank-${index}`} className="ls-card-slot" aria-hidden="true">
          <Blank />
        </li>
      ))}
    </ul>
  );
}

function Blank() {
  return (
    <div className="ls-blank">
      <span className="ls-blank-title" />
      <span />
      <span />
      <span className="ls-blank-short" />
    </div>
  );
}
