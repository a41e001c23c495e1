// What runs, what ran, and why did that one fail?
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { call } from "../api/client";
import { flows, runs } from "../api/queries";
import type { Page, RunSummary } from "../api/types";
import { at, sinceOf, useUrl } from "../app/url";
import { Button, Go, SearchInput, Select } from "../kit/controls";
import { formatCount, formatExact } from "../kit/format";
import { PageHead } from "../kit/page";
import { Empty, QueryView } from "../kit/states";
import { Status, StatusShape } from "../kit/status";
import { DataTable, type TableColumn } from "../kit/table";
import { Ago, Stamp, Took } from "../kit/time";

const kStates = ["running", "queued", "failed", "warned", "succeeded", "killed", "skipped"];
const kRanges: [string, string][] = [
  ["", "any time"],
  ["1h", "last hour"],
  ["24h", "last 24 h"],
  ["7d", "last 7 days"],
  ["30d", "last 30 days"],
];
const kTypes: Record<string, string> = {
  scheduled: "schedule",
  manual: "by hand",
  backfill: "backfill",
  event: "event",
};

export function Runs() {
  const [url, setUrl] = useUrl();
  const deferred = useDeferredValue(url.q ?? "");
  // The range is counted from when it was chosen, to the minute: every second would be another question.
  const since = useMemo(() => sinceOf(url.since, Math.floor(Date.now() / 60_000) * 60_000), [url.since]);
  const filter = { flow: url.flow, state: url.state, type: url.type, since, q: deferred || undefined, limit: 100 };
  const query = useQuery(runs(filter));
  const known = useQuery(flows());
  const running = query.data?.items.filter((run) => run.state === "running").length ?? 0;
  const failed = query.data?.items.filter((run) => run.state === "failed").length ?? 0;
  const filtered = Boolean(url.flow || url.state || url.type || url.since || url.q);
  return (
    <>
      <PageHead
        title="Runs"
        name="Runs"
        verdict={
          query.data && (
            <>
              {running > 0 && (
                <span className="status">
                  <StatusShape state="running" />
                  <strong className="num">{running}</strong> running
                </span>
              )}
              {failed > 0 && (
                <span className="status">
                  <StatusShape state="failed" />
                  <strong className="num">{failed}</strong> failed
                </span>
              )}
              {running === 0 && failed === 0 && query.data.items.length > 0 && (
                <span className="muted">none running, none failed</span>
              )}
            </>
          )
        }
      />
      <div className="filters row wrap">
        <SearchInput
          label="Filter runs"
          placeholder="Filter by id, flow or reason"
          value={url.q ?? ""}
          onChange={(q) => setUrl({ q })}
          isPageFilter
        />
        <Select aria-label="State" value={url.state ?? ""} onChange={(event) => setUrl({ state: event.target.value })}>
          <option value="">any state</option>
          {kStates.map((state) => (
            <option key={state} value={state}>
              {state}
            </option>
          ))}
          {url.state && !kStates.includes(url.state) && (
            <option value={url.state}>{url.state.replaceAll(",", ", ")}</option>
          )}
        </Select>
        <Select aria-label="Flow" value={url.flow ?? ""} onChange={(event) => setUrl({ flow: event.target.value })}>
          <option value="">any flow</option>
          {(known.data?.items ?? []).map((flow) => (
            <option key={flow.name} value={flow.name}>
              {flow.name}
            </option>
          ))}
          {url.flow && !known.data?.items.some((flow) => flow.name === url.flow) && (
            <option value={url.flow}>{url.flow}</option>
          )}
        </Select>
        <Select aria-label="Begun by" value={url.type ?? ""} onChange={(event) => setUrl({ type: event.target.value })}>
          <option value="">begun by anything</option>
          {Object.entries(kTypes).map(([type, word]) => (
            <option key={type} value={type}>
              {word}
            </option>
          ))}
        </Select>
        <Select aria-label="When" value={url.since ?? ""} onChange={(event) => setUrl({ since: event.target.value })}>
          {kRanges.map(([range, word]) => (
            <option key={range} value={range}>
              {word}
            </option>
          ))}
          {url.since && !kRanges.some(([range]) => range === url.since) && (
            <option value={url.since}>since {url.since}</option>
          )}
        </Select>
        {filtered && (
          <Button kind="ghost" onClick={() => setUrl({ q: null, state: null, flow: null, type: null, since: null })}>
            Clear filters
          </Button>
        )}
      </div>
      <QueryView
        query={query}
        what="read the runs"
        isEmpty={(page) => page.items.length === 0}
        empty={
          filtered ? (
            <Empty
              title="No runs match."
              actions={
                <Button onClick={() => setUrl({ q: null, state: null, flow: null, type: null, since: null })}>
                  Clear filters
                </Button>
              }
            >
              {[
                url.state && `state: ${url.state}`,
                url.flow && `flow: ${url.flow}`,
                url.type && kTypes[url.type],
                url.since && `last ${url.since}`,
                url.q && `“${url.q}”`,
              ]
                .filter(Boolean)
                .join(" · ")}
            </Empty>
          ) : (
            <Empty title="Nothing has run yet.">
              A run begins by its schedule, or when somebody presses Run on a pipeline or flow.
            </Empty>
          )
        }
      >
        {(page) => <RunList first={page} filter={filter} />}
      </QueryView>
    </>
  );
}

// Further pages are asked for by hand, and stay behind the first one, which is live.
function RunList({ first, filter }: { first: Page<RunSummary>; filter: Record<string, string | number | undefined> }) {
  const key = JSON.stringify(filter);
  const [start, setStart] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins anew
  useEffect(() => setStart(null), [key]);
  const more = useInfiniteQuery({
    queryKey: ["more-runs", key, start],
    queryFn: ({ pageParam, signal }) =>
      call<Page<RunSummary>>("GET", "/runs", {}, { query: { ...filter, after: pageParam }, signal }),
    initialPageParam: start ?? "",
    getNextPageParam: (page) => page.next,
    enabled: start !== null,
  });
  const behind = more.data?.pages.flatMap((page) => page.items) ?? [];
  const seen = new Set(first.items.map((run) => run.id));
  const rows = [...first.items, ...behind.filter((run) => !seen.has(run.id))];
  const next = start === null ? first.next : more.hasNextPage;
  return (
    <>
      <RunTable runs={rows} />
      {next && (
        <div className="more-rows">
          <Button
            busy={more.isFetching}
            onClick={() => (start === null ? setStart(first.next) : void more.fetchNextPage())}
          >
            {more.isFetching ? "Reading" : "Show older runs"}
          </Button>
        </div>
      )}
    </>
  );
}

const kColumns: TableColumn<RunSummary>[] = [
  {
    id: "flow",
    head: "Run",
    narrow: "main",
    cell: (run) => (
      <Go target={at.run(run.id)} className="row cell-link">
        <span className="clip strong" title={run.flow}>
          {run.flow}
        </span>
        <span className="mono small muted nowrap">{shortId(run.id)}</span>
      </Go>
    ),
  },
  { id: "state", head: "State", width: 130, narrow: "status", cell: (run) => <Status state={run.state} /> },
  {
    id: "why",
    head: "Cause",
    cell: (run) => (
      <span className={`clip block${run.state === "failed" ? "" : " muted"}`} title={run.why}>
        {run.state === "failed" || run.state === "warned" || run.state === "killed" ? run.why || "" : progressText(run)}
      </span>
    ),
  },
  {
    id: "type",
    head: "Begun by",
    width: 120,
    cell: (run) => (
      <span className="clip block" title={run.actor}>
        {run.type === "manual" && run.actor ? run.actor : (kTypes[run.type] ?? run.type)}
      </span>
    ),
  },
  { id: "tasks", head: "Tasks", width: 90, align: "right", cell: (run) => (run.tasks ? <TaskCount run={run} /> : "–") },
  {
    id: "rows",
    head: "Rows",
    width: 90,
    align: "right",
    narrow: "figure",
    cell: (run) => (
      <span title={run.rows != null ? `${formatExact(run.rows)} rows` : undefined}>{formatCount(run.rows)}</span>
    ),
  },
  {
    id: "took",
    head: "Took",
    width: 90,
    align: "right",
    narrow: "figure",
    cell: (run) => (
      <Took from={run.began} to={run.ended ?? (run.state === "running" ? null : (run.ended ?? run.began))} />
    ),
  },
  {
    id: "created",
    head: "Began",
    width: 130,
    align: "right",
    cell: (run) => (run.began ? <Stamp at={run.began} seconds={false} /> : <Ago at={run.created} />),
  },
];

function TaskCount({ run }: { run: RunSummary }) {
  const counts = run.tasks!;
  const done = counts.succeeded + counts.warned + counts.skipped + counts.failed;
  return (
    <span
      title={`${counts.succeeded} succeeded, ${counts.warned} with warnings, ${counts.failed} failed, ${counts.skipped} skipped, ${counts.running} running, ${counts.waiting} waiting`}
    >
      {formatExact(done)} / {formatExact(counts.total)}
    </span>
  );
}

function progressText(run: RunSummary): string {
  if (run.state === "running" && run.tasks) return `${run.tasks.running} running, ${run.tasks.waiting} waiting`;
  if (run.state === "queued") return run.why ?? "waits for its place";
  return run.quarantined ? `${formatCount(run.quarantined)} rows in quarantine` : "";
}

// The part that tells runs apart; the other one is the time, which stands beside it.
export const shortId = (id: string): string => id.slice(id.lastIndexOf("-") + 1).slice(-8);

export function RunTable({ runs: rows, label = "Runs" }: { runs: RunSummary[]; label?: string }) {
  return (
    <DataTable label={label} columns={kColumns} rows={rows} keyOf={(run) => run.id} rowState={(run) => run.state} />
  );
}
