// One flow: when it runs, what it consists of, how it went lately.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { flow as flowQuery, runs } from "../api/queries";
import type { FlowDetail, FlowTask } from "../api/types";
import { FileTab } from "../app/file_tab";
import { FlowActions } from "../app/flow_actions";
import { at, atTable, useUrl } from "../app/url";
import { Go, Tabs, Tag } from "../kit/controls";
import { formatExact } from "../kit/format";
import { Facts, PageHead } from "../kit/page";
import { wordsOf } from "../kit/schedule";
import { Empty, QueryView } from "../kit/states";
import { StatusChip } from "../kit/status";
import { DataTable, useNarrow } from "../kit/table";
import { Ago } from "../kit/time";
import { LateGraph } from "./lineage/late_graph";
import { RunTable } from "./runs";

export function FlowPage() {
  const { flow: name } = useParams({ strict: false }) as { flow: string };
  const query = useQuery(flowQuery(name));
  return (
    <QueryView query={query} what={`read flow ${name}`} title={name}>
      {(detail) => <Content detail={detail} />}
    </QueryView>
  );
}

function Content({ detail }: { detail: FlowDetail }) {
  const [url] = useUrl();
  const tab = url.tab ?? "runs";
  const last = detail.last_runs?.[0];
  const tasks = detail.graph?.tasks ?? [];
  const tabs: [string, string, number?][] = [
    ["runs", "Runs"],
    ["tasks", "Tasks", tasks.length],
    ["yaml", "YAML"],
  ];
  return (
    <>
      <PageHead
        title={detail.title || detail.name}
        name={detail.name}
        verdict={
          <>
            <StatusChip state={last?.state ?? "never"} />
            {detail.late && <StatusChip state="late" />}
            {detail.paused && <Tag>paused</Tag>}
          </>
        }
        actions={<FlowActions flow={detail} />}
      >
        {detail.description && <p className="text-column">{detail.description}</p>}
        <Facts
          items={[
            [
              "When",
              (detail.schedules ?? []).length > 0 ? (
                <span key="w" title={detail.schedules?.join(", ")}>
                  {detail.schedules!.map(wordsOf).join("; ")}
                  {detail.zone ? ` (${detail.zone})` : ""}
                </span>
              ) : (detail.on_tables ?? []).length > 0 ? (
                detail
                  .on_tables!.map((on) => `when ${on.tables.join(on.needs_all ? " and " : " or ")} changed`)
                  .join("; ")
              ) : (
                "only by hand"
              ),
            ],
            ["Next", detail.paused ? "paused" : <Ago key="n" at={detail.next_due} none="–" />],
            ["Last success", <Ago key="s" at={detail.last_success_at} none="none yet" />],
            ["Owner", detail.owner || "–"],
            ...(detail.pipeline
              ? ([
                  [
                    "Pipeline",
                    <Go key="p" target={at.pipeline(detail.pipeline)}>
                      {detail.pipeline}
                    </Go>,
                  ],
                ] as [string, React.ReactNode][])
              : []),
            ...((detail.writes ?? []).length > 0
              ? ([
                  [
                    "Writes",
                    <span key="t" className="row wrap">
                      {detail.writes!.slice(0, 4).map((table) => (
                        <Go key={table} target={atTable(table)}>
                          {table}
                        </Go>
                      ))}
                      {detail.writes!.length > 4 && `and ${detail.writes!.length - 4} more`}
                    </span>,
                  ],
                ] as [string, React.ReactNode][])
              : []),
          ]}
        />
        <Tabs
          label="Parts of the flow"
          items={tabs.map(([id, text, count]) => ({
            text,
            count,
            active: id === tab,
            target: at.flow(detail.name, { tab: id === "runs" ? undefined : id }),
          }))}
        />
      </PageHead>
      {tab === "runs" && <Runs flow={detail.name} />}
      {tab === "tasks" && <Tasks tasks={tasks} />}
      {tab === "yaml" &&
        (detail.config?.file || detail.file ? (
          <FileTab path={detail.config?.file ?? detail.file!} line={detail.line} />
        ) : (
          <Empty title="This flow has no file: it follows from the pipeline." />
        ))}
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
      empty={<Empty title="It has not run yet.">It runs by its schedule, or when you press Run now.</Empty>}
    >
      {(page) => <RunTable runs={page.items} />}
    </QueryView>
  );
}

function Tasks({ tasks }: { tasks: FlowTask[] }) {
  const narrow = useNarrow();
  return (
    <>
      {!narrow && tasks.length > 1 && tasks.length <= 300 && (
        <LateGraph
          nodes={tasks.map((task) => ({
            id: task.name,
            kind: "flow",
            name: task.name,
            schema: task.type,
            description: task.summary,
          }))}
          edges={tasks.flatMap((task) => (task.after ?? []).map((from) => ({ from, to: task.name })))}
          height={360}
        />
      )}
      <DataTable
        label="Tasks"
        columns={[
          {
            id: "name",
            head: "Task",
            narrow: "main",
            cell: (task: FlowTask) => (
              <span className="clip block strong" title={task.name}>
                {task.name}
              </span>
            ),
          },
          { id: "type", head: "Type", width: 120, narrow: "status", cell: (task: FlowTask) => task.type },
          {
            id: "after",
            head: "After",
            cell: (task: FlowTask) => (
              <span className="clip block muted" title={task.after?.join(", ")}>
                {task.after?.join(", ") || "at once"}
              </span>
            ),
          },
          {
            id: "rule",
            head: "Begins when",
            width: 150,
            cell: (task: FlowTask) => (
              <span className="clip block muted">{(task.rule ?? "all_success").replaceAll("_", " ")}</span>
            ),
          },
          {
            id: "summary",
            head: "Does",
            narrow: "figure",
            cell: (task: FlowTask) => (
              <span className="clip block" title={task.summary}>
                {task.summary}
              </span>
            ),
          },
        ]}
        rows={tasks}
        keyOf={(task) => task.name}
      />
      <p className="small muted num">{formatExact(tasks.length)} tasks</p>
    </>
  );
}
