import { describe, expect, it } from "vitest";
import type { LogPage, TaskInfo } from "../api/types";
import { ranksOf } from "../pages/lineage/layout";
import { parseRaw, typedLike } from "../pages/quarantine";
import { entryOf, mergeStreams, startOf, streamEdits } from "../pages/streams";
import { foldSeries, guessChart, specOf } from "./chart_spec";
import { countDiff, parseDiff } from "./diff";
import { rowsOf, slowestPath } from "./gantt";
import { kPiece, kPiecesMax, LogWindow } from "./log_window";
import { isCron, wordsOf } from "./schedule";
import { nextSort, parseSort, sortRows } from "./table";
import { barsOf } from "./timeline";
import { writeYaml } from "./yaml_write";

describe("a diff", () => {
  const diff =
    "--- a/x.yml\n+++ b/x.yml\n@@ -3,4 +3,5 @@\n same\n--- removed that looks like a head\n+added\n+\n last\n";
  it("tells lines and their numbers", () => {
    expect(countDiff(diff)).toEqual({ added: 2, removed: 1 });
    expect(parseDiff(diff).map((line) => [line.kind, line.before, line.after, line.text])).toEqual([
      ["hunk", null, null, "@@ -3,4 +3,5 @@"],
      ["same", 3, 3, "same"],
      ["remove", 4, null, "-- removed that looks like a head"],
      ["add", null, 4, "added"],
      ["add", null, 5, ""],
      ["same", 5, 6, "last"],
    ]);
  });
});

describe("the timeline", () => {
  const at = (minute: number) => new Date(minute * 60_000).toISOString();
  it("draws runs of the range, and joins those that cannot be told apart by the worst of them", () => {
    const runs = [
      { id: "before", state: "failed" as const, began: at(-20), ended: at(-10) },
      { id: "a", state: "succeeded" as const, began: at(0), ended: at(5) },
      { id: "b", state: "failed" as const, began: at(4), ended: at(6) },
      { id: "c", state: "running" as const, began: at(50), ended: null },
    ];
    const bars = barsOf(runs, 0, 60 * 60_000);
    expect(bars.map((bar) => [bar.id, bar.state, bar.runs])).toEqual([
      ["b", "failed", 2],
      ["c", "running", 1],
    ]);
    expect(bars[1]!.to).toBe(1);
  });
  it("never draws more bars than there is room for", () => {
    const runs = Array.from({ length: 5000 }, (_, i) => ({
      id: String(i),
      state: "succeeded" as const,
      began: new Date(i * 17_000).toISOString(),
      ended: new Date(i * 17_000 + 1000).toISOString(),
    }));
    expect(barsOf(runs, 0, 24 * 3_600_000).length).toBeLessThanOrEqual(72);
  });
});

describe("the chart of tasks", () => {
  const task = (name: string, more: Partial<TaskInfo> = {}): TaskInfo => ({
    name,
    type: "models",
    state: "succeeded",
    attempt: 1,
    ...more,
  });
  it("folds siblings from twenty on, but never what failed or runs", () => {
    const tasks = [
      task("load", { type: "pipeline" }),
      ...Array.from({ length: 25 }, (_, i) =>
        task(`m${i}`, i === 7 ? { state: "failed" } : i === 9 ? { state: "running" } : {}),
      ),
    ];
    const rows = rowsOf(tasks, new Set());
    expect(rows.map((row) => (row.kind === "group" ? `group of ${row.tasks.length}` : row.task.name))).toEqual([
      "load",
      "group of 25",
      "m7",
      "m9",
    ]);
    expect(rowsOf(tasks, new Set(["models"]))).toHaveLength(27);
    expect(rowsOf(tasks.slice(0, 20), new Set()).every((row) => row.kind === "task")).toBe(true);
  });
  it("finds the slowest path, and ends in a circle", () => {
    const time = (second: number) => new Date(second * 1000).toISOString();
    const tasks = [
      task("a", { ended: time(10) }),
      task("b", { ended: time(30) }),
      task("c", { after: ["a", "b"], ended: time(40) }),
      task("d", { after: ["a"], ended: time(20) }),
    ];
    expect([...slowestPath(tasks)]).toEqual(["c", "b"]);
    expect(
      slowestPath([task("x", { after: ["y"], ended: time(2) }), task("y", { after: ["x"], ended: time(1) })]).size,
    ).toBe(2);
  });
});

describe("a log", () => {
  const total = 18_211;
  const asked: number[] = [];
  const read = async (first: number, count: number): Promise<LogPage> => {
    asked.push(first);
    const from = first < 0 ? Math.max(1, total + first + 1) : first;
    return {
      lines: Array.from({ length: Math.min(count, total - from + 1) }, (_, i) => ({
        n: from + i,
        text: `line ${from + i}`,
      })),
      total,
      complete: true,
    };
  };
  it("opens at its end, and fetches what is looked at, once", async () => {
    const log = new LogWindow(read);
    await log.loadTail();
    expect(log.line(total)?.text).toBe(`line ${total}`);
    expect(log.line(1)).toBeUndefined();
    asked.length = 0;
    log.want(1, 40);
    log.want(1, 40);
    await new Promise((done) => setTimeout(done));
    expect(asked).toEqual([1]);
    expect(log.line(40)?.text).toBe("line 40");
    log.want(1, 40);
    expect(asked).toEqual([1]);
  });
  it("keeps no more lines than it may, whatever was looked at", async () => {
    const log = new LogWindow(async (first, count) => ({
      lines: Array.from({ length: count }, (_, i) => ({ n: first + i, text: "x" })),
      total: 1_000_000,
      complete: false,
    }));
    for (let piece = 0; piece < 100; piece++) {
      log.want(piece * kPiece + 1, piece * kPiece + 1);
      await new Promise((done) => setTimeout(done));
    }
    expect(log.pieceCount).toBeLessThanOrEqual(kPiecesMax);
    expect(log.line(99 * kPiece + 1)).toBeTruthy();
    expect(log.line(1)).toBeUndefined();
  });
  it("never shrinks, in whatever order news arrive", () => {
    const log = new LogWindow(read);
    log.grow(10);
    log.grow(7);
    expect(log.total).toBe(10);
  });
});

describe("streams", () => {
  const found = [
    { name: "orders", modes: ["full_refresh", "incremental"], cursor_field: "updated_at" },
    { name: "new_one", modes: ["full_refresh"] },
  ];
  const loaded = new Map([
    ["orders", { mode: "incremental", contract: "freeze" }],
    ["gone", { mode: "full_refresh", contract: "evolve" }],
  ]);
  it("looked for anew, stay picked as they were", () => {
    const rows = mergeStreams(found, loaded, new Map());
    expect(rows.map((row) => [row.name, row.choice?.contract ?? null, row.found !== null])).toEqual([
      ["orders", "freeze", true],
      ["new_one", null, true],
      ["gone", "evolve", false],
    ]);
    expect(streamEdits(rows)).toEqual([]);
  });
  it("become edits of the lines that change", () => {
    const choices = new Map([
      ["orders", { mode: "full_refresh", contract: "freeze" }],
      ["new_one", startOf(found[1]!)],
      ["gone", null],
    ]);
    expect(streamEdits(mergeStreams(found, loaded, choices as never))).toEqual([
      { path: ["streams", "orders", "mode"], op: "set", value: "full_refresh" },
      { path: ["streams", "new_one"], op: "add", value: { mode: "full_refresh" } },
      { path: ["streams", "gone"], op: "remove" },
    ]);
  });
  it("begin as incremental only where there is a cursor", () => {
    expect(startOf(found[0]!).mode).toBe("incremental");
    expect(startOf(found[1]!).mode).toBe("full_refresh");
    expect(entryOf({ mode: "incremental", contract: "freeze", options: { path: "/x" } })).toEqual({
      mode: "incremental",
      contract: "freeze",
      path: "/x",
    });
  });
});

describe("charts", () => {
  const columns = [
    { name: "day", type: "DATE" },
    { name: "a.b[c]", type: "VARCHAR" },
    { name: "revenue", type: "DECIMAL(12,2)" },
  ];
  it("are guessed from the columns", () => {
    expect(guessChart(columns)).toEqual({ mark: "line", x: "day", y: "revenue", color: "a.b[c]" });
    expect(guessChart(columns.slice(1))).toMatchObject({ mark: "bar", x: "a.b[c]" });
    expect(guessChart(columns.slice(0, 2))).toBeNull();
  });
  it("are only data: no addresses, no signals, no field that is a path", () => {
    const spec = JSON.stringify(
      specOf(
        guessChart(columns)!,
        columns,
        [
          ["2026-01-01", "x", "1.5"],
          ["2026-01-02", null, null],
        ],
        true,
        600,
      ),
    );
    expect(spec).not.toMatch(/"url"|"signal"|"expr"/);
    expect(spec).toContain('"f1":1.5');
    expect(spec).not.toContain('"field":"a.b[c]"');
  });
  it("have six series at most", () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ s: `s${i % 20}`, y: i % 20 }));
    expect(new Set(foldSeries(rows, "s", "y").map((row) => row.s)).size).toBe(6);
  });
});

describe("small things", () => {
  it("YAML of a new file reads back as what it was", () => {
    expect(
      writeYaml({
        source: "crm",
        schema: undefined,
        schedule: "0 * * * *",
        streams: {
          posts: { path: "/posts", params: { a: "yes", "b:c": "1" }, keys: ["id", "on"], none: {}, list: [{ a: 1 }] },
        },
      }),
    ).toBe(
      'source: crm\nschedule: "0 * * * *"\nstreams:\n  posts:\n    path: /posts\n    params:\n      a: "yes"\n      "b:c": "1"\n    keys: [id, "on"]\n    none: {}\n    list:\n      - a: 1\n',
    );
  });
  it("cron in words", () => {
    expect(wordsOf("0 6 * * 1")).toContain("Monday");
    expect(isCron("61 * * * *")).toBe(false);
    expect(isCron("*/15 * * * *")).toBe(true);
  });
  it("rows sort with the unknown last", () => {
    const rows = [{ v: 2 }, { v: null }, { v: 10 }];
    expect(sortRows(rows, parseSort("-v"), (row) => row.v).map((row) => row.v)).toEqual([10, 2, null]);
    expect(sortRows(rows, parseSort("v"), (row) => row.v).map((row) => row.v)).toEqual([2, 10, null]);
    expect(nextSort(parseSort("-v"), "v")).toBe("v");
  });
  it("what is typed into a row keeps its type", () => {
    expect(typedLike(1e9, "12.5")).toBe(12.5);
    expect(typedLike(1e9, "n/a")).toBe("n/a");
    expect(typedLike("7", "8")).toBe("8");
    expect(typedLike(true, "false")).toBe(false);
    expect(typedLike("x", "null")).toBeNull();
    expect(parseRaw("[1]")).toBeNull();
    expect(parseRaw('{"a":1}')).toEqual({ a: 1 });
  });
  it("a graph has places without a worker, and with a circle", () => {
    const places = ranksOf({
      nodes: ["a", "b", "c"].map((id) => ({ id, width: 10, height: 10 })),
      edges: [
        { from: "a", to: "b" },
        { from: "b", to: "c" },
        { from: "c", to: "a" },
      ],
    });
    expect(Object.keys(places)).toHaveLength(3);
  });
});
