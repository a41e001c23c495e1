// Tables. Rows are as many as the server's page has, and only those in sight are in the document; so are the columns of
// results. Real <table>s, so that assistive tools read them as what they are.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { usePreferences } from "../app/preferences";
import { Checkbox } from "./controls";
import { formatValue } from "./format";

export interface TableColumn<T> {
  id: string;
  head: ReactNode;
  cell: (row: T) => ReactNode;
  width?: number | string;
  align?: "right";
  // What the server sorts by, or how the page does.
  sortable?: boolean;
  // Where it stands when a row becomes a card of two lines; left out: not there.
  narrow?: "main" | "status" | "figure";
}

export interface Sort {
  by: string;
  down: boolean;
}

const narrowQuery = typeof matchMedia === "undefined" ? null : matchMedia("(max-width: 767px)");
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrowQuery?.addEventListener("change", listener);
      return () => narrowQuery?.removeEventListener("change", listener);
    },
    () => narrowQuery?.matches ?? false,
  );
}

const kHeights = { compact: 26, normal: 32, comfortable: 40 };
const kVirtualFrom = 60;

export function DataTable<T>({
  label,
  columns,
  rows,
  keyOf,
  sort,
  onSort,
  selected,
  onSelect,
  height,
  rowState,
}: {
  label: string;
  columns: TableColumn<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  sort?: Sort | null;
  onSort?: (by: string) => void;
  selected?: Set<string>;
  onSelect?: (keys: Set<string>) => void;
  height?: string;
  rowState?: (row: T) => string | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const { density } = usePreferences();
  const narrow = useNarrow();
  const rowHeight = narrow ? 60 : kHeights[density];
  const isVirtual = rows.length > kVirtualFrom;
  const virtual = useVirtualizer({
    count: isVirtual ? rows.length : 0,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    initialRect: { width: 1000, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const shown = isVirtual ? items.map((item) => item.index) : rows.map((_, i) => i);
  const before = isVirtual ? (items[0]?.start ?? 0) : 0;
  const after = isVirtual ? virtual.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;
  const keys = selected ? rows.map(keyOf) : [];
  // What scrolls is reached by keys as well, also where no cell of it takes the focus.
  const [overflows, setOverflows] = useState(false);
  useEffect(() => {
    const own = box.current;
    if (own) setOverflows(own.scrollWidth > own.clientWidth + 1 || own.scrollHeight > own.clientHeight + 1);
  });
  const scrolls = isVirtual || overflows;
  const all = selected !== undefined && keys.length > 0 && keys.every((key) => selected.has(key));
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: it has a label only as a region
    <div
      className="table-box"
      ref={box}
      style={isVirtual || height ? { maxHeight: height ?? "max(420px, calc(100dvh - 260px))" } : undefined}
      tabIndex={scrolls ? 0 : undefined}
      role={scrolls ? "region" : "presentation"}
      aria-label={scrolls ? label : undefined}
    >
      <table className="table" aria-label={label} aria-rowcount={rows.length + 1} data-rows>
        <thead>
          <tr>
            {selected && onSelect && (
              <th className="select-cell" scope="col">
                <Checkbox
                  label={`Select all ${rows.length}`}
                  hideLabel
                  checked={all}
                  indeterminate={!all && keys.some((key) => selected.has(key))}
                  onChange={() => onSelect(all ? new Set() : new Set(keys))}
                />
              </th>
            )}
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                style={{ width: column.width }}
                className={column.align === "right" ? "right" : undefined}
                aria-sort={sort?.by === column.id ? (sort.down ? "descending" : "ascending") : undefined}
              >
                {column.sortable && onSort ? (
                  <button type="button" className="sort" onClick={() => onSort(column.id)}>
                    {column.head}
                    {sort?.by === column.id &&
                      (sort.down ? (
                        <ArrowDown size={12} aria-hidden="true" />
                      ) : (
                        <ArrowUp size={12} aria-hidden="true" />
                      ))}
                  </button>
                ) : (
                  column.head
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && (
            <tr className="spacer" aria-hidden="true">
              <td style={{ height: before }} />
            </tr>
          )}
          {shown.map((index) => {
            const row = rows[index];
            if (row === undefined) return null;
            const key = keyOf(row);
            return (
              <tr
                key={key}
                aria-rowindex={index + 2}
                data-state={rowState?.(row)}
                data-selected={selected?.has(key) || undefined}
              >
                {selected && onSelect && (
                  <td className="select-cell">
                    <Checkbox
                      label={`Select ${key}`}
                      hideLabel
                      checked={selected.has(key)}
                      onChange={(event) => {
                        const next = new Set(selected);
                        if (event.target.checked) next.add(key);
                        else next.delete(key);
                        onSelect(next);
                      }}
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td
                    key={column.id}
                    className={column.align === "right" ? "right num" : undefined}
                    data-narrow={column.narrow ?? "hide"}
                    data-head={typeof column.head === "string" ? column.head : undefined}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && (
            <tr className="spacer" aria-hidden="true">
              <td style={{ height: after }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

export function sortRows<T>(
  rows: T[],
  sort: Sort | null,
  value: (row: T, by: string) => string | number | null | undefined,
): T[] {
  if (!sort) return rows;
  const sign = sort.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const left = value(a, sort.by);
    const right = value(b, sort.by);
    // What is not known comes last, whatever the direction.
    if (left === null || left === undefined) return right === null || right === undefined ? 0 : 1;
    if (right === null || right === undefined) return -1;
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * String(left).localeCompare(String(right), "en", { numeric: true });
  });
}

export function parseSort(text: string | undefined): Sort | null {
  if (!text) return null;
  return text.startsWith("-") ? { by: text.slice(1), down: true } : { by: text, down: false };
}
export function nextSort(held: Sort | null, by: string): string {
  return held?.by === by && held.down ? by : `-${by}`;
}

const kNumeric = /int|double|float|decimal|numeric|real|hugeint/i;
// As wide as what stands in the first rows, within limits; characters of the mono face are 7.3 px wide.
function widthOf(column: { name: string; type: string }, rows: unknown[][], index: number): number {
  let longest = Math.max(column.name.length, Math.min(column.type.length, 18));
  for (let i = 0; i < Math.min(rows.length, 40); i++) {
    longest = Math.max(longest, Math.min(60, formatValue(rows[i]?.[index]).length));
  }
  return Math.min(360, Math.max(96, longest * 7.4 + 28));
}

// Rows of a query or a sample: both axes are virtual, so a thousand columns cost what is in sight.
export function ResultTable({
  label,
  columns,
  rows,
  height = "min(560px, 60dvh)",
}: {
  label: string;
  columns: { name: string; type: string }[];
  rows: unknown[][];
  height?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const widths = useMemo(() => columns.map((column, i) => widthOf(column, rows, i)), [columns, rows]);
  const down = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => 28,
    overscan: 10,
    initialRect: { width: 1000, height: 600 },
  });
  const across = useVirtualizer({
    count: columns.length,
    horizontal: true,
    getScrollElement: () => box.current,
    estimateSize: (index) => widths[index] ?? 120,
    overscan: 4,
    initialRect: { width: 1000, height: 600 },
  });
  const rowItems = down.getVirtualItems();
  const columnItems = across.getVirtualItems();
  const left = columnItems[0]?.start ?? 0;
  const right = across.getTotalSize() - (columnItems.at(-1)?.end ?? 0);
  const top = rowItems[0]?.start ?? 0;
  const bottom = down.getTotalSize() - (rowItems.at(-1)?.end ?? 0);
  return (
    <div
      className="table-box result"
      ref={box}
      style={{ maxHeight: height }}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table
        className="table result-table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length}
        style={{ width: across.getTotalSize() }}
      >
        <thead>
          <tr>
            {left > 0 && <td style={{ width: left }} aria-hidden="true" />}
            {columnItems.map((item) => {
              const column = columns[item.index]!;
              return (
                <th
                  key={item.key}
                  scope="col"
                  aria-colindex={item.index + 1}
                  style={{ width: item.size }}
                  className={kNumeric.test(column.type) ? "right" : undefined}
                >
                  <span className="clip" title={`${column.name} · ${column.type}`}>
                    {column.name}
                  </span>
                  <span className="type">{column.type.toLowerCase()}</span>
                </th>
              );
            })}
            {right > 0 && <td style={{ width: right }} aria-hidden="true" />}
          </tr>
        </thead>
        <tbody>
          {top > 0 && (
            <tr className="spacer" aria-hidden="true">
              <td style={{ height: top }} />
            </tr>
          )}
          {rowItems.map((rowItem) => (
            <tr key={rowItem.key} aria-rowindex={rowItem.index + 2}>
              {left > 0 && <td aria-hidden="true" />}
              {columnItems.map((item) => {
                const value = rows[rowItem.index]?.[item.index];
                const text = formatValue(value);
                return (
                  <td
                    key={item.key}
                    className={`clip${kNumeric.test(columns[item.index]!.type) ? " right num" : ""}${value === null || value === undefined ? " null" : ""}`}
                    title={text.length > 20 ? text.slice(0, 400) : undefined}
                  >
                    {text.length > 300 ? `${text.slice(0, 300)}…` : text}
                  </td>
                );
              })}
              {right > 0 && <td aria-hidden="true" />}
            </tr>
          ))}
          {bottom > 0 && (
            <tr className="spacer" aria-hidden="true">
              <td style={{ height: bottom }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
