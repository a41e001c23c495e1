// Live events and the cache of queries: events patch what they name; sums are fetched again, at most once a second.
import type { QueryClient } from "@tanstack/react-query";
import type { StreamEvent } from "./event_stream";
import {
  applyRun,
  applyStep,
  applyTask,
  applyToList,
  type Marks,
  type RunEvent,
  type StepEvent,
  type TaskEvent,
} from "./patch";
import type { Page, RunDetail, RunSummary } from "./types";

export interface LogEvent {
  run: string;
  task: string;
  attempt: number;
  lines_total: number;
}

export class LiveCache {
  private readonly marks = new Map<string, Marks>();
  private readonly pending = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly logListeners = new Set<(event: LogEvent) => void>();

  constructor(private readonly client: QueryClient) {}

  onLog(listener: (event: LogEvent) => void): () => void {
    this.logListeners.add(listener);
    return () => this.logListeners.delete(listener);
  }

  take(events: StreamEvent[]): void {
    for (const event of events) {
      let data: unknown;
      try {
        data = JSON.parse(event.data);
      } catch {
        continue; // A line that is no JSON is no event of ours.
      }
      this.one(event.name, data, event.id);
    }
  }

  private marksOf(key: string): Marks {
    let marks = this.marks.get(key);
    if (!marks) {
      marks = new Map();
      this.marks.set(key, marks);
    }
    return marks;
  }

  private one(name: string, data: unknown, id: string): void {
    switch (name) {
      case "run":
        this.run(withSeq(data as RunEvent, id));
        return;
      case "task": {
        const event = withSeq(data as TaskEvent, id);
        this.patchRun(event.run, (detail, marks) => applyTask(detail, event, marks));
        return;
      }
      case "step": {
        const event = withSeq(data as StepEvent, id);
        this.patchRun(event.run, (detail, marks) => applyStep(detail, event, marks));
        return;
      }
      case "log":
        for (const listener of this.logListeners) listener(data as LogEvent);
        return;
      case "alerts":
        this.later("alerts", "anomalies", "overview");
        return;
      case "flow":
        this.later("flows", "flow", "overview", "pipelines");
        return;
      case "project":
        this.later(
          "me",
          "flows",
          "flow",
          "connections",
          "connection",
          "pipelines",
          "pipeline",
          "file",
          "lineage",
          "checks",
          "tables",
        );
        return;
      case "resync":
        this.marks.clear();
        void this.client.invalidateQueries();
        return;
      case "gap":
        this.later("run", "runs");
    }
  }

  private run(event: RunEvent): void {
    this.patchRun(event.run.id, (detail, marks) => applyRun(detail, event, marks));
    for (const query of this.client.getQueryCache().findAll({ queryKey: ["runs"] })) {
      const filter = (query.queryKey[1] ?? {}) as Record<string, unknown>;
      this.client.setQueryData<Page<RunSummary>>(query.queryKey, (page) =>
        page ? applyToList(page, event, this.marksOf(query.queryHash), (run) => fits(run, filter)) : page,
      );
    }
    this.later("overview", "flows", "flow", "pipelines", "pipeline", "quarantine", "checks");
  }

  private patchRun(id: string, change: (detail: RunDetail, marks: Marks) => RunDetail): void {
    this.client.setQueryData<RunDetail>(["run", id], (detail) =>
      detail ? change(detail, this.marksOf(`run ${id}`)) : detail,
    );
  }

  private later(...keys: string[]): void {
    for (const key of keys) this.pending.add(key);
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const due = [...this.pending];
      this.pending.clear();
      for (const key of due) void this.client.invalidateQueries({ queryKey: [key] });
    }, 1000);
  }
}

// The number may stand in the event's id alone.
function withSeq<T extends { seq?: string }>(event: T, id: string): T & { seq: string } {
  const own = event.seq;
  return { ...event, seq: typeof own === "string" && own !== "" ? own : id };
}

// Whether a run that a list does not have yet belongs to it; where only the server can tell, it does not.
export function fits(run: RunSummary, filter: Record<string, unknown>): boolean {
  if (filter.after || filter.q || filter.until) return false;
  if (filter.flow && filter.flow !== run.flow) return false;
  if (filter.type && filter.type !== run.type) return false;
  if (filter.state && !String(filter.state).split(",").includes(run.state)) return false;
  return true;
}
