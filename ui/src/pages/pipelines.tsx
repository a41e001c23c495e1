// Which stream is behind, how many rows moved, when is the next run? And the flows that were written by hand.
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { isRunEnd } from "../api/patch";
import { flows, pipelines } from "../api/queries";
import type { Flow, Pipeline, RunSummary } from "../api/types";
import { useRunNow } from "../app/acts";
import { useWhyNot } from "../app/session";
import { at, useGo, useUrl } from "../app/url";
import { Button, ButtonLink, Go, SearchInput, Select, Tabs, Tag } from "../kit/controls";
import { formatCount, formatDuration, formatExact, msBetween, plural } from "../kit/format";
import { PageHead } from "../kit/page";
import { wordsOf } from "../kit/schedule";
import { Empty, QueryView } from "../kit/states";
import { Status, StatusShape } from "../kit/status";
import { DataTable, nextSort, parseSort, sortRows, type TableColumn } from "../kit/table";
import { Ago } from "../kit/time";
import { RunBlocks } from "../kit/timeline";

export function Pipelines() {
  const [url, setUrl] = useUrl();
  const tab = url.tab === "flows" ? "flows" : "pipelines";
  const lines = useQuery(pipelines());
  const all = useQuery(flows());
  const files = (all.data?.items ?? []).filter((flow) => flow.kind === "file");
  const stands = (lines.data?.items ?? []).map((item) =>
    standOf(item, all.data?.items.find((flow) => flow.name === item.flow)?.last_runs?.[0]),
  );
  const failing = stands.filter((state) => state === "failing").length;
  const running = stands.filter((state) => state === "running").length;
  return (
    <>
      <PageHead
        title="Pipelines"
        name={tab === "flows" ? "Flows" : "Pipelines"}
        verdict={
          lines.data && (
            <>
              {failing > 0 && (
                <span className="status">
                  <StatusShape state="failed" />
                  <strong className="num">{failing}</strong> failing
                </span>
              )}
              {running > 0 && (
                <span className="status">
                  <StatusShape state="running" />
                  <strong className="num">{running}</strong> running
                </span>
              )}
              {failing === 0 && running === 0 && lines.data.items.length > 0 && (
                <span className="status">
                  <StatusShape state="ok" /> {plural(lines.data.items.length, "pipeline")}, none failing
                </span>
              )}
            </>
          )
        }
        actions={
          <ButtonLink kind="primary" target={at.connections()}>
            <Plus size={14} aria-hidden="true" /> Load more streams
          </ButtonLink>
        }
      >
        <Tabs
          label="Pipelines and flows"
          items={[
            { text: "Pipelines", active: tab === "pipelines", target: at.pipelines(), count: lines.data?.items.length },
            { text: "Flows", active: tab === "flows", target: at.pipelines({ tab: "flows" }), count: files.length },
          ]}
        />
      </PageHead>
      <div className="filters row wrap">
        <SearchInput
          label={tab === "flows" ? "Filter flows" : "Filter pipelines"}
          value={url.q ?? ""}
          onChange={(q) => setUrl({ q })}
          isPageFilter
        />
        {tab === "pipelines" && (
          <Select
            aria-label="State"
            value={url.state ?? ""}
            onChange={(event) => setUrl({ state: event.target.value })}
          >
            <option value="">any state</option>
            <option value="failing">failing</option>
            <option value="running">running</option>
            <option value="ok">ok</option>
            <option value="never">never ran</option>
          </Select>
        )}
      </div>
      {tab === "flows" ? (
        <QueryView
          query={all}
          what="read the flows"
          isEmpty={() => files.length === 0}
          empty={
            <Empty title="No flow was written yet.">
              Each pipeline runs by itself. Where tasks wait for each other, a file in flows/ says so: pipelines,
              models, tests, reports, programs.
            </Empty>
          }
        >
          {() => (
            <FlowTable
              rows={files.filter((flow) =>
                `${flow.name} ${flow.description ?? ""}`.toLowerCase().includes((url.q ?? "").toLowerCase()),
              )}
            />
          )}
        </QueryView>
      ) : (
        <QueryView
          query={lines}
          what="read the pipelines"
          isEmpty={(page) => page.items.length === 0}
          empty={
            <Empty
              title="No pipelines yet."
              actions={<ButtonLink target={at.newConnection()}>Add connection</ButtonLink>}
            >
              A pipeline loads streams of one connection into tables. Add a connection, pick its streams, and it is
              made.
            </Empty>
          }
        >
          {(page) => <PipelineTable items={page.items} flows={all.data?.items ?? []} />}
        </QueryView>
      )}
    </>
  );
}

// A load may be well and what follows it not: the models of the same flow, its tests.
export function standOf(item: Pick<Pipeline, "state">, last: RunSummary | undefined): Pipeline["state"] {
  if (!last) return item.state;
  if (!isRunEnd(last.state)) return "running";
  return last.state === "failed" ? "failing" : item.state;
}

function PipelineTable({ items, flows: all }: { items: Pipeline[]; flows: Flow[] }) {
  const [url, setUrl] = useUrl();
  const go = useGo();
  const runNow = useRunNow((run) => go(at.run(run)));
  const why = useWhyNot("operator", "run it");
  const sort = parseSort(url.sort);
  const byName = new Map(all.map((flow) => [flow.name, flow]));
  const lastOf = (item: Pipeline) => byName.get(item.flow ?? "")?.last_runs?.[0];
  const q = (url.q ?? "").toLowerCase();
  const shown = sortRows(
    items.filter(
      (item) =>
        `${item.name} ${item.source ?? ""} ${item.schema ?? ""}`.toLowerCase().includes(q) &&
        (!url.state || standOf(item, lastOf(item)) === url.state),
    ),
    sort,
    (item, by) =>
      by === "rows"
        ? lastOf(item)?.rows
        : by === "quarantined"
          ? item.quarantined
          : by === "ended"
            ? lastOf(item)?.ended
            : item.name,
  );
  if (shown.length === 0)
    return (
      <Empty
        title="No pipeline matches."
        actions={<Button onClick={() => setUrl({ q: null, state: null })}>Clear filters</Button>}
      >
        {formatExact(items.length)} without filters.
      </Empty>
    );
  const columns: TableColumn<Pipeline>[] = [
    {
      id: "name",
      head: "Pipeline",
      narrow: "main",
      sortable: true,
      cell: (item) => (
        <Go target={at.pipeline(item.name)} className="cell-link row">
          <span className="strong clip" title={item.name}>
            {item.name}
          </span>
          {byName.get(item.flow ?? "")?.paused && <Tag>paused</Tag>}
        </Go>
      ),
    },
    {
      id: "state",
      head: "State",
      width: 120,
      narrow: "status",
      cell: (item) => {
        const state = standOf(item, lastOf(item));
        return <Status state={state} word={state === "ok" ? "Succeeded" : undefined} />;
      },
    },
    {
      id: "path",
      head: "From, into",
      cell: (item) => (
        <span className="clip block muted" title={`${item.source} into ${item.schema ?? item.sink}`}>
          {item.source} → {item.schema ?? item.sink}
        </span>
      ),
    },
    { id: "streams", head: "Streams", width: 76, align: "right", cell: (item) => item.streams },
    {
      id: "runs",
      head: "Last runs",
      width: 140,
      cell: (item) => (
        <RunBlocks
          runs={[...(byName.get(item.flow ?? "")?.last_runs ?? [])]
            .reverse()
            .map((run) => ({ id: run.id, state: run.state, ms: msBetween(run.began, run.ended) }))}
        />
      ),
    },
    {
      id: "rows",
      head: "Rows, last run",
      width: 110,
      align: "right",
      narrow: "figure",
      sortable: true,
      cell: (item) => <span title={formatExact(lastOf(item)?.rows)}>{formatCount(lastOf(item)?.rows)}</span>,
    },
    {
      id: "quarantined",
      head: "Quarantine",
      width: 96,
      align: "right",
      sortable: true,
      cell: (item) =>
        item.quarantined ? (
          <Go target={at.quarantine({ pipeline: item.name })}>{formatCount(item.quarantined)}</Go>
        ) : (
          <span className="muted">{item.quarantined === 0 ? "0" : "–"}</span>
        ),
    },
    {
      id: "ended",
      head: "Ran",
      width: 100,
      align: "right",
      narrow: "figure",
      sortable: true,
      cell: (item) =>
        standOf(item, lastOf(item)) === "running" ? "now" : <Ago at={lastOf(item)?.ended ?? item.last?.at} />,
    },
    {
      id: "next",
      head: "Next",
      width: 100,
      align: "right",
      cell: (item) => <Ago at={byName.get(item.flow ?? "")?.next_due} none={item.schedule ? "–" : "by hand"} />,
    },
    {
      id: "act",
      head: <span className="visually-hidden">Run</span>,
      width: 70,
      align: "right",
      cell: (item) => (
        <button
          type="button"
          className="link-button small"
          aria-label={`Run ${item.name}`}
          aria-disabled={why ? true : undefined}
          title={why ?? undefined}
          onClick={() => !why && item.flow && runNow.mutate(item.flow)}
        >
          {runNow.isPending && runNow.variables === item.flow ? "…" : "Run"}
        </button>
      ),
    },
  ];
  return (
    <DataTable
      label="Pipelines"
      columns={columns}
      rows={shown}
      keyOf={(item) => item.name}
      sort={sort}
      onSort={(by) => setUrl({ sort: nextSort(sort, by) })}
      rowState={(item) => standOf(item, lastOf(item))}
    />
  );
}

function FlowTable({ rows }: { rows: Flow[] }) {
  const columns: TableColumn<Flow>[] = [
    {
      id: "name",
      head: "Flow",
      narrow: "main",
      cell: (flow) => (
        <Go target={at.flow(flow.name)} className="cell-link row">
          <span className="strong clip" title={flow.name}>
            {flow.name}
          </span>
          {flow.paused && <Tag>paused</Tag>}
        </Go>
      ),
    },
    {
      id: "state",
      head: "Last run",
      width: 130,
      narrow: "status",
      cell: (flow) => <Status state={flow.last_runs?.[0]?.state ?? "never"} />,
    },
    {
      id: "description",
      head: "Does",
      cell: (flow) => (
        <span className="clip block muted" title={flow.description}>
          {flow.description}
        </span>
      ),
    },
    {
      id: "tasks",
      head: "Tasks",
      width: 70,
      align: "right",
      narrow: "figure",
      cell: (flow) => formatExact(flow.tasks),
    },
    {
      id: "runs",
      head: "Last runs",
      width: 140,
      cell: (flow) => (
        <RunBlocks
          runs={[...(flow.last_runs ?? [])]
            .reverse()
            .map((run) => ({ id: run.id, state: run.state, ms: msBetween(run.began, run.ended) }))}
        />
      ),
    },
    {
      id: "took",
      head: "Took",
      width: 90,
      align: "right",
      cell: (flow) => formatDuration(msBetween(flow.last_runs?.[0]?.began, flow.last_runs?.[0]?.ended)),
    },
    {
      id: "when",
      head: "When",
      width: 200,
      cell: (flow) => (
        <span className="clip block" title={`${flow.schedules?.join(", ")} ${flow.zone ?? ""}`}>
          {(flow.schedules ?? []).length > 0 ? flow.schedules!.map(wordsOf).join("; ") : "by hand"}
        </span>
      ),
    },
    {
      id: "next",
      head: "Next",
      width: 100,
      align: "right",
      narrow: "figure",
      cell: (flow) => <Ago at={flow.paused ? null : flow.next_due} none={flow.paused ? "paused" : "by hand"} />,
    },
  ];
  return <DataTable label="Flows" columns={columns} rows={rows} keyOf={(flow) => flow.name} />;
}
