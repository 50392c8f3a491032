/** The frame of every page: where one is, where one can go, and what goes on meanwhile. */
import { type Job, JobsProvider, JobsTray } from "@loresmith/react";
import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { Link, Route, Router, Switch, useLocation } from "wouter";
import { forgetKey, jobs, useAccess } from "./access";
import { BASE, MAKES_WORLDS } from "./base";
import { fetchPart } from "./chunks";
import { KINDS } from "./lore";
import { ForgePage } from "./pages/Forge";
import { jobPath, ROUTES, storyPath } from "./routes";
import { storage } from "./storage";
import { Boundary } from "./ui/Boundary";
import { Empty, Loading } from "./ui/States";
import { KeyGate } from "./ui/KeyGate";
import { Forgetful } from "./ui/Forgetful";
import { Offline } from "./ui/Offline";
import { Toasts } from "./ui/Toasts";

const StoryPage = lazy(async () => ({ default: (await fetchPart(() => import("./pages/Story"))).StoryPage }));
const WorldPage = lazy(async () => ({ default: (await fetchPart(() => import("./pages/World"))).WorldPage }));
const WorldsPage = lazy(async () => ({
  default: (await fetchPart(() => import("./pages/Worlds"))).WorldsPage,
}));
const BoardPage = lazy(async () => ({ default: (await fetchPart(() => import("./pages/Board"))).BoardPage }));
const JobPage = lazy(async () => ({ default: (await fetchPart(() => import("./pages/Job"))).JobPage }));
const SubmitPage = lazy(async () => ({
  default: (await fetchPart(() => import("./pages/Submit"))).SubmitPage,
}));

const PLACES = [
  ...(MAKES_WORLDS
    ? ([
        [ROUTES.forge, "Forge"],
        [ROUTES.worlds, "My worlds"],
      ] as const)
    : []),
  [ROUTES.jobs, "Jobs"],
  [ROUTES.submit, "New job"],
] as const;

const HOME = MAKES_WORLDS ? "the forge" : "the first page";

export function App() {
  const { owner, key, admin, asked } = useAccess();
  return (
    <>
      {asked && <KeyGate why={asked} />}
      <div className="page" inert={asked !== null}>
        <Router base={BASE}>
          <JobsProvider key={owner} client={jobs} owner={owner} storage={storage}>
            <Page who={key === null ? null : { owner, admin }} />
          </JobsProvider>
        </Router>
      </div>
    </>
  );
}

/** The page of one owner; it is another for another. */
function Page({ who }: { who: WhoProps | null }) {
  const [path] = useLocation();
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <Link href={ROUTES.forge} className="mark" aria-label={`LoreSmith, to ${HOME}`}>
          LoreSmith
        </Link>
        <nav aria-label="Pages">
          {PLACES.map(([place, name]) => (
            <Link
              key={place}
              href={place}
              className={isIn(place, path) ? "here" : ""}
              aria-current={place === path ? "page" : undefined}
            >
              {name}
            </Link>
          ))}
        </nav>
        {who && <Who {...who} />}
      </header>
      <Offline />
      <Forgetful />
      <Main>
        <Boundary key={path}>
          <Suspense fallback={<Loading what="the page" />}>
            <Switch>
              <Route path={ROUTES.forge}>{MAKES_WORLDS ? <ForgePage /> : <SubmitPage />}</Route>
              {MAKES_WORLDS && (
                <>
                  <Route path={ROUTES.story}>
                    {({ job_id }) => <StoryPage key={job_id} jobId={job_id} />}
                  </Route>
                  <Route path={ROUTES.world}>
                    {({ world_id }) => <WorldPage key={world_id} worldId={world_id} />}
                  </Route>
                  <Route path={ROUTES.worlds} component={WorldsPage} />
                </>
              )}
              <Route path={ROUTES.jobs} component={BoardPage} />
              <Route path={ROUTES.job}>{({ job_id }) => <JobPage key={job_id} jobId={job_id} />}</Route>
              <Route path={ROUTES.submit}>
                <SubmitPage />
              </Route>
              <Route path={ROUTES.submitType}>{({ job_type }) => <SubmitPage type={job_type} />}</Route>
              <Route>
                <Empty title="There is nothing here">
                  <Link href={ROUTES.forge}>To {HOME}</Link>
                </Empty>
              </Route>
            </Switch>
          </Suspense>
        </Boundary>
      </Main>
      <JobsTray link={trayLink} isOnPage={(job) => isShownAt(path, job)} />
      <Toasts />
    </>
  );
}

const isIn = (place: string, path: string): boolean =>
  path === place || (place !== ROUTES.forge && path.startsWith(`${place}/`));

interface WhoProps {
  owner: string;
  admin: boolean;
}

function Who({ owner, admin }: WhoProps) {
  return (
    <p className="who">
      <b translate="no">{owner}</b>
      {admin && <span className="tag">admin</span>}
      <button type="button" className="ls-link" onClick={forgetKey}>
        Forget key
      </button>
    </p>
  );
}

function isShownAt(path: string, job: Job): boolean {
  if (path === ROUTES.forge) return MAKES_WORLDS && KINDS.some((kind) => kind.job === job.type);
  return path === storyPath(job.id) || path === jobPath(job.id);
}

function trayLink(job: Job, text: string): ReactNode {
  return (
    <Link href={MAKES_WORLDS && job.type === "create_world" ? storyPath(job.id) : jobPath(job.id)}>
      {text}
    </Link>
  );
}

/** Takes the focus when the page changes, so that a keyboard goes on from there. */
function Main({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [path]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      {children}
    </main>
  );
}
