// One run: the cause first, then its tasks in time, then the log of the one that was chosen. None waits for another.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useMemo, useState } from "react";
import { isRunEnd, isTaskEnd } from "../api/patch";
import { runDefinition, runHistory, run as runQuery, runs } from "../api/queries";
import type { RunDetail, Step, TaskInfo } from "../api/types";
import { useApprove, useCancel, useMark, useRerun } from "../app/acts";
import { liveCache, useTopics } from "../app/live_context";
import { useWhyNot } from "../app/session";
import { at, atTable, useGo, useUrl } from "../app/url";
import { CodeEditor } from "../kit/code_editor";
import { Button, Dialog, Go, Menu, SearchInput, Segmented, Tabs } from "../kit/controls";
import { formatBytes, formatCount, formatDuration, formatExact, msBetween, plural } from "../kit/format";
import { Gantt, type GanttFilter, inFilter } from "../kit/gantt";
import { LogView } from "../kit/log_view";
import { Facts, PageHead } from "../kit/page";
import { Empty, ErrorBox, Message, QueryView } from "../kit/states";
import { Status, StatusChip, StatusShape } from "../kit/status";
import { DataTable, type TableColumn, useNarrow } from "../kit/table";
import { Ago, Stamp, Took } from "../kit/time";
import { shortId } from "./runs";

export function RunPage() {
  const { run: id } = useParams({ strict: false }) as { run: string };
  const query = useQuery(runQuery(id));
  useTopics([`run:${id}`]);
  return (
    <>
      <QueryView query={query} what={`read run ${id}`} title={`Run ${id}`}>
        {(run) => <Content run={run} />}
      </QueryView>
      {query.isError && query.data === undefined && (
        <p className="small muted pad">
          Runs are removed when their time is over. <Go target={at.runs()}>All runs</Go>
        </p>
      )}
    </>
  );
}

function chosenTask(tasks: TaskInfo[], named: string | undefined): TaskInfo | undefined {
  return (
    tasks.find((task) => task.name === named) ??
    tasks.find((task) => task.state === "failed" || task.state === "timed_out") ??
    tasks.find((task) => task.state === "running" || task.state === "retrying") ??
    tasks.find((task) => task.state === "warned") ??
    tasks[0]
  );
}

function Content({ run }: { run: RunDetail }) {
  const [url, setUrl] = useUrl();
  const tasks = run.task_list ?? [];
  const task = chosenTask(tasks, url.task);
  const tab = url.tab ?? "tasks";
  const tabs: [string, string][] = [
    ["tasks", "Tasks"],
    ["history", "History"],
    ["definition", run.definition_changed ? "Definition (changed since)" : "Definition"],
  ];
  return (
    <>
      <Head run={run} />
      <Tabs
        label="Parts of the run"
        items={tabs.map(([name, text]) => ({
          text,
          active: tab === name,
          target: at.run(run.id, { tab: name === "tasks" ? undefined : name }),
        }))}
      />
      {tab === "tasks" && (
        <>
          <TaskChart
            run={run}
            tasks={tasks}
            chosen={task?.name}
            onSelect={(name) => setUrl({ task: name, attempt: null, line: null })}
          />
          {task && <TaskPanel key={task.name} run={run} task={task} />}
        </>
      )}
      {tab === "history" && <History id={run.id} />}
      {tab === "definition" && <Definition id={run.id} />}
    </>
  );
}

const kTypes: Record<string, string> = {
  scheduled: "by its schedule",
  manual: "by hand",
  backfill: "as a backfill",
  event: "by an event",
};

function Head({ run }: { run: RunDetail }) {
  const rerun = useRerun();
  const cancel = useCancel();
  const [asks, setAsks] = useState(false);
  const why = useWhyNot("operator", "run it");
  const go = useGo();
  const others = useQuery(runs({ flow: run.flow, limit: 50 }));
  const list = others.data?.items ?? [];
  const here = list.findIndex((other) => other.id === run.id);
  const newer = here > 0 ? list[here - 1] : undefined;
  const older = here >= 0 ? list[here + 1] : undefined;
  const ended = isRunEnd(run.state);
  const failed = run.state === "failed" || run.state === "killed";
  const counts = run.tasks;
  return (
    <PageHead
      name={`${run.flow} ${shortId(run.id)}`}
      title={
        <>
          <Go target={at.flow(run.flow)} className="quiet">
            {run.flow}
          </Go>{" "}
          <span className="mono muted run-id">{run.id}</span>
        </>
      }
      verdict={<StatusChip state={run.state} />}
      actions={
        <>
          <span className="row pager">
            <Button
              small
              kind="ghost"
              aria-label="Previous run"
              data-key="["
              why={!older && here >= 0 && "There is no older run."}
              onClick={() => older && go(at.run(older.id))}
            >
              <ChevronLeft size={16} aria-hidden="true" />
            </Button>
            <Button
              small
              kind="ghost"
              aria-label="Next run"
              data-key="]"
              why={!newer && here >= 0 && "This is the newest run."}
              onClick={() => newer && go(at.run(newer.id))}
            >
              <ChevronRight size={16} aria-hidden="true" />
            </Button>
          </span>
          {ended && (
            <Button
              kind={failed ? "primary" : "plain"}
              why={why}
              busy={rerun.isPending}
              onClick={() =>
                rerun.mutate({
                  run: run.id,
                  tasks:
                    failed || run.state === "warned"
                      ? undefined
                      : (run.task_list ?? [])
                          .filter((task) => (task.after ?? []).length === 0)
                          .map((task) => task.name),
                })
              }
            >
              {failed ? "Rerun what failed" : "Run again"}
            </Button>
          )}
          {!ended && (
            <Button why={why} busy={cancel.isPending} onClick={() => setAsks(true)}>
              Cancel run
            </Button>
          )}
        </>
      }
    >
      {run.cause && (
        <div className="notice fail cause">
          <StatusShape state="failed" size={16} />
          <div className="grow">
            <Message text={run.cause.text}>
              <Go target={at.run(run.id, { task: run.cause.task })} className="strong quiet">
                {run.cause.task}
              </Go>
              :{" "}
            </Message>
            {run.cause.advice && (
              <p className="wrap-any">
                <span className="muted">What to do: </span>
                {run.cause.advice}
              </p>
            )}
          </div>
        </div>
      )}
      {!run.cause && run.why && !ended && <p className="muted">{run.why}</p>}
      <Facts
        items={[
          [
            "Begun",
            <>
              {run.type === "manual" && run.actor ? `by ${run.actor}` : (kTypes[run.type] ?? run.type)},{" "}
              <Stamp key="at" at={run.began ?? run.created} />
            </>,
          ],
          ["Took", <Took key="took" from={run.began} to={run.ended ?? (ended ? run.began : null)} />],
          [
            "Tasks",
            counts
              ? `${formatExact(counts.succeeded + counts.warned)} of ${formatExact(counts.total)} done${counts.failed ? `, ${formatExact(counts.failed)} failed` : ""}${counts.skipped ? `, ${formatExact(counts.skipped)} skipped` : ""}`
              : "–",
          ],
          [
            "Rows",
            <span key="rows" className="num" title={run.rows != null ? formatExact(run.rows) : undefined}>
              {formatCount(totalOf(run, "rows"))}
            </span>,
          ],
          ["Bytes", formatBytes(totalOf(run, "bytes"))],
          [
            "In quarantine",
            totalOf(run, "quarantined") ? (
              <Go key="q" target={at.quarantine(quarantinedOf(run))}>
                {plural(totalOf(run, "quarantined") ?? 0, "row")}
              </Go>
            ) : (
              "none"
            ),
          ],
          ...(run.about && run.about.begin !== run.about.end
            ? ([
                [
                  "About",
                  <span key="about" className="nowrap">
                    <Stamp at={run.about.begin} seconds={false} /> – <Stamp at={run.about.end} seconds={false} />
                  </span>,
                ],
              ] as [string, React.ReactNode][])
            : []),
        ]}
      />
      {asks && (
        <Dialog
          title="Cancel this run?"
          onClose={() => setAsks(false)}
          footer={
            <>
              <Button kind="ghost" onClick={() => setAsks(false)}>
                Let it run
              </Button>
              <Button
                kind="danger"
                onClick={() => {
                  cancel.mutate(run.id);
                  setAsks(false);
                }}
              >
                Cancel run of {run.flow}
              </Button>
            </>
          }
        >
          <p>
            Tasks that run are told to stop; rows they have committed stay. Those that wait do not begin. It can be run
            again from where it stopped.
          </p>
        </Dialog>
      )}
    </PageHead>
  );
}

function totalOf(run: RunDetail, what: "rows" | "bytes" | "quarantined"): number | null {
  const tasks = (run.task_list ?? []).map((task) => {
    const own = task[what];
    if (own !== null && own !== undefined) return own;
    const key = what === "rows" ? "rows_written" : what === "bytes" ? "bytes" : "rows_quarantined";
    const steps = (task.steps ?? [])
      .map((step) => step[key])
      .filter((value): value is number => typeof value === "number");
    return steps.length ? steps.reduce((sum, value) => sum + value, 0) : null;
  });
  const known = tasks.filter((value): value is number => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : (run[what] ?? null);
}

function TaskChart({
  run,
  tasks,
  chosen,
  onSelect,
}: {
  run: RunDetail;
  tasks: TaskInfo[];
  chosen: string | undefined;
  onSelect: (task: string) => void;
}) {
  const [url, setUrl] = useUrl();
  const [filter, setFilter] = useState<GanttFilter>("all");
  const narrow = useNarrow();
  const q = (url.q ?? "").toLowerCase();
  const shown = useMemo(
    () => tasks.filter((task) => inFilter(task, filter) && (q === "" || task.name.toLowerCase().includes(q))),
    [tasks, filter, q],
  );
  const count = (of: GanttFilter) => tasks.filter((task) => inFilter(task, of)).length;
  const asList = narrow || url.view === "list";
  if (tasks.length === 0)
    return <Empty title="This run has no tasks yet.">They are listed as soon as the run begins.</Empty>;
  return (
    <section className="section">
      <div className="section-head">
        <Segmented
          label="Which tasks"
          value={filter}
          onChange={setFilter}
          options={[
            { value: "all", label: `All ${formatExact(tasks.length)}` },
            { value: "running", label: `Running ${formatExact(count("running"))}` },
            { value: "failed", label: `Failed ${formatExact(count("failed"))}` },
            { value: "waiting", label: `Waiting ${formatExact(count("waiting"))}` },
          ]}
        />
        <span className="grow" />
        {tasks.length > 10 && (
          <SearchInput
            label="Filter tasks"
            value={url.q ?? ""}
            onChange={(value) => setUrl({ q: value })}
            isPageFilter
          />
        )}
        {!narrow && (
          <Button small kind="ghost" aria-pressed={asList} onClick={() => setUrl({ view: asList ? null : "list" })}>
            {asList ? "As chart" : "As list"}
          </Button>
        )}
      </div>
      {shown.length === 0 ? (
        <p className="muted pad">No task is {filter === "all" ? "called like that" : filter}.</p>
      ) : asList ? (
        <TaskList tasks={shown} onSelect={onSelect} />
      ) : (
        <Gantt
          tasks={shown}
          created={run.began ?? run.created}
          running={!isRunEnd(run.state)}
          selected={chosen}
          onSelect={onSelect}
        />
      )}
    </section>
  );
}

function TaskList({ tasks, onSelect }: { tasks: TaskInfo[]; onSelect: (task: string) => void }) {
  const columns: TableColumn<TaskInfo>[] = [
    {
      id: "name",
      head: "Task",
      narrow: "main",
      cell: (task) => (
        <button type="button" className="link-button clip" onClick={() => onSelect(task.name)}>
          {task.name}
        </button>
      ),
    },
    { id: "type", head: "Type", width: 110, cell: (task) => task.type },
    { id: "state", head: "State", width: 150, narrow: "status", cell: (task) => <Status state={task.state} /> },
    { id: "attempt", head: "Try", width: 60, align: "right", cell: (task) => task.attempt },
    { id: "began", head: "Began", width: 150, align: "right", cell: (task) => <Stamp at={task.began} /> },
    {
      id: "took",
      head: "Took",
      width: 90,
      align: "right",
      narrow: "figure",
      cell: (task) => <Took from={task.began} to={task.ended ?? (isTaskEnd(task.state) ? task.began : null)} />,
    },
    { id: "rows", head: "Rows", width: 90, align: "right", narrow: "figure", cell: (task) => formatCount(task.rows) },
  ];
  return <DataTable label="Tasks" columns={columns} rows={tasks} keyOf={(task) => task.name} />;
}

function TaskPanel({ run, task }: { run: RunDetail; task: TaskInfo }) {
  const [url, setUrl] = useUrl();
  const attempts = task.attempts ?? [];
  const attempt = Number(url.attempt) || task.attempt || 1;
  const live = !isTaskEnd(task.state) && attempt === task.attempt;
  useTopics(live ? [`log:${run.id}/${task.name}/${attempt}`] : []);
  const approve = useApprove();
  const mark = useMark();
  const rerun = useRerun();
  const why = useWhyNot("operator", "change it");
  const ended = isTaskEnd(task.state);
  const source = useMemo(() => ({ run: run.id, task: task.name, attempt }), [run.id, task.name, attempt]);
  const onLog = useMemo(() => liveCache.onLog.bind(liveCache), []);
  return (
    <section className="section task-panel" aria-label={`Task ${task.name}`}>
      <div className="section-head">
        <div className="row wrap grow">
          <h2 className="wrap-any">{task.name}</h2>
          <Status state={task.state} />
          <span className="small muted">
            {task.type}
            {task.worker ? ` · on ${task.worker}` : ""}
            {task.comes_again ? (
              <>
                {" "}
                · tries again <Ago at={task.comes_again} />
              </>
            ) : (
              ""
            )}
          </span>
        </div>
        <div className="row wrap">
          {attempts.length > 1 && (
            <Segmented
              label="Try"
              value={String(attempt)}
              onChange={(value) => setUrl({ attempt: value, line: null })}
              options={attempts
                .slice(-6)
                .map((item) => ({ value: String(item.attempt), label: `Try ${item.attempt}` }))}
            />
          )}
          {task.state === "paused" && (
            <>
              <Button
                small
                kind="primary"
                why={why}
                busy={approve.isPending}
                onClick={() => approve.mutate({ run: run.id, task: task.name, yes: true })}
              >
                Approve {task.name}
              </Button>
              <Button small why={why} onClick={() => approve.mutate({ run: run.id, task: task.name, yes: false })}>
                Refuse
              </Button>
            </>
          )}
          <Menu
            label={`More for ${task.name}`}
            button="More"
            items={[
              {
                text: "Run again from here",
                onSelect: () => rerun.mutate({ run: run.id, tasks: [task.name] }),
                why: why ?? (!isRunEnd(run.state) && "the run has not ended"),
              },
              {
                text: "Mark as succeeded",
                onSelect: () => mark.mutate({ run: run.id, task: task.name, state: "succeeded" }),
                why: why ?? (task.state === "running" && "it runs"),
              },
              {
                text: "Mark as failed",
                onSelect: () => mark.mutate({ run: run.id, task: task.name, state: "failed" }),
                why: why ?? (task.state === "running" && "it runs"),
              },
              {
                text: "Mark as skipped",
                onSelect: () => mark.mutate({ run: run.id, task: task.name, state: "skipped" }),
                why: why ?? (task.state === "running" && "it runs"),
              },
            ]}
          />
        </div>
      </div>
      {task.why && !(run.cause?.task === task.name && run.cause.text === task.why) && (
        <div className="small">
          <Message text={task.why} />
        </div>
      )}
      {(task.steps ?? []).length > 0 && <Steps task={task} />}
      {task.began || attempts.length > 0 || ended ? (
        <LogView
          key={attempt}
          source={source}
          live={live}
          onLog={onLog}
          atLine={url.line ? Number(url.line) : undefined}
          onLine={(line) => setUrl({ line, task: task.name, attempt: String(attempt) })}
        />
      ) : (
        <p className="muted pad">
          Has not begun
          {(task.after ?? []).length > 0
            ? `: waits for ${(task.after ?? []).slice(0, 5).join(", ")}${(task.after ?? []).length > 5 ? ` and ${(task.after ?? []).length - 5} more` : ""}`
            : ""}
          .
        </p>
      )}
    </section>
  );
}

// A step of a load is called by its pipeline and stream, one of models by its kind, project and name.
const streamOf = (step: string) => {
  const dot = step.indexOf(".");
  return { pipeline: dot < 0 ? step : step.slice(0, dot), stream: dot < 0 ? undefined : step.slice(dot + 1) };
};
const kNodeName = /^(model|test|seed|snapshot|unit_test|operation|exposure|saved_query)\.[^.]+\.(.+)$/;

function quarantinedOf(run: RunDetail): { pipeline?: string } {
  const steps = (run.task_list ?? []).flatMap((task) => task.steps ?? []).filter((step) => step.rows_quarantined);
  const pipelines = new Set(steps.map((step) => streamOf(step.name).pipeline));
  return pipelines.size === 1 ? { pipeline: [...pipelines][0] } : {};
}

const kMoved: TableColumn<Step>[] = [
  {
    id: "read",
    head: "Read",
    width: 90,
    align: "right",
    cell: (step) => <span title={formatExact(step.rows_read)}>{formatCount(step.rows_read)}</span>,
  },
  {
    id: "written",
    head: "Written",
    width: 90,
    align: "right",
    narrow: "figure",
    cell: (step) => <span title={formatExact(step.rows_written)}>{formatCount(step.rows_written)}</span>,
  },
  {
    id: "quarantined",
    head: "Quarantined",
    width: 100,
    align: "right",
    narrow: "figure",
    cell: (step) =>
      step.rows_quarantined ? (
        <Go target={at.quarantine(streamOf(step.name))}>{formatCount(step.rows_quarantined)}</Go>
      ) : (
        formatCount(step.rows_quarantined)
      ),
  },
  { id: "rate", head: "Rows/s", width: 80, align: "right", cell: (step) => <Rate step={step} /> },
];

function Steps({ task }: { task: TaskInfo }) {
  const steps = task.steps ?? [];
  // Models and tests move no rows through here.
  const moves = steps.some((step) => step.rows_read || step.rows_written || !kNodeName.test(step.name));
  const columns: TableColumn<Step>[] = [
    {
      id: "name",
      head: "Step",
      narrow: "main",
      width: moves ? undefined : "40%",
      cell: (step) => {
        const [, kind, node] = kNodeName.exec(step.name) ?? [];
        return (
          <span className="clip block" title={step.name}>
            <span className="strong">{node ?? step.name}</span>
            {kind && <span className="muted small"> {kind}</span>}
          </span>
        );
      },
    },
    { id: "state", head: "State", width: 120, narrow: "status", cell: (step) => <Status state={step.state} /> },
    {
      id: "table",
      head: "Table",
      cell: (step) =>
        step.table ? (
          <Go target={atTable(step.table)} className="clip block">
            {step.table}
          </Go>
        ) : (
          <span className="muted">–</span>
        ),
    },
    ...(moves ? kMoved : []),
    {
      id: "took",
      head: "Took",
      width: 80,
      align: "right",
      cell: (step) => <Took from={step.began} to={step.ended ?? (isTaskEnd(step.state) ? step.began : null)} />,
    },
    {
      id: "message",
      head: "Says",
      cell: (step) => (
        <span className="clip block muted" title={step.message}>
          {step.message}
        </span>
      ),
    },
  ];
  return (
    <DataTable
      label={`Steps of ${task.name}`}
      columns={columns}
      rows={steps}
      keyOf={(step) => step.name}
      height={steps.length > 8 ? "300px" : undefined}
    />
  );
}

function Rate({ step }: { step: { began?: string | null; ended?: string | null; rows_written?: number | null } }) {
  const ms = msBetween(step.began, step.ended ?? Date.now());
  if (!ms || ms < 200 || !step.rows_written) return <span className="muted">–</span>;
  return <>{formatCount(Math.round((step.rows_written / ms) * 1000))}</>;
}

function History({ id }: { id: string }) {
  const query = useQuery(runHistory(id));
  type Entry = NonNullable<typeof query.data>["items"][number];
  const columns: TableColumn<Entry & { key: string }>[] = [
    { id: "at", head: "At", width: 160, narrow: "figure", cell: (entry) => <Stamp at={entry.at} /> },
    {
      id: "task",
      head: "Task",
      narrow: "main",
      cell: (entry) => (
        <span className="clip block">
          {entry.task || "the run"}
          {entry.attempt && entry.attempt > 1 ? `, try ${entry.attempt}` : ""}
        </span>
      ),
    },
    { id: "to", head: "Became", width: 150, narrow: "status", cell: (entry) => <Status state={entry.to} /> },
    {
      id: "why",
      head: "Because",
      cell: (entry) => (
        <span className="clip block" title={entry.why}>
          {entry.why}
        </span>
      ),
    },
    { id: "actor", head: "By", width: 120, cell: (entry) => entry.actor || <span className="muted">shaduf</span> },
  ];
  return (
    <QueryView
      query={query}
      what="read the run's history"
      isEmpty={(page) => page.items.length === 0}
      empty={<Empty title="Nothing has happened to this run yet." />}
    >
      {(page) => (
        <DataTable
          label="History of the run"
          columns={columns}
          rows={page.items.map((entry, i) => ({ ...entry, key: String(i) }))}
          keyOf={(entry) => entry.key}
        />
      )}
    </QueryView>
  );
}

function Definition({ id }: { id: string }) {
  const query = useQuery(runDefinition(id));
  return (
    <QueryView query={query} what="read the definition">
      {(definition) => (
        <div className="two-columns">
          <div>
            <h2>
              As it ran
              {definition.revision && <span className="muted mono small"> {definition.revision.slice(0, 10)}</span>}
            </h2>
            <CodeEditor
              label="Definition as it ran"
              language="yaml"
              readOnly
              value={definition.text ?? "The server did not keep the text of this revision."}
              height="460px"
            />
          </div>
          {definition.current && definition.current !== definition.text && (
            <div>
              <h2>As it is now</h2>
              <CodeEditor
                label="Definition as it is now"
                language="yaml"
                readOnly
                value={definition.current}
                height="460px"
              />
            </div>
          )}
          {definition.current === null && (
            <ErrorBox compact error={new Error(`Flow ${definition.flow} is not in the project any more.`)} />
          )}
        </div>
      )}
    </QueryView>
  );
}

export const durationOf = (run: { began?: string | null; ended?: string | null }): string =>
  formatDuration(msBetween(run.began, run.ended));
