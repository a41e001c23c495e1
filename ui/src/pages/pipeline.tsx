// One pipeline: its streams and what they moved, while it runs and after.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { isRunEnd } from "../api/patch";
import { flow as flowQuery, pipeline, run as runQuery, runs } from "../api/queries";
import type { PipelineDetail, RunDetail, StreamInfo } from "../api/types";
import { FileTab } from "../app/file_tab";
import { FlowActions } from "../app/flow_actions";
import { useTopics } from "../app/live_context";
import { at, atTable, useUrl } from "../app/url";
import { Go, Tabs, Tag } from "../kit/controls";
import { formatCount, formatExact, plural } from "../kit/format";
import { Facts, PageHead, Section } from "../kit/page";
import { wordsOf } from "../kit/schedule";
import { Empty, QueryView } from "../kit/states";
import { Status, StatusChip } from "../kit/status";
import { DataTable, type TableColumn } from "../kit/table";
import { Ago, Stamp } from "../kit/time";
import { Sparkline } from "../kit/timeline";
import { standOf } from "./pipelines";
import { RunTable } from "./runs";

export function PipelinePage() {
  const { pipeline: name } = useParams({ strict: false }) as { pipeline: string };
  const query = useQuery(pipeline(name));
  return (
    <QueryView query={query} what={`read pipeline ${name}`} title={name}>
      {(detail) => <Content detail={detail} />}
    </QueryView>
  );
}

const kWords: Record<string, string> = { ok: "Succeeded", failing: "Failing", running: "Running", never: "Never ran" };

function Content({ detail }: { detail: PipelineDetail }) {
  const [url] = useUrl();
  const tab = url.tab ?? "streams";
  const flowName = detail.flow ?? detail.name;
  const flow = useQuery(flowQuery(flowName));
  const last = flow.data?.last_runs?.[0];
  const stand = standOf(detail, last);
  const running = last && !isRunEnd(last.state) ? last.id : undefined;
  const live = useQuery({ ...runQuery(running ?? ""), enabled: running !== undefined });
  useTopics(running ? [`run:${running}`] : []);
  const waiting = detail.streams.reduce((sum, stream) => sum + (stream.quarantined ?? 0), 0);
  const target = (id: string) => at.pipeline(detail.name, { tab: id === "streams" ? undefined : id });
  const tabs = [
    { id: "streams", text: "Streams", count: detail.streams.length },
    { id: "runs", text: "Runs" },
    { id: "state", text: "State" },
    { id: "changes", text: "Schema changes", count: detail.columns_changed?.length },
    { id: "yaml", text: "YAML" },
  ];
  return (
    <>
      <PageHead
        title={
          <>
            {detail.name}{" "}
            <span className="muted run-id">
              {detail.source} → {detail.schema ?? detail.sink}
            </span>
          </>
        }
        name={detail.name}
        verdict={
          <>
            <StatusChip state={stand} word={kWords[stand]} />
            {flow.data?.paused && <Tag>paused</Tag>}
          </>
        }
        actions={flow.data && <FlowActions flow={flow.data} />}
      >
        <Facts
          items={[
            [
              "Last run",
              last ? (
                <Go key="r" target={at.run(last.id)}>
                  {running ? "running now" : <Ago at={last.ended} />}
                </Go>
              ) : (
                "none"
              ),
            ],
            ["Rows, last run", formatCount(last?.rows)],
            ["When", detail.schedule ? wordsOf(detail.schedule) : "only by hand"],
            ["Next", flow.data?.paused ? "paused" : <Ago key="n" at={flow.data?.next_due} none="–" />],
            [
              "In quarantine",
              waiting > 0 ? (
                <Go key="q" target={at.quarantine({ pipeline: detail.name })}>
                  {plural(waiting, "row")}
                </Go>
              ) : (
                "none"
              ),
            ],
            [
              "Connection",
              detail.source ? (
                <Go key="c" target={at.connection(detail.source)}>
                  {detail.source}
                </Go>
              ) : (
                "–"
              ),
            ],
          ]}
        />
        <Tabs
          label="Parts of the pipeline"
          items={tabs.map((item) => ({
            text: item.text,
            count: item.count,
            active: item.id === tab,
            target: target(item.id),
          }))}
        />
      </PageHead>
      {tab === "streams" && <StreamTable detail={detail} live={live.data} />}
      {tab === "runs" && <Runs flow={flowName} />}
      {tab === "state" && <State streams={detail.streams} />}
      {tab === "changes" && <Changes detail={detail} />}
      {tab === "yaml" &&
        (detail.file ? <FileTab path={detail.file} /> : <Empty title="This pipeline has no file of its own." />)}
    </>
  );
}

// While it runs, the numbers are those of the run's own steps.
function nowOf(stream: StreamInfo, live: RunDetail | undefined): { state: string; rows?: number | null } | undefined {
  const step = live?.task_list
    ?.flatMap((task) => task.steps ?? [])
    .find((one) => one.name === stream.name || one.name.endsWith(`.${stream.name}`));
  return step ? { state: step.state, rows: step.rows_written } : (stream.last ?? undefined);
}

function StreamTable({ detail, live }: { detail: PipelineDetail; live: RunDetail | undefined }) {
  const columns: TableColumn<StreamInfo>[] = [
    {
      id: "name",
      head: "Stream",
      narrow: "main",
      cell: (stream) => (
        <span className="clip block strong" title={stream.name}>
          {stream.name}
        </span>
      ),
    },
    {
      id: "state",
      head: "Last time",
      width: 120,
      narrow: "status",
      cell: (stream) => <Status state={nowOf(stream, live)?.state ?? "never"} />,
    },
    {
      id: "table",
      head: "Table",
      cell: (stream) =>
        stream.table ? (
          <Go target={atTable(stream.table)} className="clip block">
            {stream.table}
          </Go>
        ) : (
          "–"
        ),
    },
    { id: "mode", head: "Mode", width: 110, cell: (stream) => stream.mode },
    { id: "contract", head: "Contract", width: 96, cell: (stream) => stream.contract },
    {
      id: "rows",
      head: "Rows",
      width: 90,
      align: "right",
      narrow: "figure",
      cell: (stream) => (
        <span title={formatExact(nowOf(stream, live)?.rows)}>{formatCount(nowOf(stream, live)?.rows)}</span>
      ),
    },
    {
      id: "history",
      head: "Rows by run",
      width: 116,
      cell: (stream) => (
        <Sparkline
          values={[...(stream.history ?? [])].reverse().map((entry) => entry.rows ?? 0)}
          label={`Rows of the last ${stream.history?.length ?? 0} runs of ${stream.name}`}
        />
      ),
    },
    {
      id: "quarantined",
      head: "Quarantine",
      width: 90,
      align: "right",
      narrow: "figure",
      cell: (stream) =>
        stream.quarantined ? (
          <Go target={at.quarantine({ pipeline: detail.name, stream: stream.name })}>
            {formatCount(stream.quarantined)}
          </Go>
        ) : (
          <span className="muted">{stream.quarantined === 0 ? "0" : "–"}</span>
        ),
    },
    {
      id: "committed",
      head: "Committed",
      width: 100,
      align: "right",
      cell: (stream) => <Ago at={stream.committed_at} none="–" />,
    },
  ];
  return (
    <>
      <DataTable label="Streams" columns={columns} rows={detail.streams} keyOf={(stream) => stream.name} />
      {detail.streams.some((stream) => (stream.expectations ?? []).length + (stream.policies ?? []).length > 0) && (
        <Section title="What is promised and protected">
          <ul className="rules">
            {detail.streams
              .filter((stream) => (stream.expectations ?? []).length + (stream.policies ?? []).length > 0)
              .map((stream) => (
                <li key={stream.name}>
                  <span className="strong clip">{stream.name}</span>
                  <span className="row wrap">
                    {stream.expectations?.map((text) => (
                      <Tag key={text}>{text}</Tag>
                    ))}
                    {stream.policies?.map((text) => (
                      <Tag key={text} title="A policy">
                        {text}
                      </Tag>
                    ))}
                  </span>
                </li>
              ))}
          </ul>
        </Section>
      )}
    </>
  );
}

function Runs({ flow }: { flow: string }) {
  const query = useQuery(runs({ flow, limit: 100 }));
  return (
    <QueryView
      query={query}
      what="read its runs"
      isEmpty={(page) => page.items.length === 0}
      empty={<Empty title="It has not run yet." />}
    >
      {(page) => <RunTable runs={page.items} />}
    </QueryView>
  );
}

function State({ streams }: { streams: StreamInfo[] }) {
  return (
    <>
      <p className="muted text-column">
        How far each stream has been read. It is kept in the warehouse, in the commit of the rows: what stands here is
        in the tables.
      </p>
      <DataTable
        label="State of streams"
        columns={[
          {
            id: "name",
            head: "Stream",
            width: "26%",
            narrow: "main",
            cell: (stream: StreamInfo) => <span className="clip block strong">{stream.name}</span>,
          },
          {
            id: "checkpoint",
            head: "Checkpoint",
            narrow: "figure",
            cell: (stream: StreamInfo) =>
              stream.checkpoint ? (
                <code className="clip block" title={stream.checkpoint}>
                  {stream.checkpoint}
                </code>
              ) : (
                <span className="muted">none: read from the begin each time</span>
              ),
          },
          {
            id: "at",
            head: "Committed",
            width: 170,
            align: "right",
            narrow: "status",
            cell: (stream: StreamInfo) => <Stamp at={stream.committed_at} />,
          },
        ]}
        rows={streams}
        keyOf={(stream) => stream.name}
      />
      <p className="small muted">
        To read a stream from its begin: <code>shaduf state reset</code>
      </p>
    </>
  );
}

function Changes({ detail }: { detail: PipelineDetail }) {
  const changes = detail.columns_changed ?? [];
  if (changes.length === 0)
    return (
      <Empty title="No column has changed.">
        When a source adds, widens or drops a column, it is written here with its time.
      </Empty>
    );
  return (
    <DataTable
      label="Schema changes"
      columns={[
        { id: "at", head: "At", width: 180, narrow: "figure", cell: (change) => <Stamp at={change.at} /> },
        {
          id: "stream",
          head: "Stream",
          width: 220,
          narrow: "main",
          cell: (change) => <span className="clip block strong">{change.stream}</span>,
        },
        {
          id: "text",
          head: "What",
          narrow: "figure",
          cell: (change) => (
            <span className="clip block" title={change.text}>
              {change.text}
            </span>
          ),
        },
      ]}
      rows={changes}
      keyOf={(change) => `${change.at} ${change.stream} ${change.text}`}
    />
  );
}
