// One table: its columns, what is in them, and whether they keep what is promised of them.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useDeferredValue, useMemo } from "react";
import { checks, columnLineage, profile, sample, table as tableQuery } from "../api/queries";
import type { TableColumn as ColumnInfo, ColumnProfile, TableDetail } from "../api/types";
import { at, useUrl } from "../app/url";
import { CodeEditor } from "../kit/code_editor";
import { Button, ButtonLink, Go, SearchInput, Tabs, Tag } from "../kit/controls";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatValue,
  plural,
  shortenMiddle,
} from "../kit/format";
import { Facts, PageHead, Section } from "../kit/page";
import { Empty, QueryView } from "../kit/states";
import { Status, StatusChip, stateOfTests, wordsOfTests } from "../kit/status";
import { DataTable, ResultTable, type TableColumn } from "../kit/table";
import { Ago } from "../kit/time";
import { MadeBy } from "./data";

export const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

export function TablePage() {
  const { schema, table: name } = useParams({ strict: false }) as { schema: string; table: string };
  const query = useQuery(tableQuery(schema, name));
  return (
    <QueryView query={query} what={`read table ${schema}.${name}`} title={`${schema}.${name}`}>
      {(detail) => <Content detail={detail} />}
    </QueryView>
  );
}

function Content({ detail }: { detail: TableDetail }) {
  const [url] = useUrl();
  const tab = url.tab ?? "columns";
  const full = `${detail.schema}.${detail.name}`;
  const target = (id: string) => at.table(detail.schema, detail.name, { tab: id === "columns" ? undefined : id });
  const sql = `select * from ${quoteName(detail.schema)}.${quoteName(detail.name)} limit 100`;
  const tabs: [string, string, number?][] = [
    ["columns", "Columns", detail.columns.length],
    ["profile", "Profile"],
    ["sample", "Sample"],
    ["tests", "Tests", detail.tests?.total],
    ...(detail.sql || detail.text ? ([["code", "Code"]] as [string, string][]) : []),
  ];
  return (
    <>
      <PageHead
        title={
          <>
            <span className="muted run-id">{detail.schema}.</span>
            {detail.name}
          </>
        }
        name={full}
        verdict={
          <>
            {detail.tests && detail.tests.total > 0 ? (
              <StatusChip state={stateOfTests(detail.tests)} word={`Tests: ${wordsOfTests(detail.tests)}`} />
            ) : (
              <Tag>no tests</Tag>
            )}
            {detail.kind === "view" && <Tag>view</Tag>}
          </>
        }
        actions={
          <>
            <ButtonLink target={at.lineage({ select: `1+${full}+1` })}>Lineage</ButtonLink>
            <ButtonLink kind="primary" target={at.sql({ sql, run: 1 })}>
              Query it
            </ButtonLink>
          </>
        }
      >
        {detail.description && <p className="text-column">{detail.description}</p>}
        <Facts
          items={[
            ["Changed", <Ago key="a" at={detail.fresh_at} none="unknown" />],
            [
              "Rows",
              <span key="r" title={detail.rows != null ? formatExact(detail.rows) : undefined}>
                {formatCount(detail.rows)}
              </span>,
            ],
            ["Size", formatBytes(detail.bytes)],
            ["Columns", formatExact(detail.columns.length)],
            ["Made by", <MadeBy key="m" table={detail} />],
            ["Owner", detail.owner || "–"],
          ]}
        />
        <Tabs
          label="Parts of the table"
          items={tabs.map(([id, text, count]) => ({ text, count, active: id === tab, target: target(id) }))}
        />
      </PageHead>
      {tab === "columns" && <Columns detail={detail} />}
      {tab === "profile" && <ProfileTab detail={detail} />}
      {tab === "sample" && <Sample detail={detail} />}
      {tab === "tests" && <Tests on={full} />}
      {tab === "code" && (
        <CodeEditor
          label={`Code of ${full}`}
          language={detail.sql ? "sql" : "yaml"}
          readOnly
          value={detail.sql ?? detail.text ?? ""}
          height="max(320px, calc(100dvh - 360px))"
        />
      )}
    </>
  );
}

function Columns({ detail }: { detail: TableDetail }) {
  const [url, setUrl] = useUrl();
  const q = useDeferredValue((url.q ?? "").toLowerCase());
  const shown = useMemo(
    () =>
      detail.columns.filter((column) =>
        `${column.name} ${column.type} ${column.description ?? ""}`.toLowerCase().includes(q),
      ),
    [detail.columns, q],
  );
  const columns: TableColumn<ColumnInfo>[] = [
    {
      id: "name",
      head: "Column",
      width: "22%",
      narrow: "main",
      cell: (column) => (
        <span className="clip block strong" title={column.name}>
          {column.name}
        </span>
      ),
    },
    {
      id: "type",
      head: "Type",
      width: 190,
      narrow: "figure",
      cell: (column) => (
        <span className="mono small clip block" title={column.type}>
          {column.type.toLowerCase().replace("timestamp with time zone", "timestamptz")}
        </span>
      ),
    },
    {
      id: "null",
      head: "Null",
      width: 70,
      cell: (column) => (column.nullable === false ? "never" : <span className="muted">may be</span>),
    },
    {
      id: "tests",
      head: "Tests",
      width: 190,
      narrow: "status",
      cell: (column) =>
        (column.tests ?? []).length > 0 ? (
          <span className="row">
            {column.tests!.slice(0, 2).map((test) => (
              <Status key={test.name} state={test.state ?? "unknown"} word={test.name} />
            ))}
            {column.tests!.length > 2 && <span className="muted">+{column.tests!.length - 2}</span>}
          </span>
        ) : (
          <span className="muted">no tests</span>
        ),
    },
    { id: "policy", head: "Policy", width: 90, cell: (column) => (column.policy ? <Tag>{column.policy}</Tag> : null) },
    {
      id: "description",
      head: "Description",
      cell: (column) => (
        <span className="clip block" title={column.description}>
          {column.description}
        </span>
      ),
    },
    {
      id: "lineage",
      head: <span className="visually-hidden">Lineage</span>,
      width: 76,
      align: "right",
      cell: (column) => (
        <button
          type="button"
          className="link-button small"
          onClick={() => setUrl({ column: url.column === column.name ? null : column.name })}
        >
          Trace <span className="visually-hidden">where {column.name} comes from</span>
        </button>
      ),
    },
  ];
  return (
    <>
      {detail.columns.length > 8 && (
        <div className="filters row">
          <SearchInput
            label="Filter columns"
            value={url.q ?? ""}
            onChange={(value) => setUrl({ q: value })}
            isPageFilter
          />
          {q && (
            <span className="small muted num">
              {formatExact(shown.length)} of {formatExact(detail.columns.length)}
            </span>
          )}
        </div>
      )}
      {url.column && (
        <Trace table={`${detail.schema}.${detail.name}`} column={url.column} onClose={() => setUrl({ column: null })} />
      )}
      {shown.length === 0 ? (
        <Empty title="No column matches." actions={<Button onClick={() => setUrl({ q: null })}>Clear filter</Button>} />
      ) : (
        <DataTable label="Columns" columns={columns} rows={shown} keyOf={(column) => column.name} />
      )}
    </>
  );
}

function Trace({ table, column, onClose }: { table: string; column: string; onClose: () => void }) {
  const query = useQuery(columnLineage(table, column));
  return (
    <Section
      title={`Where ${column} comes from and goes to`}
      actions={
        <Button small kind="ghost" onClick={onClose}>
          Close
        </Button>
      }
    >
      <QueryView
        query={query}
        what={`trace ${column}`}
        isEmpty={(data) => data.edges.length === 0}
        empty={<p className="muted small">Nothing is known: it comes from no model, or its model could not be read.</p>}
      >
        {(data) => (
          <ul className="trace">
            {data.edges.map((edge) => (
              <li key={`${edge.from.node}.${edge.from.column} ${edge.to.node}.${edge.to.column}`} className="row wrap">
                <Node node={edge.from} />
                <span aria-hidden="true" className="muted">
                  →
                </span>
                <span className="visually-hidden">goes to</span>
                <Node node={edge.to} />
              </li>
            ))}
          </ul>
        )}
      </QueryView>
    </Section>
  );
}
function Node({ node }: { node: { node: string; column: string } }) {
  const dot = node.node.lastIndexOf(".");
  return (
    <span className="mono small">
      <Go
        target={
          dot > 0
            ? at.table(node.node.slice(0, dot).split(".").at(-1)!, node.node.slice(dot + 1))
            : at.data({ q: node.node })
        }
      >
        {node.node}
      </Go>
      .{node.column}
    </span>
  );
}

const kProfileMax = 50;
function ProfileTab({ detail }: { detail: TableDetail }) {
  const [url, setUrl] = useUrl();
  const q = (url.q ?? "").toLowerCase();
  const chosen = detail.columns.filter((column) => column.name.toLowerCase().includes(q)).slice(0, kProfileMax);
  const names = detail.columns.length > kProfileMax ? chosen.map((column) => column.name).join(",") : undefined;
  const query = useQuery(profile(detail.schema, detail.name, names));
  return (
    <>
      {detail.columns.length > kProfileMax && (
        <div className="filters row wrap">
          <SearchInput
            label="Filter columns"
            value={url.q ?? ""}
            onChange={(value) => setUrl({ q: value })}
            isPageFilter
          />
          <span className="small muted num">
            {formatExact(chosen.length)} of {formatExact(detail.columns.length)} columns are profiled at once
          </span>
        </div>
      )}
      <QueryView
        query={query}
        what="profile the table"
        isEmpty={(data) => data.columns.length === 0}
        empty={<Empty title="No column to profile." />}
      >
        {(data) => (
          <>
            <p className="small muted num">
              {formatExact(data.rows)} rows, as of <Ago at={data.at} />
              {data.ms ? `, computed in ${formatDuration(data.ms)}` : ""}
            </p>
            <DataTable
              label="Profile"
              columns={[
                {
                  id: "name",
                  head: "Column",
                  narrow: "main",
                  cell: (column: ColumnProfile) => (
                    <span className="clip block strong" title={column.name}>
                      {column.name}
                    </span>
                  ),
                },
                {
                  id: "nulls",
                  head: "Null",
                  width: 80,
                  align: "right",
                  narrow: "figure",
                  cell: (column: ColumnProfile) =>
                    column.nulls == null ? (
                      "–"
                    ) : (
                      <span title={`${formatExact(column.nulls)} rows`}>{percent(column.nulls, data.rows)}</span>
                    ),
                },
                {
                  id: "distinct",
                  head: "Distinct",
                  width: 90,
                  align: "right",
                  narrow: "figure",
                  cell: (column: ColumnProfile) => formatCount(column.distinct),
                },
                {
                  id: "shape",
                  head: "Shape",
                  width: 150,
                  cell: (column: ColumnProfile) => <Histogram values={column.histogram ?? []} name={column.name} />,
                },
                {
                  id: "min",
                  head: "Least",
                  width: 130,
                  align: "right",
                  cell: (column: ColumnProfile) => <Value value={column.min} />,
                },
                {
                  id: "max",
                  head: "Most",
                  width: 130,
                  align: "right",
                  cell: (column: ColumnProfile) => <Value value={column.max} />,
                },
                {
                  id: "mean",
                  head: "Mean",
                  width: 90,
                  align: "right",
                  cell: (column: ColumnProfile) =>
                    column.mean == null ? (
                      <span className="muted">–</span>
                    ) : (
                      formatCount(Math.round(column.mean * 100) / 100)
                    ),
                },
                {
                  id: "top",
                  head: "Most frequent",
                  cell: (column: ColumnProfile) => (
                    <span className="clip block">
                      {(column.top ?? [])
                        .slice(0, 3)
                        .map((entry) => `${formatValue(entry.value)} ${percent(entry.count, data.rows)}`)
                        .join(" · ") || <span className="muted">–</span>}
                    </span>
                  ),
                },
              ]}
              rows={data.columns}
              keyOf={(column) => column.name}
            />
          </>
        )}
      </QueryView>
    </>
  );
}

export const percent = (part: number, whole: number): string => {
  if (whole === 0) return "–";
  const value = (part / whole) * 100;
  return value === 0 ? "0 %" : value < 0.1 ? "< 0.1 %" : `${value.toFixed(value < 10 ? 1 : 0)} %`;
};

function Value({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="muted">–</span>;
  const text = formatValue(value);
  return (
    <span className="clip block" title={text}>
      {shortenMiddle(text, 22)}
    </span>
  );
}

function Histogram({ values, name }: { values: number[]; name: string }) {
  if (values.length === 0) return <span className="muted">–</span>;
  const most = Math.max(...values, 1);
  return (
    <svg
      width="132"
      height="20"
      role="img"
      aria-label={`Shape of ${name}: ${values.length} ranges from least to most, the fullest has ${formatExact(most)} rows`}
    >
      {values.map((value, i) => {
        const height = value === 0 ? 0 : Math.max(1.5, (value / most) * 20);
        return (
          <rect
            key={i}
            x={(i * 132) / values.length}
            y={20 - height}
            width={Math.max(1, 132 / values.length - 1)}
            height={height}
            fill="var(--chart-1)"
            rx="0.5"
          />
        );
      })}
    </svg>
  );
}

function Sample({ detail }: { detail: TableDetail }) {
  const query = useQuery(sample(detail.schema, detail.name));
  return (
    <QueryView
      query={query}
      what="read a sample"
      isEmpty={(data) => data.rows.length === 0}
      empty={<Empty title="The table has no rows." />}
    >
      {(data) => (
        <>
          <p className="small muted num">
            First {plural(data.rows.length, "row")} of {formatCount(detail.rows)},{" "}
            {plural(data.columns.length, "column")}
          </p>
          <ResultTable
            label={`Sample of ${detail.schema}.${detail.name}`}
            columns={data.columns}
            rows={data.rows}
            height="max(320px, calc(100dvh - 380px))"
          />
        </>
      )}
    </QueryView>
  );
}

function Tests({ on }: { on: string }) {
  const query = useQuery(checks());
  return (
    <QueryView query={query} what="read the checks">
      {(page) => {
        const own = page.items.filter((check) => check.on === on);
        if (own.length === 0)
          return (
            <Empty title="Nothing is promised of this table.">
              Expectations stand in the pipeline's file under expect, tests beside the model.
            </Empty>
          );
        return (
          <DataTable
            label="Tests"
            columns={[
              {
                id: "text",
                head: "Check",
                narrow: "main",
                cell: (check) => (
                  <code className="clip block" title={check.text}>
                    {check.text}
                  </code>
                ),
              },
              {
                id: "state",
                head: "State",
                width: 130,
                narrow: "status",
                cell: (check) => <Status state={check.state} />,
              },
              {
                id: "column",
                head: "Column",
                width: 160,
                cell: (check) => <span className="clip block">{check.column ?? "–"}</span>,
              },
              {
                id: "rows",
                head: "Failing rows",
                width: 110,
                align: "right",
                narrow: "figure",
                cell: (check) => formatExact(check.failing_rows),
              },
              {
                id: "at",
                head: "Checked",
                width: 110,
                align: "right",
                narrow: "figure",
                cell: (check) => <Ago at={check.last_at} />,
              },
              {
                id: "file",
                head: "Written in",
                width: 200,
                cell: (check) => <code className="clip block small">{check.file}</code>,
              },
            ]}
            rows={own}
            keyOf={(check) => check.id}
          />
        );
      }}
    </QueryView>
  );
}
