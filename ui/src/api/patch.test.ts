import { describe, expect, it } from "vitest";
import { numbers } from "../../mock/world";
import {
  applyRun,
  applyStep,
  applyTask,
  applyToList,
  isNewer,
  type Marks,
  type RunEvent,
  type StepEvent,
  type TaskEvent,
} from "./patch";
import { normalizeRun } from "./queries";
import type { Page, RunDetail, RunSummary } from "./types";

type Any = { kind: "run"; event: RunEvent } | { kind: "task"; event: TaskEvent } | { kind: "step"; event: StepEvent };

const begin: RunDetail = normalizeRun({
  id: "r1",
  flow: "shop",
  type: "manual",
  state: "queued",
  created: "2026-11-22T06:00:00Z",
  seq: "e-10",
  tasks: [
    { name: "load", type: "pipeline", state: "queued", attempt: 1 },
    { name: "models", type: "models", state: "waiting", attempt: 1 },
  ],
} as never);

const story: Any[] = [
  {
    kind: "run",
    event: { seq: "e-11", run: { ...begin, tasks: undefined, task_list: undefined, state: "running" } as never },
  },
  {
    kind: "task",
    event: { seq: "e-12", run: "r1", task: { name: "load", type: "pipeline", state: "running", attempt: 1 } },
  },
  {
    kind: "step",
    event: {
      seq: "e-13",
      run: "r1",
      task: "load",
      attempt: 1,
      step: { name: "orders", state: "running", rows_written: 10 },
    },
  },
  {
    kind: "step",
    event: {
      seq: "e-14",
      run: "r1",
      task: "load",
      attempt: 1,
      step: { name: "orders", state: "running", rows_written: 900 },
    },
  },
  {
    kind: "step",
    event: {
      seq: "e-15",
      run: "r1",
      task: "load",
      attempt: 1,
      step: { name: "orders", state: "succeeded", rows_written: 1200 },
    },
  },
  {
    kind: "task",
    event: { seq: "e-16", run: "r1", task: { name: "load", type: "pipeline", state: "succeeded", attempt: 1 } },
  },
  {
    kind: "task",
    event: { seq: "e-17", run: "r1", task: { name: "models", type: "models", state: "running", attempt: 1 } },
  },
  {
    kind: "task",
    event: {
      seq: "e-18",
      run: "r1",
      task: { name: "models", type: "models", state: "failed", attempt: 1, why: "bad column" },
    },
  },
  {
    kind: "run",
    event: {
      seq: "e-19",
      run: { id: "r1", flow: "shop", type: "manual", created: "2026-11-22T06:00:00Z", state: "failed" },
    },
  },
];

function play(events: Any[]): RunDetail {
  const marks: Marks = new Map();
  let detail = begin;
  for (const { kind, event } of events) {
    if (kind === "run") detail = applyRun(detail, event as RunEvent, marks);
    else if (kind === "task") detail = applyTask(detail, event as TaskEvent, marks);
    else detail = applyStep(detail, event as StepEvent, marks);
  }
  return detail;
}

describe("events of a run", () => {
  it("end the same in whatever order they arrive", () => {
    const expected = play(story);
    expect(expected.state).toBe("failed");
    expect(expected.task_list?.map((task) => task.state)).toEqual(["succeeded", "failed"]);
    expect(expected.task_list?.[0]?.steps?.[0]?.rows_written).toBe(1200);
    const random = numbers(42);
    for (let round = 0; round < 500; round++) {
      const shuffled = [...story];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      // Some come twice.
      const doubled = shuffled.flatMap((event) => (random() < 0.3 ? [event, event] : [event]));
      const detail = play(doubled);
      expect(detail.state).toBe("failed");
      expect(detail.task_list?.map((task) => task.state)).toEqual(["succeeded", "failed"]);
      expect(detail.task_list?.[0]?.steps).toEqual(expected.task_list?.[0]?.steps);
      expect(detail.tasks).toEqual(expected.tasks);
    }
  });

  it("that a snapshot contains already change nothing", () => {
    const old: TaskEvent = {
      seq: "e-9",
      run: "r1",
      task: { name: "load", type: "pipeline", state: "running", attempt: 1 },
    };
    expect(applyTask(begin, old, new Map())).toBe(begin);
  });

  it("of another run change nothing", () => {
    const other: TaskEvent = {
      seq: "e-99",
      run: "r2",
      task: { name: "load", type: "pipeline", state: "failed", attempt: 1 },
    };
    expect(applyTask(begin, other, new Map())).toBe(begin);
  });

  it("of an earlier try do not touch the steps of a later one", () => {
    const marks: Marks = new Map();
    const second = applyTask(
      begin,
      { seq: "e-20", run: "r1", task: { name: "load", type: "pipeline", state: "running", attempt: 2 } },
      marks,
    );
    const late = applyStep(
      second,
      { seq: "e-21", run: "r1", task: "load", attempt: 1, step: { name: "orders", state: "running" } },
      marks,
    );
    expect(late.task_list?.[0]?.steps ?? []).toEqual([]);
  });
});

describe("numbers of events", () => {
  it.each([
    ["e-10", "e-9", true],
    ["e-9", "e-10", false],
    ["e-10", "e-10", false],
    ["new-1", "old-99", true],
    ["a-b-3", "a-b-2", true],
    ["", "e-1", false],
    ["e-1", null, true],
    ["e-x", "e-1", false],
  ])("%s after %s: %s", (candidate, held, expected) => {
    expect(isNewer(candidate, held)).toBe(expected);
  });
});

describe("a list of runs", () => {
  const run = (id: string, state: RunSummary["state"]): RunSummary => ({
    id,
    flow: "shop",
    type: "manual",
    state,
    created: "2026-11-22T06:00:00Z",
  });
  const page: Page<RunSummary> = { items: [run("b", "running"), run("a", "succeeded")], next: null };
  it("takes new runs on top, and only those that belong to it", () => {
    const marks: Marks = new Map();
    expect(
      applyToList(page, { seq: "e-1", run: run("c", "queued") }, marks, () => true).items.map((item) => item.id),
    ).toEqual(["c", "b", "a"]);
    expect(applyToList(page, { seq: "e-1", run: run("c", "queued") }, new Map(), () => false)).toBe(page);
  });
  it("keeps the newest state", () => {
    const marks: Marks = new Map();
    const ended = applyToList(page, { seq: "e-5", run: run("b", "failed") }, marks, () => true);
    expect(applyToList(ended, { seq: "e-4", run: run("b", "running") }, marks, () => true).items[0]?.state).toBe(
      "failed",
    );
  });
});
