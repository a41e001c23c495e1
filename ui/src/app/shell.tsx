// What is around every page: the rail, the bar with environment, search and live state, and what is said above pages.
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation } from "@tanstack/react-router";
import {
  Activity,
  Cable,
  Database,
  House,
  Menu as MenuIcon,
  Moon,
  Network,
  Search,
  Settings,
  ShieldCheck,
  Sun,
  Waypoints,
} from "lucide-react";
import { type ComponentType, useEffect, useMemo, useRef, useState } from "react";
import { call, rememberCsrf } from "../api/client";
import { overview, queryClient } from "../api/queries";
import { Button, Dialog, Go, IconButton, Menu } from "../kit/controls";
import { formatAge, formatClock } from "../kit/format";
import { Places } from "../kit/states";
import { StatusShape } from "../kit/status";
import { useNow } from "../kit/time";
import { Toasts } from "../kit/toast";
import { kKeys, useKeyboard } from "./keyboard";
import { hub, useLiveStatus, useTopics } from "./live_context";
import { Palette } from "./palette";
import { nextTheme, preferences, setPreferences, usePreferences } from "./preferences";
import { useMe } from "./session";
import { at, type Target, useGo } from "./url";

interface Entry {
  text: string;
  target: Target;
  path: string;
  icon: ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
}
const kEntries: Entry[] = [
  { text: "Home", target: at.home(), path: "/", icon: House },
  { text: "Connections", target: at.connections(), path: "/connections", icon: Cable },
  { text: "Pipelines", target: at.pipelines(), path: "/pipelines", icon: Waypoints },
  { text: "Runs", target: at.runs(), path: "/runs", icon: Activity },
  { text: "Lineage", target: at.lineage(), path: "/lineage", icon: Network },
  { text: "Data", target: at.data(), path: "/data", icon: Database },
  { text: "Quality", target: at.quality(), path: "/quality", icon: ShieldCheck },
];
const kBottom = ["Home", "Runs", "Data"];

function isAt(entry: Entry, path: string): boolean {
  if (entry.path === "/") return path === "/";
  return (
    path === entry.path ||
    path.startsWith(`${entry.path}/`) ||
    (entry.path === "/pipelines" && path.startsWith("/flows"))
  );
}

// A number stands on an entry only when somebody must act.
function useCounts(): Record<string, number> {
  const { data } = useQuery(overview());
  if (!data) return {};
  return {
    Home: data.failing.length + data.late.length + data.waiting.length,
    Quality: data.quarantined.length + data.drifting.length,
  };
}

export function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" fill="none" aria-hidden="true" className="mark">
      <path d="M3 7.5L21 4.5" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />
      <path d="M10 6.5L8 20M10.4 6.4L14 20" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
      <circle cx="4.6" cy="9.4" r="2.6" fill="currentColor" />
      <path d="M20.4 4.8v7.2" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      <path d="M17.9 12h5l-.9 4.4h-3.2z" fill="var(--accent)" />
    </svg>
  );
}

function Rail({ path }: { path: string }) {
  const counts = useCounts();
  const settings: Entry = { text: "Settings", target: at.settings(), path: "/settings", icon: Settings };
  const link = (entry: Entry) => (
    <Go
      key={entry.text}
      target={entry.target}
      className={`rail-link${isAt(entry, path) ? " active" : ""}`}
      title={entry.text}
    >
      <entry.icon size={16} aria-hidden />
      <span className="rail-text" aria-current={isAt(entry, path) ? "page" : undefined}>
        {entry.text}
      </span>
      {(counts[entry.text] ?? 0) > 0 && (
        <span className="count num">
          {counts[entry.text]}
          <span className="visually-hidden"> to look at</span>
        </span>
      )}
    </Go>
  );
  return (
    <nav className="rail" aria-label="Main">
      <Go target={at.home()} className="brand" label="shaduf, Home">
        <Mark />
        <span className="rail-text">shaduf</span>
      </Go>
      <div className="rail-links">{kEntries.map(link)}</div>
      {link(settings)}
    </nav>
  );
}

function BottomBar({ path }: { path: string }) {
  const [open, setOpen] = useState(false);
  const rest = [
    ...kEntries.filter((entry) => !kBottom.includes(entry.text)),
    { text: "Settings", target: at.settings(), path: "/settings", icon: Settings },
  ];
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the list
  useEffect(() => setOpen(false), [path]);
  return (
    <nav className="bottom-bar" aria-label="Main, narrow">
      {kEntries
        .filter((entry) => kBottom.includes(entry.text))
        .map((entry) => (
          <Go key={entry.text} target={entry.target} className={isAt(entry, path) ? "active" : ""}>
            <entry.icon size={18} aria-hidden />
            {entry.text}
          </Go>
        ))}
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <MenuIcon size={18} aria-hidden="true" />
        More
      </button>
      {open && (
        <div className="more">
          {rest.map((entry) => (
            <Go key={entry.text} target={entry.target} className="rail-link">
              <entry.icon size={18} aria-hidden />
              {entry.text}
            </Go>
          ))}
        </div>
      )}
    </nav>
  );
}

function LiveDot() {
  const status = useLiveStatus();
  const word = status.state === "live" ? "live" : status.state === "offline" ? "not live" : "connecting";
  return (
    <span
      className="live-dot"
      data-state={status.state}
      role="img"
      aria-label={`Updates: ${word}`}
      title={`Updates: ${word}`}
    >
      <i />
      <span aria-hidden="true">{word}</span>
    </span>
  );
}

function OfflineBar() {
  const status = useLiveStatus();
  const now = useNow();
  const { utc } = usePreferences();
  if (status.state !== "offline" || now - status.since < 3000) return null;
  const wait = Math.max(0, (status.retryAt ?? now) - now);
  return (
    <div className="bar-note warn offline-bar" role="status">
      <StatusShape state="warned" />
      <span>
        Connection lost, showing data from {formatClock(status.since, utc)}. Trying again in {formatAge(wait + 999)}.
      </span>
      <Button small onClick={() => hub.retryNow()}>
        Try now
      </Button>
    </div>
  );
}

function ConfigErrors() {
  const { config_errors } = useMe();
  if (!config_errors || config_errors.length === 0) return null;
  return (
    <div className="bar-note fail" role="status">
      <StatusShape state="failed" />
      <details>
        <summary>
          {config_errors.length === 1 ? "The project has an error" : `The project has ${config_errors.length} errors`}:
          what was read before them goes on running.
        </summary>
        <Places places={config_errors} />
      </details>
    </div>
  );
}

function Crumbs({ path }: { path: string }) {
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  const names: Record<string, string> = { sql: "SQL", new: "New" };
  const title = (text: string) => names[text] ?? text.charAt(0).toUpperCase() + text.slice(1);
  const first = parts[0] === "flows" ? "pipelines" : parts[0];
  const entry = kEntries.find((other) => other.path === `/${first ?? ""}`);
  return (
    <nav className="crumbs" aria-label="Breadcrumb">
      {entry && parts.length > 1 ? (
        <Go target={entry.target}>{entry.text}</Go>
      ) : (
        <span>{entry?.text ?? title(first ?? "Home")}</span>
      )}
      {parts.slice(1).map((part, i) => (
        <span key={i} className="row">
          <span className="muted" aria-hidden="true">
            /
          </span>
          <span className="clip" title={part}>
            {i === 0 && (part === "sql" || part === "new" || part === "quarantine" || part === "anomalies")
              ? title(part)
              : part}
          </span>
        </span>
      ))}
    </nav>
  );
}

export function Shell() {
  const { pathname } = useLocation();
  const me = useMe();
  const go = useGo();
  const { theme } = usePreferences();
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  useTopics(["runs", "flows", "project"]);
  useEffect(() => hub.start(), []);
  useKeyboard(useMemo(() => ({ go, palette: () => setPalette(true), help: () => setHelp(true) }), [go]));
  const signOut = async () => {
    await call("DELETE", "/session");
    rememberCsrf(null);
    queryClient.clear();
    location.reload();
  };
  const environment = me.environment ?? "";
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <Rail path={pathname} />
      <div className="beside">
        <header className="top-bar">
          <span className="row project">
            <strong className="clip" title={me.project}>
              {me.project}
            </strong>
            {environment && (
              <span className={`environment${/prod/i.test(environment) ? " prod" : ""}`}>{environment}</span>
            )}
          </span>
          <Crumbs path={pathname} />
          <span className="grow" />
          <button type="button" className="palette-button" onClick={() => setPalette(true)} title="Search and commands">
            <Search size={14} aria-hidden="true" />
            <span>Search</span>
            <kbd>Ctrl K</kbd>
          </button>
          <LiveDot />
          <IconButton label="Light or dark" onClick={nextTheme}>
            {theme === "dark" ? <Sun size={16} /> : <Moon size={16} />}
          </IconButton>
          <Menu
            label={`You: ${me.name || "local"}, ${me.role}`}
            button={<span className="avatar">{(me.name || "local").slice(0, 2).toUpperCase()}</span>}
            items={[
              { text: "Keys", onSelect: () => setHelp(true) },
              { text: "Times in UTC or my zone", onSelect: () => setPreferences({ utc: !preferences().utc }) },
              { text: "Settings", onSelect: () => go(at.settings()) },
              {
                text: "Sign out",
                onSelect: () => void signOut(),
                why: me.needs_sign_in === false && me.name === "local" && "this address needs no sign-in",
              },
            ]}
          />
        </header>
        <OfflineBar />
        <ConfigErrors />
        <main id="main" className="main" ref={main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <BottomBar path={pathname} />
      {palette && <Palette onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />}
      {help && (
        <Dialog title="Keys" onClose={() => setHelp(false)}>
          <dl className="keys">
            {kKeys.map(([keys, text]) => (
              <div key={keys}>
                <dt>
                  {keys
                    .split(" ")
                    .filter(Boolean)
                    .map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                </dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </Dialog>
      )}
      <Toasts />
    </div>
  );
}
