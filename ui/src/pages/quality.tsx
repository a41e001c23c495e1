// Which check is getting worse, which rows wait, what is not as usual?
import { useQuery } from "@tanstack/react-query";
import { call } from "../api/client";
import { anomalies, checks, quarantine, watchedTables } from "../api/queries";
import type { Anomaly, Check, WatchedTable } from "../api/types";
import { useAct } from "../app/acts";
import { useTopics } from "../app/live_context";
import { useWhyNot } from "../app/session";
import { at, atTable, useUrl } from "../app/url";
import { Button, Go, Menu, SearchInput, Select, Tabs } from "../kit/controls";
import { formatAge, formatCount, formatExact, formatValue, plural } from "../kit/format";
import { PageHead, Section } from "../kit/page";
import { Empty, QueryView } from "../kit/states";
import { lookOf, Status, StatusShape } from "../kit/status";
import { DataTable, type TableColumn } from "../kit/table";
import { Ago } from "../kit/time";

export function QualityTabs({ active }: { active: "checks" | "quarantine" | "anomalies" }) {
  const held = useQuery(quarantine());
  const odd = useQuery(anomalies());
  return (
    <Tabs
      label="Quality"
      items={[
        { text: "Checks", active: active === "checks", target: at.quality() },
        {
          text: "Quarantine",
          active: active === "quarantine",
          target: at.quarantine(),
          count: held.data?.items.reduce((sum, group) => sum + group.rows, 0),
        },
        {
          text: "Anomalies",
          active: active === "anomalies",
          target: { to: "/quality/anomalies" },
          count: odd.data?.items.length,
        },
      ]}
    />
  );
}

const kWorst = ["failed", "error", "warned", "unknown", "passed"];

export function Quality() {
  const query = useQuery(checks());
  const [url, setUrl] = useUrl();
  const all = query.data?.items ?? [];
  const failed = all.filter((check) => check.state === "failed" || check.state === "error");
  const warned = all.filter((check) => check.state === "warned");
  const q = (url.q ?? "").toLowerCase();
  const shown = all
    .filter(
      (check) =>
        `${check.on} ${check.column ?? ""} ${check.text}`.toLowerCase().includes(q) &&
        (!url.state || check.state === url.state),
    )
    .sort((a, b) => kWorst.indexOf(a.state ?? "unknown") - kWorst.indexOf(b.state ?? "unknown"));
  const columns: TableColumn<Check>[] = [
    {
      id: "text",
      head: "Check",
      narrow: "main",
      cell: (check) => (
        <code className="clip block" title={check.text}>
          {check.text}
        </code>
      ),
    },
    {
      id: "state",
      head: "State",
      width: 120,
      narrow: "status",
      cell: (check) => (
        <Status
          state={check.state}
          word={
            check.state === "failed" || check.state === "passed" || check.state === "warned"
              ? undefined
              : check.state
                ? undefined
                : "Not run yet"
          }
        />
      ),
    },
    {
      id: "on",
      head: "On",
      narrow: "figure",
      cell: (check) => (
        <Go target={atTable(check.on, { tab: "tests" })} className="clip block">
          <span title={check.on}>
            {check.on}
            {check.column ? `.${check.column}` : ""}
          </span>
        </Go>
      ),
    },
    { id: "history", head: "Last times", width: 150, cell: (check) => <CheckHistory check={check} /> },
    {
      id: "rows",
      head: "Failing rows",
      width: 100,
      align: "right",
      narrow: "figure",
      cell: (check) => <span title={formatExact(check.failing_rows)}>{formatCount(check.failing_rows)}</span>,
    },
    { id: "kind", head: "Kind", width: 100, cell: (check) => check.kind },
    { id: "at", head: "Checked", width: 100, align: "right", cell: (check) => <Ago at={check.last_at} /> },
  ];
  return (
    <>
      <PageHead
        title="Quality"
        name="Quality"
        verdict={
          query.data &&
          all.length > 0 && (
            <>
              {failed.length > 0 && (
                <span className="status">
                  <StatusShape state="failed" />
                  <strong className="num">{failed.length}</strong> failing
                </span>
              )}
              {warned.length > 0 && (
                <span className="status">
                  <StatusShape state="warned" />
                  <strong className="num">{warned.length}</strong> with warnings
                </span>
              )}
              {failed.length + warned.length === 0 && (
                <span className="status">
                  <StatusShape state="passed" /> All {plural(all.length, "check")} passed
                </span>
              )}
            </>
          )
        }
      >
        <QualityTabs active="checks" />
      </PageHead>
      <div className="filters row wrap">
        <SearchInput
          label="Filter checks"
          value={url.q ?? ""}
          onChange={(value) => setUrl({ q: value })}
          isPageFilter
        />
        <Select aria-label="State" value={url.state ?? ""} onChange={(event) => setUrl({ state: event.target.value })}>
          <option value="">any state</option>
          <option value="failed">failed</option>
          <option value="warned">with warnings</option>
          <option value="passed">passed</option>
        </Select>
      </div>
      <QueryView
        query={query}
        what="read the checks"
        isEmpty={(page) => page.items.length === 0}
        empty={
          <Empty title="Nothing is promised yet.">
            Write under expect in a pipeline what its rows must be, or tests beside models: they stand here with how
            they went.
          </Empty>
        }
      >
        {() =>
          shown.length === 0 ? (
            <Empty
              title="No check matches."
              actions={<Button onClick={() => setUrl({ q: null, state: null })}>Clear filters</Button>}
            >
              {formatExact(all.length)} without filters.
            </Empty>
          ) : (
            <DataTable
              label="Checks"
              columns={columns}
              rows={shown}
              keyOf={(check) => check.id}
              rowState={(check) => check.state ?? undefined}
            />
          )
        }
      </QueryView>
    </>
  );
}

// Newest at the right; height tells how many rows failed.
function CheckHistory({ check }: { check: Check }) {
  const history = (check.history ?? []).slice(-22);
  if (history.length === 0) return <span className="muted">–</span>;
  const most = Math.max(1, ...history.map((entry) => entry.rows ?? 0));
  const bad = history.filter((entry) => entry.state !== "passed").length;
  return (
    <svg
      width={history.length * 6}
      height="18"
      role="img"
      className="run-blocks"
      aria-label={`Last ${history.length} times: ${history.length - bad} passed, ${bad} not`}
    >
      {history.map((entry, i) => {
        const height = entry.state === "passed" ? 4 : 6 + 12 * ((entry.rows ?? 0) / most);
        return (
          <rect
            key={entry.at}
            x={i * 6}
            y={18 - height}
            width="4"
            height={height}
            rx="1"
            fill={`var(--${lookOf(entry.state).tone})`}
          />
        );
      })}
    </svg>
  );
}

const kKinds: Record<string, string> = {
  freshness: "Not changed in time",
  volume: "Unusual number of rows",
  zero_rows: "No rows",
};

function AnomalyMenu({ item }: { item: Anomaly }) {
  const why = useWhyNot("operator", "answer it");
  const path = { kind: item.kind, table: item.table };
  const mute = useAct(
    (ms: number) =>
      call<void>("POST", "/anomalies/{kind}/{table}/mute", path, {
        body: { until: new Date(Date.now() + ms).toISOString() },
      }),
    () => `Nobody is told of ${item.table} for a while`,
    "anomalies",
    "overview",
  );
  const usual = useAct(
    () => call<void>("POST", "/anomalies/{kind}/{table}/usual", path),
    () => `${item.table}: taken for usual from now on`,
    "anomalies",
    "overview",
  );
  return (
    <Menu
      label={`Answer ${kKinds[item.kind] ?? item.kind} of ${item.table}`}
      button="Answer"
      items={[
        { text: "This is usual: learn it", onSelect: () => usual.mutate(undefined), why },
        { text: "Tell nobody for a day", onSelect: () => mute.mutate(86_400_000), why },
        { text: "Tell nobody for a week", onSelect: () => mute.mutate(7 * 86_400_000), why },
      ]}
    />
  );
}

// What is known of each table, so that one can tell "nothing unusual" from "not known yet".
function Watched() {
  const query = useQuery(watchedTables());
  const items = query.data?.items ?? [];
  if (items.length === 0) return null;
  const learning = items.filter((item) => item.learning).length;
  return (
    <Section
      title="Watched tables"
      note={learning > 0 ? `${formatExact(learning)} of ${formatExact(items.length)} still being learned` : undefined}
    >
      <DataTable
        label="Watched tables"
        columns={kWatched}
        rows={items}
        keyOf={(item) => item.table}
        height={items.length > 12 ? "440px" : undefined}
      />
    </Section>
  );
}
const kWatched: TableColumn<WatchedTable>[] = [
  {
    id: "table",
    head: "Table",
    narrow: "main",
    width: "30%",
    cell: (item) => (
      <Go target={atTable(item.table)} className="clip block strong quiet">
        {item.table}
      </Go>
    ),
  },
  {
    id: "state",
    head: "Known",
    narrow: "status",
    cell: (item) => <Status state={item.learning ? "waiting" : "ok"} word={item.learning ?? "learned"} />,
  },
  { id: "loads", head: "Loads", width: 80, align: "right", cell: (item) => formatExact(item.loads) },
  {
    id: "usual",
    head: "Usual rows",
    width: 110,
    align: "right",
    narrow: "figure",
    cell: (item) => number(item.rows_usual),
  },
  { id: "last", head: "Last load", width: 110, align: "right", cell: (item) => <Ago at={item.last_at} none="–" /> },
  {
    id: "late",
    head: "Late",
    width: 110,
    align: "right",
    narrow: "figure",
    cell: (item) => <Ago at={item.late_at} none="–" />,
  },
];

export function Anomalies() {
  const query = useQuery(anomalies());
  useTopics(["alerts"]);
  const columns: TableColumn<Anomaly>[] = [
    {
      id: "table",
      head: "Table",
      narrow: "main",
      width: "24%",
      cell: (item) => (
        <Go target={atTable(item.table)} className="clip block strong quiet">
          <span title={item.table}>{item.table}</span>
        </Go>
      ),
    },
    {
      id: "kind",
      head: "What",
      width: 200,
      narrow: "status",
      cell: (item) => <Status state={item.muted_until ? "muted" : "drifting"} word={kKinds[item.kind] ?? item.kind} />,
    },
    {
      id: "message",
      head: "Says",
      cell: (item) => (
        <span className="clip block" title={item.message}>
          {item.message}
        </span>
      ),
    },
    {
      id: "expected",
      head: "Usual",
      width: 100,
      align: "right",
      narrow: "figure",
      cell: (item) => measure(item.kind, item.expected),
    },
    {
      id: "found",
      head: "Now",
      width: 100,
      align: "right",
      narrow: "figure",
      cell: (item) => measure(item.kind, item.found),
    },
    { id: "at", head: "Seen", width: 110, align: "right", cell: (item) => <Ago at={item.at} /> },
    {
      id: "act",
      head: <span className="visually-hidden">Acts</span>,
      width: 108,
      align: "right",
      cell: (item) => <AnomalyMenu item={item} />,
    },
  ];
  return (
    <>
      <PageHead
        title="Anomalies"
        name="Anomalies"
        verdict={
          query.data &&
          (query.data.items.length === 0 ? (
            <span className="status">
              <StatusShape state="ok" /> Nothing unusual
            </span>
          ) : (
            <span className="status">
              <StatusShape state="drifting" /> {plural(query.data.items.length, "table is", "tables are")} not as usual
            </span>
          ))
        }
      >
        <QualityTabs active="anomalies" />
      </PageHead>
      <QueryView
        query={query}
        what="read what is unusual"
        isEmpty={(page) => page.items.length === 0}
        empty={
          <Empty title="Nothing unusual.">
            Each table's rows and times are compared with what was usual on that weekday at that hour.
          </Empty>
        }
      >
        {(page) => (
          <DataTable
            label="Anomalies"
            columns={columns}
            rows={page.items}
            keyOf={(item) => `${item.table} ${item.kind}`}
          />
        )}
      </QueryView>
      <Watched />
    </>
  );
}
// Of freshness it is seconds between loads, of all else rows.
const measure = (kind: Anomaly["kind"], value: number | string | null | undefined) =>
  kind === "freshness" && typeof value === "number" ? formatAge(value * 1000) : number(value);
const number = (value: number | string | null | undefined) =>
  typeof value === "number" ? <span title={formatExact(value)}>{formatCount(value)}</span> : formatValue(value ?? "–");
