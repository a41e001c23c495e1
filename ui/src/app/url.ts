// The address of every view. Parameters are flat texts, written as people would write them.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type UrlValues = Record<string, string>;

export function parseSearch(text: string): UrlValues {
  return Object.fromEntries(new URLSearchParams(text));
}

// Commas and colons stay readable, since lists and times use them.
export function writeSearch(values: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") params.set(name, String(value));
  }
  const text = params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}

export interface Target {
  to: string;
  params?: Record<string, string>;
  search?: UrlValues;
}
type Search = Record<string, string | number | undefined | null>;
const clean = (search: Search): UrlValues =>
  Object.fromEntries(
    Object.entries(search)
      .filter(([, value]) => value !== undefined && value !== null && value !== "")
      .map(([name, value]) => [name, String(value)]),
  );

export const at = {
  home: (): Target => ({ to: "/" }),
  connections: (search: Search = {}): Target => ({ to: "/connections", search: clean(search) }),
  newConnection: (type?: string): Target => ({ to: "/connections/new", search: clean({ type }) }),
  connection: (name: string, search: Search = {}): Target => ({
    to: "/connections/$connection",
    params: { connection: name },
    search: clean(search),
  }),
  pipelines: (search: Search = {}): Target => ({ to: "/pipelines", search: clean(search) }),
  pipeline: (name: string, search: Search = {}): Target => ({
    to: "/pipelines/$pipeline",
    params: { pipeline: name },
    search: clean(search),
  }),
  flow: (name: string, search: Search = {}): Target => ({
    to: "/flows/$flow",
    params: { flow: name },
    search: clean(search),
  }),
  runs: (search: Search = {}): Target => ({ to: "/runs", search: clean(search) }),
  run: (id: string, search: Search = {}): Target => ({ to: "/runs/$run", params: { run: id }, search: clean(search) }),
  lineage: (search: Search = {}): Target => ({ to: "/lineage", search: clean(search) }),
  data: (search: Search = {}): Target => ({ to: "/data", search: clean(search) }),
  table: (schema: string, table: string, search: Search = {}): Target => ({
    to: "/data/$schema/$table",
    params: { schema, table },
    search: clean(search),
  }),
  sql: (search: Search = {}): Target => ({ to: "/data/sql", search: clean(search) }),
  quality: (search: Search = {}): Target => ({ to: "/quality", search: clean(search) }),
  quarantine: (search: Search = {}): Target => ({ to: "/quality/quarantine", search: clean(search) }),
  settings: (tab?: string): Target => ({ to: "/settings", search: clean({ tab }) }),
};

// "schema.table" as the catalog names it.
export function atTable(name: string, search: Search = {}): Target {
  const dot = name.indexOf(".");
  return dot < 0 ? at.data({ q: name }) : at.table(name.slice(0, dot), name.slice(dot + 1), search);
}

export function useGo(): (target: Target, options?: { replace?: boolean }) => void {
  const navigate = useNavigate();
  return useCallback(
    (target, options) => {
      void navigate({
        to: target.to,
        params: target.params ?? {},
        search: target.search ?? {},
        replace: options?.replace,
      } as never);
    },
    [navigate],
  );
}

// What the address says, and how a view changes it: `push` for what is a step that Back should undo.
export function useUrl(): [UrlValues, (change: Search, push?: boolean) => void] {
  const search = useSearch({ strict: false }) as UrlValues;
  const navigate = useNavigate();
  const set = useCallback(
    (change: Search, push = false) => {
      void navigate({
        to: ".",
        search: (held: UrlValues) => clean({ ...held, ...change }),
        replace: !push,
        resetScroll: false,
      } as never);
    },
    [navigate],
  );
  return [search, set];
}

// "24h", "7d", "90m" before `now`, as ISO text; nothing when it is no range.
export function sinceOf(range: string | undefined, now: number): string | undefined {
  const match = /^(\d+)([mhdw])$/.exec(range ?? "");
  if (!match) {
    const fixed = Date.parse(range ?? "");
    return Number.isNaN(fixed) ? undefined : new Date(fixed).toISOString();
  }
  const length = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[match[2] as "m" | "h" | "d" | "w"];
  return new Date(now - Number(match[1]) * length).toISOString();
}
