// A log of any length: only the lines in sight are in the document, and only those near them in memory.
import { useVirtualizer } from "@tanstack/react-virtual";
import Anser from "anser";
import { ArrowDownToLine, Download, WrapText } from "lucide-react";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { call, urlOf } from "../api/client";
import type { LogEvent } from "../api/live_cache";
import type { LogLine, LogPage } from "../api/types";
import { usePreferences } from "../app/preferences";
import { Button, SearchInput, Select } from "./controls";
import { formatBytes, formatClock, formatExact } from "./format";
import { LogWindow } from "./log_window";
import { ErrorBox, Skeleton, useDelayed } from "./states";
import { notify } from "./toast";

export interface LogSource {
  run: string;
  task: string;
  attempt: number;
}

const kColors: Record<string, string> = {
  "ansi-red": "var(--fail)",
  "ansi-green": "var(--ok)",
  "ansi-yellow": "var(--warn)",
  "ansi-blue": "var(--accent)",
  "ansi-cyan": "var(--accent)",
  "ansi-magenta": "var(--running)",
};

function LineText({ text }: { text: string }) {
  if (!text.includes("\u001b[")) return <>{text || " "}</>;
  return (
    <>
      {Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map((part, i) => (
        <span
          key={i}
          style={{
            color: kColors[part.fg?.replace("bright-", "") ?? ""],
            fontWeight: part.decoration === "bold" ? 600 : undefined,
          }}
        >
          {part.content}
        </span>
      ))}
    </>
  );
}

function Line({ line, number, utc }: { line: LogLine | undefined; number: number; utc: boolean }) {
  const ms = line?.at ? Date.parse(line.at) : Number.NaN;
  return (
    <>
      <span className="line-number num">{number}</span>
      <span className="log-time">{Number.isNaN(ms) ? "" : formatClock(ms, utc, true)}</span>
      <span className={`log-level level-${line?.level ?? ""}`}>
        {line?.level === "info" ? "" : line?.level?.slice(0, 5)}
      </span>
      <span className="log-text">
        {line?.place && <span className="log-place">{line.place} </span>}
        {line ? <LineText text={line.text} /> : <span className="muted">…</span>}
      </span>
    </>
  );
}

export function LogView({
  source,
  live,
  onLog,
  atLine,
  onLine,
}: {
  source: LogSource;
  live: boolean;
  onLog: (listener: (event: LogEvent) => void) => () => void;
  atLine?: number;
  onLine?: (line: number) => void;
}) {
  const { run, task, attempt } = source;
  const { utc } = usePreferences();
  const [q, setQ] = useState("");
  const [level, setLevel] = useState("");
  const [wrap, setWrap] = useState(false);
  const fetchLines = useCallback(
    (line: number, count: number, signal: AbortSignal) =>
      call<LogPage>("GET", "/runs/{run}/tasks/{task}/log", { run, task }, { query: { attempt, line, count }, signal }),
    [run, task, attempt],
  );
  const [log, setLog] = useState(() => new LogWindow(fetchLines));
  useEffect(() => {
    const next = new LogWindow(fetchLines);
    setLog(next);
    void next.loadTail();
    return () => next.stop();
  }, [fetchLines]);
  useEffect(
    () =>
      onLog((event) => {
        if (event.run === run && event.task === task && event.attempt === attempt) log.grow(event.lines_total);
      }),
    [onLog, run, task, attempt, log],
  );
  // When the try has ended, the end is read once more: its last lines may have come without news.
  const wasLive = useRef(live);
  useEffect(() => {
    if (wasLive.current && !live) void log.refreshEnd();
    wasLive.current = live;
  }, [live, log]);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => {
      if (!document.hidden) void log.refreshEnd();
    }, 5000);
    return () => clearInterval(timer);
  }, [live, log]);
  useSyncExternalStore(log.subscribe, log.snapshot);
  const filtered = q !== "" || level !== "";
  const [error, setError] = useState<number | null>(null);
  const jumpToError = async () => {
    const from = (error ?? atLine ?? 0) + 1;
    const page = await call<LogPage>(
      "GET",
      "/runs/{run}/tasks/{task}/log",
      { run, task },
      { query: { attempt, line: from, count: 1, level: "error" } },
    );
    const found = page.lines[0];
    if (!found) {
      setError(null);
      notify(
        error === null ? "No line of level error" : "No further line of level error; the next time begins at the top",
      );
      return;
    }
    setQ("");
    setLevel("");
    setError(found.n);
    onLine?.(found.n);
  };
  const download = urlOf("/runs/{run}/tasks/{task}/log.txt", { run, task }, { attempt });
  return (
    <div className="log-view">
      <div className="row wrap log-bar">
        <SearchInput label="Find in log" value={q} onChange={setQ} />
        <Select aria-label="Level" value={level} onChange={(event) => setLevel(event.target.value)}>
          <option value="">All levels</option>
          <option value="warning">Warnings and errors</option>
          <option value="error">Errors</option>
        </Select>
        <Button small kind="ghost" onClick={() => void jumpToError()} data-key="e">
          Next error
        </Button>
        <Button small kind="ghost" aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          <WrapText size={14} aria-hidden="true" /> Wrap
        </Button>
        <span className="grow" />
        <span className="small muted num">
          {formatExact(log.total)} lines{live ? " · live" : log.complete ? " · complete" : ""}
        </span>
        <a className="button ghost small" href={download} download>
          <Download size={14} aria-hidden="true" /> Download{log.bytes ? ` ${formatBytes(log.bytes)}` : ""}
        </a>
      </div>
      {filtered ? (
        <FilteredLines source={source} q={q} level={level} utc={utc} wrap={wrap} />
      ) : (
        <Lines log={log} live={live} utc={utc} wrap={wrap} atLine={error ?? atLine} />
      )}
    </div>
  );
}

function Lines({
  log,
  live,
  utc,
  wrap,
  atLine,
}: {
  log: LogWindow;
  live: boolean;
  utc: boolean;
  wrap: boolean;
  atLine?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(atLine === undefined);
  const seen = useRef(0);
  const virtual = useVirtualizer({
    count: log.total,
    getScrollElement: () => box.current,
    estimateSize: () => 20,
    overscan: 30,
    initialRect: { width: 1000, height: 420 },
  });
  const items = virtual.getVirtualItems();
  const first = (items[0]?.index ?? 0) + 1;
  const last = (items.at(-1)?.index ?? 0) + 1;
  useEffect(() => {
    if (log.loaded && log.total > 0) log.want(first, last);
  }, [log, first, last, log.total, log.loaded]);
  useEffect(() => {
    if (!follow || log.total === 0) return;
    virtual.scrollToIndex(log.total - 1, { align: "end" });
    seen.current = log.total;
  }, [follow, log.total, virtual]);
  const isEmpty = log.total === 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it jumps once, not whenever the log grows
  useEffect(() => {
    if (atLine === undefined || isEmpty) return;
    setFollow(false);
    virtual.scrollToIndex(Math.min(atLine, log.total) - 1, { align: "center" });
  }, [atLine, virtual, isEmpty]);
  const slow = useDelayed(!log.loaded, 200);
  if (log.error && log.total === 0)
    return <ErrorBox error={log.error} what="read the log" onRetry={() => void log.loadTail()} />;
  if (!log.loaded) return <div className="log-body">{slow && <Skeleton rows={8} shape="text" />}</div>;
  if (log.total === 0) {
    return (
      <p className="log-body muted log-empty">
        {live ? "No line yet. What the task says appears here." : "The task has said nothing."}
      </p>
    );
  }
  const unread = follow ? 0 : Math.max(0, log.total - Math.max(seen.current, last));
  return (
    <div className="log-frame">
      <div
        className="log-body"
        ref={box}
        data-wrap={wrap || undefined}
        tabIndex={0}
        role="region"
        aria-label="Log"
        onScroll={(event) => {
          const element = event.currentTarget;
          const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 24;
          if (atEnd) seen.current = log.total;
          if (live) setFollow(atEnd);
          else if (follow && !atEnd) setFollow(false);
        }}
      >
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {items.map((item) => (
            <div
              key={item.key}
              data-index={item.index}
              ref={wrap ? virtual.measureElement : undefined}
              className="log-line"
              data-current={item.index + 1 === atLine || undefined}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Line line={log.line(item.index + 1)} number={item.index + 1} utc={utc} />
            </div>
          ))}
        </div>
      </div>
      {live && (
        <div className="log-follow">
          {follow ? (
            <Button small onClick={() => setFollow(false)}>
              Following · pause
            </Button>
          ) : (
            <Button small onClick={() => setFollow(true)} data-key="f">
              <ArrowDownToLine size={13} aria-hidden="true" />{" "}
              {unread > 0 ? `${formatExact(unread)} new lines` : "Follow"}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

// The server searches, and lines keep their numbers.
function FilteredLines({
  source,
  q,
  level,
  utc,
  wrap,
}: {
  source: LogSource;
  q: string;
  level: string;
  utc: boolean;
  wrap: boolean;
}) {
  const { run, task, attempt } = source;
  const [page, setPage] = useState<LogPage | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call<LogPage>(
        "GET",
        "/runs/{run}/tasks/{task}/log",
        { run, task },
        {
          query: { attempt, line: 1, count: 1000, q, level },
          signal: abort.signal,
        },
      )
        .then((answer) => {
          setPage(answer);
          setError(null);
        })
        .catch((cause) => {
          if (!abort.signal.aborted) setError(cause);
        });
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [run, task, attempt, q, level]);
  if (error) return <ErrorBox error={error} what="search the log" />;
  if (!page) return <div className="log-body" aria-busy="true" />;
  if (page.lines.length === 0)
    return (
      <p className="log-body muted log-empty">No line matches. {formatExact(page.total)} lines without filters.</p>
    );
  return (
    <div className="log-body" data-wrap={wrap || undefined} tabIndex={0} role="region" aria-label="Lines that match">
      {page.lines.map((line) => (
        <div key={line.n} className="log-line static">
          <Line line={line} number={line.n} utc={utc} />
        </div>
      ))}
      {page.lines.length >= 1000 && (
        <p className="muted log-empty">First 1,000 lines that match; download the log for all.</p>
      )}
    </div>
  );
}
