// What live events do to answers that pages hold already. Order is by sequence number, never by clock or arrival: what
// came late changes nothing, so a task that has ended never shows as running again.
import type { Page, RunDetail, RunState, RunSummary, Step, TaskCounts, TaskInfo, TaskState } from "./types";

export interface RunEvent {
  seq: string;
  run: RunSummary;
}
export interface TaskEvent {
  seq: string;
  run: string;
  task: TaskInfo;
}
export interface StepEvent {
  seq: string;
  run: string;
  task: string;
  attempt: number;
  step: Step;
}

// Parts of "<epoch>-<seq>". Numbers of different epochs cannot be compared: a server that was started anew says
// `resync`, and pages fetch again.
export function parseSeq(text: string | undefined | null): { epoch: string; number: number } | null {
  if (!text) return null;
  const dash = text.lastIndexOf("-");
  const number = Number(text.slice(dash + 1));
  if (!Number.isFinite(number) || text.slice(dash + 1) === "") return null;
  return { epoch: dash < 0 ? "" : text.slice(0, dash), number };
}

// Whether what has `candidate` is newer than what has `held`. Unknown numbers count as older than all.
export function isNewer(candidate: string | undefined | null, held: string | undefined | null): boolean {
  const a = parseSeq(candidate);
  const b = parseSeq(held);
  if (!a) return false;
  if (!b) return true;
  if (a.epoch !== b.epoch) return true;
  return a.number > b.number;
}

const kRunEnds: readonly RunState[] = ["succeeded", "warned", "failed", "killed", "skipped"];
const kTaskEnds: readonly TaskState[] = [
  "succeeded",
  "warned",
  "failed",
  "timed_out",
  "killed",
  "upstream_failed",
  "skipped",
];
export const isRunEnd = (state: RunState): boolean => kRunEnds.includes(state);
export const isTaskEnd = (state: TaskState): boolean => kTaskEnds.includes(state);

// Which part of an answer is true for which number; beside the answer, since parts move one by one.
export type Marks = Map<string, string>;

function passes(marks: Marks, key: string, seq: string, snapshot: string | undefined): boolean {
  const mark = marks.get(key);
  if (!parseSeq(seq)) return false;
  if (mark && !isNewer(seq, mark)) return false;
  if (snapshot && !isNewer(seq, snapshot)) return false;
  marks.set(key, seq);
  return true;
}

// A task that has several streams counts what its steps say as long as it has no total of its own.
function withStep(task: TaskInfo, step: Step): TaskInfo {
  const steps = task.steps ?? [];
  const at = steps.findIndex((other) => other.name === step.name);
  return { ...task, steps: at < 0 ? [...steps, step] : steps.map((other, i) => (i === at ? step : other)) };
}

export function applyTask(detail: RunDetail, event: TaskEvent, marks: Marks): RunDetail {
  if (event.run !== detail.id || !passes(marks, `task ${event.task.name}`, event.seq, detail.seq)) return detail;
  const tasks = detail.task_list ?? [];
  const at = tasks.findIndex((task) => task.name === event.task.name);
  const held = at < 0 ? undefined : tasks[at];
  // An event may leave out what does not change.
  const next: TaskInfo = { ...held, ...event.task };
  if (held?.steps && !event.task.steps) next.steps = held.attempt === next.attempt ? held.steps : [];
  const list = at < 0 ? [...tasks, next] : tasks.map((task, i) => (i === at ? next : task));
  return { ...detail, task_list: list, tasks: countTasks(list) };
}

export function applyStep(detail: RunDetail, event: StepEvent, marks: Marks): RunDetail {
  if (event.run !== detail.id) return detail;
  const key = `step ${event.task} ${event.attempt} ${event.step.name}`;
  const tasks = detail.task_list ?? [];
  const task = tasks.find((other) => other.name === event.task);
  if (!task || event.attempt < task.attempt || !passes(marks, key, event.seq, detail.seq)) return detail;
  return { ...detail, task_list: tasks.map((other) => (other === task ? withStep(task, event.step) : other)) };
}

export function applyRun(detail: RunDetail, event: RunEvent, marks: Marks): RunDetail {
  if (event.run.id !== detail.id || !passes(marks, "run", event.seq, detail.seq)) return detail;
  // The tasks that are held are newer than counts that stood in the event, or come with events of their own.
  const { tasks, task_list: _none, ...rest } = event.run as RunSummary & { task_list?: unknown };
  const list = detail.task_list ?? [];
  return { ...detail, ...rest, tasks: list.length > 0 ? countTasks(list) : (tasks ?? detail.tasks) };
}

// A list keeps its order and its length: runs that are new are put on top only where the list has no filter.
export function applyToList(
  page: Page<RunSummary>,
  event: RunEvent,
  marks: Marks,
  takesNew: (run: RunSummary) => boolean,
): Page<RunSummary> {
  const at = page.items.findIndex((run) => run.id === event.run.id);
  if (at < 0 && !takesNew(event.run)) return page;
  if (!passes(marks, `run ${event.run.id}`, event.seq, undefined)) return page;
  if (at < 0) return { ...page, items: [event.run, ...page.items] };
  return { ...page, items: page.items.map((run, i) => (i === at ? { ...run, ...event.run } : run)) };
}

export function countTasks(tasks: TaskInfo[]): TaskCounts {
  const counts: TaskCounts = {
    total: tasks.length,
    succeeded: 0,
    warned: 0,
    failed: 0,
    running: 0,
    waiting: 0,
    skipped: 0,
  };
  for (const task of tasks) {
    switch (task.state) {
      case "succeeded":
        counts.succeeded++;
        break;
      case "warned":
        counts.warned++;
        break;
      case "failed":
      case "timed_out":
      case "killed":
      case "upstream_failed":
        counts.failed++;
        break;
      case "running":
      case "retrying":
        counts.running++;
        break;
      case "skipped":
        counts.skipped++;
        break;
      default:
        counts.waiting++;
    }
  }
  return counts;
}
