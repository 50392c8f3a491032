/** All saved worlds: found by a word, in the order one likes. */
import { useState } from "react";
import { Link } from "wouter";
import { useWorlds, type WorldSummary } from "../api";
import { themeInWords } from "../lore";
import { ROUTES, worldPath } from "../routes";
import { Broken, Empty, Loading } from "../ui/States";
import { useTitle } from "../ui/title";
import { useDeletion } from "../worlds/deletion";

const ORDERS: Record<string, [string, (a: WorldSummary, b: WorldSummary) => number]> = {
  newest: ["Newest first", (a, b) => b.created_at.localeCompare(a.created_at)],
  oldest: ["Oldest first", (a, b) => a.created_at.localeCompare(b.created_at)],
  title: ["By title", (a, b) => a.title.localeCompare(b.title)],
  theme: ["By theme", (a, b) => a.theme.localeCompare(b.theme) || a.title.localeCompare(b.title)],
};

export function WorldsPage() {
  useTitle("My worlds");
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useWorlds();
  const { hidden, remove } = useDeletion();
  const [word, setWord] = useState("");
  const [order, setOrder] = useState("newest");
  if (!data) return error ? <Broken error={error} onRetry={refetch} /> : <Loading what="your worlds" />;
  const all = data.pages.flatMap((page) => page.data).filter(({ id }) => !hidden.has(id));
  if (all.length === 0 && !hasNextPage) return <NoWorlds />;
  const shown = all.filter((world) => fits(world, word)).sort(ORDERS[order]?.[1]);
  return (
    <div className="worlds">
      <header className="page-head">
        <h1>My worlds</h1>
        <div className="tools">
          <input
            type="search"
            aria-label="Search"
            placeholder="Search"
            value={word}
            onChange={({ target }) => setWord(target.value)}
          />
          <select aria-label="Order" value={order} onChange={({ target }) => setOrder(target.value)}>
            {Object.entries(ORDERS).map(([name, [text]]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </div>
      </header>
      {shown.length === 0 && <p className="state">No world has “{word}” in its title or theme.</p>}
      <ul className="shelf">
        {shown.map((world) => (
          <li key={world.id}>
            <Link href={worldPath(world.id)}>
              <span className="tale-theme">{themeInWords(world.theme)}</span>
              <b>{world.title}</b>
              <time dateTime={world.created_at}>{dayOf(world.created_at)}</time>
            </Link>
            <button type="button" className="ls-link" onClick={() => remove(world)}>
              Delete<span className="ls-hidden"> {world.title}</span>
            </button>
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <button
          type="button"
          className="quiet"
          disabled={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          Show more
        </button>
      )}
    </div>
  );
}

function NoWorlds() {
  return (
    <Empty title="No worlds yet">
      <p>A theme and a click are enough for the first.</p>
      <Link className="button" href={ROUTES.forge}>
        To the forge
      </Link>
    </Empty>
  );
}

function fits({ title, theme }: WorldSummary, word: string): boolean {
  return `${title} ${themeInWords(theme)}`.toLowerCase().includes(word.trim().toLowerCase());
}

const dayOf = (moment: string): string =>
  new Date(moment).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
