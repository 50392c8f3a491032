/** A saved world. */
import { ApiError } from "@loresmith/react";
import { Link, useLocation } from "wouter";
import { useWorld } from "../api";
import { taleAsMarkdown } from "../lore";
import { ROUTES } from "../routes";
import { Export } from "../ui/Export";
import { Broken, Empty, Loading } from "../ui/States";
import { TaleView } from "../ui/TaleView";
import { useTitle } from "../ui/title";
import { useDeletion } from "../worlds/deletion";

export function WorldPage({ worldId }: { worldId: string }) {
  const { data: world, error, refetch } = useWorld(worldId);
  const [, navigate] = useLocation();
  const { remove } = useDeletion();
  useTitle(world?.title ?? "A world");
  if (!world) {
    if (!error) return <Loading what="the world" />;
    if (error instanceof ApiError && error.code === "world_not_found")
      return (
        <Empty title="There is no such world">
          <p>It was deleted, or is somebody else’s.</p>
          <Link href={ROUTES.worlds}>My worlds</Link>
        </Empty>
      );
    return <Broken error={error} onRetry={refetch} />;
  }
  const leave = () => {
    remove(world);
    navigate(ROUTES.worlds);
  };
  return (
    <TaleView tale={world}>
      <div className="tale-tools">
        <Export name={world.title} markdown={() => taleAsMarkdown(world)} json={() => world} />
        <button type="button" className="quiet" onClick={leave}>
          Delete
        </button>
      </div>
    </TaleView>
  );
}
