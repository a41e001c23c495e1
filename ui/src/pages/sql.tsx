// Questions to the warehouse. It only reads: that is a property of the server's connection, and said here.
import { useQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, call, download } from "../api/client";
import { tables } from "../api/queries";
import type { QueryAnswer, TableDetail } from "../api/types";
import { useMe } from "../app/session";
import { useUrl } from "../app/url";
import { Chart } from "../kit/chart";
import { type ChartChoice, guessChart, isNumeric, kRowsMax, type Mark } from "../kit/chart_spec";
import { CodeEditor } from "../kit/code_editor";
import { Button, Segmented, Select } from "../kit/controls";
import { formatDuration, formatExact, plural } from "../kit/format";
import { PageHead } from "../kit/page";
import { Empty, ErrorBox, Skeleton, useDelayed } from "../kit/states";
import { ResultTable } from "../kit/table";
import { notify } from "../kit/toast";
import { dataTabs } from "./data";

const kHistoryKey = "shaduf.sql.history";
const kHistoryMax = 50;
function readHistory(): string[] {
  try {
    return JSON.parse(localStorage.getItem(kHistoryKey) ?? "[]");
  } catch {
    return [];
  }
}
function remember(sql: string): void {
  try {
    localStorage.setItem(
      kHistoryKey,
      JSON.stringify([sql, ...readHistory().filter((other) => other !== sql)].slice(0, kHistoryMax)),
    );
  } catch {
    // Without room there is no history; queries go on.
  }
}

// Names for completion: tables from the catalog, columns of those tables that the text names.
function useSchema(sql: string): Record<string, string[]> {
  const catalog = useQuery(tables());
  const [columns, setColumns] = useState<Record<string, string[]>>({});
  const asked = useRef(new Set<string>());
  useEffect(() => {
    const words = new Set(sql.toLowerCase().match(/[\w.]+/g) ?? []);
    for (const table of catalog.data?.items ?? []) {
      const name = `${table.schema}.${table.name}`;
      if (asked.current.has(name) || !(words.has(name.toLowerCase()) || words.has(table.name.toLowerCase()))) continue;
      asked.current.add(name);
      call<TableDetail>("GET", "/tables/{schema}/{name}", { schema: table.schema, name: table.name })
        .then((detail) => setColumns((held) => ({ ...held, [name]: detail.columns.map((column) => column.name) })))
        .catch(() => asked.current.delete(name));
    }
  }, [sql, catalog.data]);
  return useMemo(
    () =>
      Object.fromEntries(
        (catalog.data?.items ?? []).map((table) => [
          `${table.schema}.${table.name}`,
          columns[`${table.schema}.${table.name}`] ?? [],
        ]),
      ),
    [catalog.data, columns],
  );
}

export function SqlPage() {
  const [url, setUrl] = useUrl();
  const me = useMe();
  const [sql, setSql] = useState(url.sql ?? readHistory()[0] ?? "");
  const [answer, setAnswer] = useState<QueryAnswer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const schema = useSchema(sql);
  const slow = useDelayed(busy, 200);
  const run = useCallback(
    async (text: string) => {
      if (text.trim() === "") return;
      abort.current?.abort();
      const own = new AbortController();
      abort.current = own;
      setBusy(true);
      setError(null);
      setUrl({ sql: text.length < 2000 ? text : null, run: null });
      remember(text);
      try {
        setAnswer(
          await call<QueryAnswer>(
            "POST",
            "/query",
            {},
            { body: { sql: text, limit: 1000, timeout_ms: 60_000 }, signal: own.signal },
          ),
        );
      } catch (cause) {
        if (own.signal.aborted) return;
        setError(cause);
        setAnswer(null);
      } finally {
        if (abort.current === own) setBusy(false);
      }
    },
    [setUrl],
  );
  // A link may ask to be run at once; leaving the page stops what runs.
  const first = useRef(url.run === "1" ? url.sql : undefined);
  useEffect(() => {
    if (first.current) void run(first.current);
    first.current = undefined;
    return () => abort.current?.abort();
  }, [run]);
  const saveAs = async (format: "csv" | "parquet") => {
    try {
      await download("/query/download", { sql, format }, `result.${format}`);
    } catch (cause) {
      notify(cause instanceof ApiError ? cause.message : String(cause), { tone: "fail" });
    }
  };
  const history = readHistory();
  return (
    <>
      <PageHead
        title="SQL"
        name="SQL"
        verdict={
          <span className="muted">
            read-only{me.warehouse ? ` · ${me.warehouse.connection} (${me.warehouse.type})` : ""} · first 1,000 rows
          </span>
        }
      >
        {dataTabs("sql")}
      </PageHead>
      <div className="stack">
        <CodeEditor
          label="SQL"
          language="sql"
          value={sql}
          onChange={setSql}
          schema={schema}
          onRun={() => void run(sql)}
          height="200px"
        />
        <div className="row wrap">
          <Button
            kind="primary"
            busy={busy}
            why={sql.trim() === "" && "Write a query first."}
            onClick={() => void run(sql)}
          >
            <Play size={14} aria-hidden="true" /> Run query
          </Button>
          {busy && (
            <Button
              onClick={() => {
                abort.current?.abort();
                setBusy(false);
              }}
            >
              Stop
            </Button>
          )}
          <kbd>Ctrl Enter</kbd>
          <span className="grow" />
          {history.length > 0 && (
            <Select aria-label="Earlier queries" value="" onChange={(event) => setSql(event.target.value)}>
              <option value="">earlier queries</option>
              {history.map((text) => (
                <option key={text} value={text}>
                  {text.replaceAll(/\s+/g, " ").slice(0, 80)}
                </option>
              ))}
            </Select>
          )}
        </div>
      </div>
      {error !== null && <ErrorBox error={error} what="run the query" />}
      {slow && !answer && <Skeleton rows={8} />}
      {answer && <Result answer={answer} saveAs={saveAs} />}
      {!answer && !error && !busy && (
        <Empty title="No result yet.">
          Write a query, or open a table of the catalog and press Query it. Names complete as you type.
        </Empty>
      )}
    </>
  );
}

function Result({ answer, saveAs }: { answer: QueryAnswer; saveAs: (format: "csv" | "parquet") => void }) {
  const [url, setUrl] = useUrl();
  const guess = useMemo(() => guessChart(answer.columns), [answer.columns]);
  const shows = url.view === "chart" && guess ? "chart" : "table";
  const choice = useMemo<ChartChoice | null>(() => {
    const named = (name: string | undefined) => answer.columns.some((column) => column.name === name);
    return (
      guess && {
        mark: (["bar", "line", "area", "point"].includes(url.mark ?? "") ? url.mark : guess.mark) as Mark,
        x: named(url.x) ? url.x! : guess.x,
        y: named(url.y) ? url.y! : guess.y,
        color: url.color === "-" ? undefined : named(url.color) ? url.color : guess.color,
      }
    );
  }, [answer.columns, guess, url.mark, url.x, url.y, url.color]);
  return (
    <section className="section" aria-label="Result">
      <div className="section-head">
        <Segmented
          label="Show result as"
          value={shows}
          onChange={(view) => setUrl({ view: view === "table" ? null : view })}
          options={[
            { value: "table", label: "Table" },
            { value: "chart", label: "Chart" },
          ]}
        />
        <span className="small muted num">
          {answer.cut ? `first ${formatExact(answer.rows.length)} of more rows` : plural(answer.rows.length, "row")}
          {answer.ms !== undefined ? ` · ${formatDuration(answer.ms)}` : ""} · {plural(answer.columns.length, "column")}
        </span>
        <span className="grow" />
        <Button small kind="ghost" onClick={() => saveAs("csv")}>
          Download CSV
        </Button>
        <Button small kind="ghost" onClick={() => saveAs("parquet")}>
          Download Parquet
        </Button>
      </div>
      {answer.rows.length === 0 ? (
        <Empty title="The query found no rows.">
          Its columns are {answer.columns.map((column) => column.name).join(", ") || "none"}.
        </Empty>
      ) : shows === "chart" && choice ? (
        <>
          <div className="filters row wrap">
            <Select
              aria-label="Kind of chart"
              value={choice.mark}
              onChange={(event) => setUrl({ mark: event.target.value })}
            >
              {["bar", "line", "area", "point"].map((mark) => (
                <option key={mark}>{mark}</option>
              ))}
            </Select>
            <Select
              aria-label="Along the bottom"
              value={choice.x}
              onChange={(event) => setUrl({ x: event.target.value })}
            >
              {answer.columns.map((column) => (
                <option key={column.name} value={column.name}>
                  by {column.name}
                </option>
              ))}
            </Select>
            <Select aria-label="Upwards" value={choice.y} onChange={(event) => setUrl({ y: event.target.value })}>
              {answer.columns.filter(isNumeric).map((column) => (
                <option key={column.name}>{column.name}</option>
              ))}
            </Select>
            <Select
              aria-label="Series"
              value={choice.color ?? "-"}
              onChange={(event) => setUrl({ color: event.target.value })}
            >
              <option value="-">one series</option>
              {answer.columns
                .filter((column) => !isNumeric(column))
                .map((column) => (
                  <option key={column.name} value={column.name}>
                    a series by {column.name}
                  </option>
                ))}
            </Select>
            {answer.rows.length > kRowsMax && (
              <span className="small muted num">drawn from the first {formatExact(kRowsMax)} rows</span>
            )}
          </div>
          <Chart choice={choice} columns={answer.columns} rows={answer.rows} />
        </>
      ) : (
        <>
          {url.view === "chart" && (
            <p className="small muted">There is no number to draw in this result, so it is shown as a table.</p>
          )}
          <ResultTable label="Result of the query" columns={answer.columns} rows={answer.rows} />
        </>
      )}
    </section>
  );
}
