// Which address shows which page. Pages but Home come when they are needed, and are fetched when a link to one is near.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { ErrorBox } from "../kit/states";
import { Home } from "../pages/home";
import { NotFound } from "../pages/not_found";
import { Shell } from "./shell";
import { parseSearch, writeSearch } from "./url";

// A page that cannot be drawn leaves the rail beside it as it is; where a piece of the app could not be loaded, the
// program was most likely replaced by a newer one.
function Failed({ error }: { error: unknown }) {
  return (
    <>
      <h1>This page could not be shown</h1>
      <ErrorBox error={error} what="show this page" onRetry={() => location.reload()} />
    </>
  );
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: ({ error }) => (
    <main className="main" id="main">
      <Failed error={error} />
    </main>
  ),
});

// The router would reload the whole page where a piece cannot be fetched, and lose it while the server is away.
function page<Module extends Record<string, unknown>>(fetchPiece: () => Promise<Module>, name: keyof Module & string) {
  const said = () =>
    fetchPiece().catch(() => {
      throw new Error(
        "This part of the app could not be fetched. The server cannot be reached, or it was replaced by a newer one.",
      );
    });
  return lazyRouteComponent(said, name as never);
}

const runs = () => import("../pages/runs");
const connections = () => import("../pages/connections");
const pipelines = () => import("../pages/pipelines");
const data = () => import("../pages/data");
const quality = () => import("../pages/quality");

const children = [
  createRoute({ getParentRoute: () => root, path: "/", component: Home }),
  createRoute({ getParentRoute: () => root, path: "/runs", component: page(runs, "Runs") }),
  createRoute({
    getParentRoute: () => root,
    path: "/runs/$run",
    component: page(() => import("../pages/run"), "RunPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/connections",
    component: page(connections, "Connections"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/connections/new",
    component: page(() => import("../pages/connection_new"), "NewConnection"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/connections/$connection",
    component: page(() => import("../pages/connection"), "ConnectionPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/pipelines",
    component: page(pipelines, "Pipelines"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/pipelines/$pipeline",
    component: page(() => import("../pages/pipeline"), "PipelinePage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/flows/$flow",
    component: page(() => import("../pages/flow"), "FlowPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/lineage",
    component: page(() => import("../pages/lineage"), "LineagePage"),
  }),
  createRoute({ getParentRoute: () => root, path: "/data", component: page(data, "Data") }),
  createRoute({
    getParentRoute: () => root,
    path: "/data/sql",
    component: page(() => import("../pages/sql"), "SqlPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/data/$schema/$table",
    component: page(() => import("../pages/table"), "TablePage"),
  }),
  createRoute({ getParentRoute: () => root, path: "/quality", component: page(quality, "Quality") }),
  createRoute({
    getParentRoute: () => root,
    path: "/quality/quarantine",
    component: page(() => import("../pages/quarantine"), "Quarantine"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/quality/anomalies",
    component: page(quality, "Anomalies"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/settings",
    component: page(() => import("../pages/settings"), "SettingsPage"),
  }),
];

export const router = createRouter({
  routeTree: root.addChildren(children),
  defaultErrorComponent: ({ error }) => <Failed error={error} />,
  defaultPreload: "intent",
  defaultPreloadDelay: 40,
  parseSearch,
  stringifySearch: writeSearch,
  scrollRestoration: true,
});
