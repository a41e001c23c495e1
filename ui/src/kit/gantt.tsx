// A run's tasks in time, drawn from their summaries alone: it never waits for a log. Siblings from twenty on are folded.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { isTaskEnd } from "../api/patch";
import type { TaskInfo } from "../api/types";
import { formatDuration } from "./format";
import { lookOf, StatusShape } from "./status";
import { useNow } from "./time";

export type GanttFilter = "all" | "running" | "failed" | "waiting";
const kFoldFrom = 20;

export function inFilter(task: TaskInfo, filter: GanttFilter): boolean {
  switch (filter) {
    case "running":
      return task.state === "running" || task.state === "retrying";
    case "failed":
      return (
        task.state === "failed" ||
        task.state === "timed_out" ||
        task.state === "upstream_failed" ||
        task.state === "killed"
      );
    case "waiting":
      return !isTaskEnd(task.state) && task.state !== "running" && task.state !== "retrying";
    default:
      return true;
  }
}

// The tasks that made the run as long as it was: from the one that ended last, back by the one that ended last among
// those that it waited for.
export function slowestPath(tasks: TaskInfo[]): Set<string> {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const ended = (task: TaskInfo | undefined) => (task?.ended ? Date.parse(task.ended) : 0);
  let at = tasks.reduce<TaskInfo | undefined>((best, task) => (ended(task) > ended(best) ? task : best), undefined);
  const path = new Set<string>();
  while (at && !path.has(at.name)) {
    path.add(at.name);
    at = (at.after ?? []).reduce<TaskInfo | undefined>((best, name) => {
      const task = byName.get(name);
      return ended(task) > ended(best) ? task : best;
    }, undefined);
  }
  return path;
}

export type GanttRow =
  | { kind: "task"; task: TaskInfo; depth: number }
  | { kind: "group"; name: string; tasks: TaskInfo[]; open: boolean };

// Failed and running ones come before the fold, so that a group hides nothing that matters.
export function rowsOf(tasks: TaskInfo[], open: Set<string>): GanttRow[] {
  const groups = new Map<string, TaskInfo[]>();
  for (const task of tasks) groups.set(task.type, [...(groups.get(task.type) ?? []), task]);
  const rows: GanttRow[] = [];
  const done = new Set<string>();
  for (const task of tasks) {
    const group = groups.get(task.type) ?? [];
    if (group.length < kFoldFrom) {
      rows.push({ kind: "task", task, depth: 0 });
      continue;
    }
    if (done.has(task.type)) continue;
    done.add(task.type);
    const isOpen = open.has(task.type);
    rows.push({ kind: "group", name: task.type, tasks: group, open: isOpen });
    for (const member of group) {
      const matters = inFilter(member, "running") || member.state === "failed" || member.state === "timed_out";
      if (isOpen || matters) rows.push({ kind: "task", task: member, depth: 1 });
    }
  }
  return rows;
}

interface Span {
  begin: number;
  end: number;
}
function spanOf(tasks: TaskInfo[], created: string, now: number): Span {
  let begin = Date.parse(created);
  let end = begin + 1000;
  for (const task of tasks) {
    for (const time of [task.began, task.attempts?.[0]?.began]) {
      const at = Date.parse(time ?? "");
      if (!Number.isNaN(at)) begin = Math.min(begin, at);
    }
    const ended = Date.parse(task.ended ?? "");
    if (!Number.isNaN(ended)) end = Math.max(end, ended);
    if (task.began && !isTaskEnd(task.state)) end = Math.max(end, now);
  }
  return { begin, end };
}

function Bars({ task, span, now }: { task: TaskInfo; span: Span; now: number }) {
  const place = (at: number) =>
    `${(Math.max(0, Math.min(1, (at - span.begin) / (span.end - span.begin))) * 100).toFixed(3)}%`;
  const box = (from: number, to: number) => ({
    left: place(from),
    width: `max(3px, calc(${place(to)} - ${place(from)}))`,
  });
  const attempts =
    task.attempts && task.attempts.length > 0
      ? task.attempts
      : task.began
        ? [{ attempt: task.attempt, began: task.began, ended: task.ended, state: task.state }]
        : [];
  const first = Date.parse(attempts[0]?.began ?? "");
  const since = Date.parse(task.since ?? "");
  const queuedTo = Number.isNaN(first) ? (isTaskEnd(task.state) ? Number.NaN : now) : first;
  const shows = !Number.isNaN(since) && !Number.isNaN(queuedTo) && since < queuedTo;
  return (
    <>
      {shows && <span className="gantt-bar queued" style={box(since, queuedTo)} />}
      {attempts.map((attempt, i) => {
        const from = Date.parse(attempt.began ?? "");
        if (Number.isNaN(from)) return null;
        // The last try's state is the task's own: what came by a live event holds for both.
        const isLast = i === attempts.length - 1;
        const state = isLast && attempt.attempt === task.attempt ? task.state : attempt.state;
        const ended = attempt.ended ?? (isLast ? task.ended : null);
        const to = ended ? Date.parse(ended) : isTaskEnd(state) ? from : now;
        return (
          <span
            key={attempt.attempt}
            className={`gantt-bar tone-${lookOf(state).tone}`}
            data-mark={lookOf(state).tone === "fail" ? "×" : undefined}
            style={box(from, to)}
          />
        );
      })}
    </>
  );
}

function lengthOf(task: TaskInfo, now: number): number | null {
  if (!task.began) return null;
  return (
    (task.ended ? Date.parse(task.ended) : isTaskEnd(task.state) ? Date.parse(task.began) : now) -
    Date.parse(task.began)
  );
}

export function Gantt({
  tasks,
  created,
  running,
  selected,
  onSelect,
}: {
  tasks: TaskInfo[];
  created: string;
  running: boolean;
  selected: string | undefined;
  onSelect: (task: string) => void;
}) {
  const tick = useNow();
  const now = running ? tick : 0;
  const [open, setOpen] = useState<Set<string>>(new Set());
  const box = useRef<HTMLDivElement>(null);
  const path = useMemo(() => slowestPath(tasks), [tasks]);
  const rows = useMemo(() => rowsOf(tasks, open), [tasks, open]);
  const span = spanOf(tasks, created, now || Date.now());
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => 30,
    overscan: 10,
    initialRect: { width: 1000, height: 360 },
  });
  const marks = [0, 0.25, 0.5, 0.75, 1];
  return (
    <div className="gantt">
      <div className="gantt-axis" aria-hidden="true">
        <span />
        <div>
          {marks.map((mark) => (
            <span key={mark} style={{ left: `${mark * 100}%` }}>
              {mark === 0 ? "0" : formatDuration((span.end - span.begin) * mark)}
            </span>
          ))}
        </div>
        <span className="right">took</span>
      </div>
      <div className="gantt-body" ref={box} style={{ maxHeight: 360 }}>
        <ul aria-label="Tasks of the run" style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const style = { transform: `translateY(${item.start}px)`, height: item.size };
            if (row.kind === "group") {
              return (
                <li key={`g ${row.name}`} className="gantt-row" style={style}>
                  <GroupRow
                    row={row}
                    onToggle={() => {
                      const next = new Set(open);
                      if (!next.delete(row.name)) next.add(row.name);
                      setOpen(next);
                    }}
                  />
                </li>
              );
            }
            const task = row.task;
            const took = lengthOf(task, now || Date.now());
            return (
              <li key={task.name} className="gantt-row" style={style}>
                <button
                  type="button"
                  className="gantt-button"
                  aria-pressed={selected === task.name}
                  onClick={() => onSelect(task.name)}
                  data-depth={row.depth}
                >
                  <span className="row gantt-name">
                    <StatusShape state={task.state} size={13} />
                    <span className="clip" title={task.name}>
                      {task.name}
                    </span>
                    {path.has(task.name) && rows.length > 1 && !running && (
                      <span className="small muted nowrap" title="On the slowest path">
                        slowest path
                      </span>
                    )}
                    <span className="visually-hidden">{lookOf(task.state).word}</span>
                  </span>
                  <span className="gantt-track">
                    <Bars task={task} span={span} now={now || Date.now()} />
                  </span>
                  <span className="num small right gantt-took">
                    {task.attempt > 1 && <span className="muted">try {task.attempt} · </span>}
                    {formatDuration(took)}
                  </span>
                </button>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}

function GroupRow({ row, onToggle }: { row: Extract<GanttRow, { kind: "group" }>; onToggle: () => void }) {
  const counts = new Map<string, number>();
  for (const task of row.tasks) counts.set(task.state, (counts.get(task.state) ?? 0) + 1);
  return (
    <button type="button" className="gantt-button group" aria-expanded={row.open} onClick={onToggle}>
      <span className="row gantt-name">
        {row.open ? <ChevronDown size={14} aria-hidden="true" /> : <ChevronRight size={14} aria-hidden="true" />}
        <span className="clip">{row.name}</span>
        <span className="count num">{row.tasks.length}</span>
      </span>
      <span className="row gantt-counts small">
        {[...counts].map(([state, count]) => (
          <span key={state} className="row nowrap">
            <StatusShape state={state} size={12} />
            <span className="num">{count}</span> {lookOf(state).word.toLowerCase()}
          </span>
        ))}
      </span>
      <span />
    </button>
  );
}
