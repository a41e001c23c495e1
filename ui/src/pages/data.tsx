// Does the table exist, is it fresh, what is in it?
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";
import { tables } from "../api/queries";
import type { Table } from "../api/types";
import { at, useUrl } from "../app/url";
import { Button, ButtonLink, Go, SearchInput, Select, Tabs, Tag } from "../kit/controls";
import { formatBytes, formatCount, formatExact, plural } from "../kit/format";
import { PageHead } from "../kit/page";
import { Empty, QueryView } from "../kit/states";
import { Status, stateOfTests, wordsOfTests } from "../kit/status";
import { DataTable, nextSort, parseSort, sortRows, type TableColumn } from "../kit/table";
import { Ago } from "../kit/time";

export const dataTabs = (active: "catalog" | "sql") => (
  <Tabs
    label="Data"
    items={[
      { text: "Catalog", active: active === "catalog", target: at.data() },
      { text: "SQL", active: active === "sql", target: at.sql() },
    ]}
  />
);

const kColumns: TableColumn<Table>[] = [
  {
    id: "name",
    head: "Table",
    narrow: "main",
    sortable: true,
    cell: (table) => (
      <Go target={at.table(table.schema, table.name)} className="cell-link row">
        <span className="clip" title={`${table.schema}.${table.name}`}>
          <span className="muted">{table.schema}.</span>
          <span className="strong">{table.name}</span>
        </span>
        {table.kind === "view" && <Tag>view</Tag>}
      </Go>
    ),
  },
  {
    id: "tests",
    head: "Tests",
    width: 120,
    narrow: "status",
    cell: (table) =>
      table.tests && table.tests.total > 0 ? (
        <Status state={stateOfTests(table.tests)} word={wordsOfTests(table.tests)} />
      ) : (
        <span className="muted">no tests</span>
      ),
  },
  { id: "by", head: "Made by", width: 190, cell: (table) => <MadeBy table={table} /> },
  {
    id: "rows",
    head: "Rows",
    width: 90,
    align: "right",
    narrow: "figure",
    sortable: true,
    cell: (table) => (
      <span title={table.rows != null ? formatExact(table.rows) : undefined}>{formatCount(table.rows)}</span>
    ),
  },
  { id: "bytes", head: "Size", width: 90, align: "right", sortable: true, cell: (table) => formatBytes(table.bytes) },
  {
    id: "columns",
    head: "Columns",
    width: 84,
    align: "right",
    sortable: true,
    cell: (table) => formatExact(table.columns),
  },
  {
    id: "fresh",
    head: "Changed",
    width: 110,
    align: "right",
    narrow: "figure",
    sortable: true,
    cell: (table) => <Ago at={table.fresh_at} none="unknown" />,
  },
  { id: "owner", head: "Owner", width: 110, cell: (table) => <span className="clip block">{table.owner}</span> },
];

// What no table has is no column.
function columnsFor(items: Table[]): TableColumn<Table>[] {
  const unused = [
    items.every((table) => table.bytes === null || table.bytes === undefined) && "bytes",
    items.every((table) => !table.owner) && "owner",
  ];
  return kColumns.filter((column) => !unused.includes(column.id));
}

export function MadeBy({ table }: { table: { made_by?: { kind: string; name: string } | null } }) {
  const by = table.made_by;
  if (!by || by.kind === "other") return <span className="muted">others</span>;
  if (by.kind === "pipeline")
    return (
      <Go target={at.pipeline(by.name)} className="clip block">
        {by.name}
      </Go>
    );
  return (
    <span className="clip block" title={by.name}>
      {by.kind} {by.name}
    </span>
  );
}

export function Data() {
  const [url, setUrl] = useUrl();
  const q = useDeferredValue(url.q ?? "");
  const query = useQuery(tables({ q: q || undefined, schema: url.schema }));
  const everything = useQuery(tables());
  const schemas = useMemo(
    () => [...new Set((everything.data?.items ?? []).map((table) => table.schema))].sort(),
    [everything.data],
  );
  const sort = parseSort(url.sort);
  return (
    <>
      <PageHead
        title="Data"
        name="Data"
        verdict={
          everything.data && (
            <span className="muted num">
              {plural(everything.data.items.length, "table")}
              {everything.data.next ? " and more" : ""} in {plural(schemas.length, "schema")}
            </span>
          )
        }
      >
        {dataTabs("catalog")}
      </PageHead>
      <div className="filters row wrap">
        <SearchInput
          label="Find a table"
          placeholder="Find by name or description"
          value={url.q ?? ""}
          onChange={(value) => setUrl({ q: value })}
          isPageFilter
        />
        <Select
          aria-label="Schema"
          value={url.schema ?? ""}
          onChange={(event) => setUrl({ schema: event.target.value })}
        >
          <option value="">any schema</option>
          {schemas.map((schema) => (
            <option key={schema}>{schema}</option>
          ))}
        </Select>
      </div>
      <QueryView
        query={query}
        what="read the catalog"
        isEmpty={(page) => page.items.length === 0}
        empty={
          url.q || url.schema ? (
            <Empty
              title="No table matches."
              actions={<Button onClick={() => setUrl({ q: null, schema: null })}>Clear filters</Button>}
            >
              {formatExact(everything.data?.items.length ?? 0)} without filters.
            </Empty>
          ) : (
            <Empty
              title="The warehouse has no tables yet."
              actions={<ButtonLink target={at.newConnection()}>Add connection</ButtonLink>}
            >
              The first run of a pipeline makes its tables.
            </Empty>
          )
        }
      >
        {(page) => {
          const rows = sortRows(page.items, sort, (table, by) =>
            by === "rows"
              ? table.rows
              : by === "bytes"
                ? table.bytes
                : by === "columns"
                  ? table.columns
                  : by === "fresh"
                    ? table.fresh_at
                    : `${table.schema}.${table.name}`,
          );
          return (
            <DataTable
              label="Tables"
              columns={columnsFor(page.items)}
              rows={rows}
              keyOf={(table) => `${table.schema}.${table.name}`}
              sort={sort}
              onSort={(by) => setUrl({ sort: nextSort(sort, by) })}
            />
          );
        }}
      </QueryView>
    </>
  );
}
