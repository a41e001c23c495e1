// Which charts there are: a closed part of Vega-Lite that is only data. Nothing in it computes, fetches or listens.
import type { Column } from "../api/types";

export type Mark = "bar" | "line" | "area" | "point";
export interface ChartChoice {
  mark: Mark;
  x: string;
  y: string;
  color?: string;
}

const kNumeric = /int|double|float|decimal|numeric|real/i;
const kTime = /date|time/i;
export const isNumeric = (column: Column): boolean => kNumeric.test(column.type);
export const isTime = (column: Column): boolean => kTime.test(column.type);
const typeOf = (column: Column): string =>
  isTime(column) ? "temporal" : isNumeric(column) ? "quantitative" : "nominal";

// What people would most likely draw: time along the bottom, the last number upwards.
export function guessChart(columns: Column[]): ChartChoice | null {
  const numbers = columns.filter(isNumeric);
  const y = numbers.at(-1);
  if (!y) return null;
  const time = columns.find(isTime);
  const word = columns.find((column) => !isNumeric(column) && !isTime(column));
  const x = time ?? word ?? numbers.find((column) => column !== y);
  if (!x) return null;
  return {
    mark: time ? "line" : word ? "bar" : "point",
    x: x.name,
    y: y.name,
    color: time && word ? word.name : undefined,
  };
}

const kSeriesMax = 6;
export const kRowsMax = 5000;
const kColors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

// Past six series, the smaller ones are one: seven colours are not told apart.
export function foldSeries(rows: Record<string, unknown>[], color: string, y: string): Record<string, unknown>[] {
  const sums = new Map<string, number>();
  for (const row of rows)
    sums.set(String(row[color]), (sums.get(String(row[color])) ?? 0) + Math.abs(Number(row[y]) || 0));
  if (sums.size <= kSeriesMax) return rows;
  const kept = new Set(
    [...sums]
      .sort((a, b) => b[1] - a[1])
      .slice(0, kSeriesMax - 1)
      .map(([name]) => name),
  );
  return rows.map((row) => (kept.has(String(row[color])) ? row : { ...row, [color]: "Other" }));
}

export function specOf(
  choice: ChartChoice,
  columns: Column[],
  rows: unknown[][],
  dark: boolean,
  width: number,
): Record<string, unknown> {
  const at = new Map(columns.map((column, i) => [column.name, i]));
  const column = (name: string) => columns[at.get(name) ?? 0]!;
  const names = [choice.x, choice.y, ...(choice.color ? [choice.color] : [])];
  // Fields get names of our own: a dot or a bracket in a column's name would be a path.
  const key = new Map(names.map((name, i) => [name, `f${i}`]));
  let values = rows
    .slice(0, kRowsMax)
    .map((row) =>
      Object.fromEntries(
        names.map((name) => [
          key.get(name)!,
          isNumeric(column(name))
            ? row[at.get(name)!] === null
              ? null
              : Number(row[at.get(name)!])
            : row[at.get(name)!],
        ]),
      ),
    );
  if (choice.color) values = foldSeries(values, key.get(choice.color)!, key.get(choice.y)!) as typeof values;
  const text = dark ? "#98A2B3" : "#5B6472";
  const line = dark ? "#2A303A" : "#E3E7EC";
  const sums = choice.mark === "bar" || choice.mark === "area" || choice.mark === "line";
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width,
    height: 300,
    background: "transparent",
    autosize: { type: "fit", contains: "padding" },
    data: { values },
    mark: {
      type: choice.mark,
      ...(choice.mark === "line" ? { strokeWidth: 2, point: values.length <= 60 } : {}),
      ...(choice.mark === "bar" ? { cornerRadiusEnd: 2 } : {}),
      ...(choice.mark === "area" ? { opacity: 0.75 } : {}),
      tooltip: true,
      color: kColors[0],
    },
    encoding: {
      x: {
        field: key.get(choice.x),
        type: typeOf(column(choice.x)),
        title: choice.x,
        ...(choice.mark === "bar" && typeOf(column(choice.x)) === "nominal" ? { sort: "-y" } : {}),
      },
      y: {
        field: key.get(choice.y),
        type: "quantitative",
        title: sums ? `sum of ${choice.y}` : choice.y,
        ...(sums ? { aggregate: "sum" } : {}),
      },
      ...(choice.color
        ? {
            color: { field: key.get(choice.color), type: "nominal", title: choice.color, scale: { range: kColors } },
            ...(choice.mark === "line"
              ? { strokeDash: { field: key.get(choice.color), type: "nominal", title: choice.color } }
              : {}),
          }
        : {}),
    },
    config: {
      font: "Inter, sans-serif",
      axis: {
        labelColor: text,
        titleColor: text,
        gridColor: line,
        domainColor: line,
        tickColor: line,
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: 500,
      },
      legend: { labelColor: text, titleColor: text, labelFontSize: 12 },
      view: { stroke: null },
    },
  };
}

// In one sentence, for those who do not see it.
export function summaryOf(choice: ChartChoice, columns: Column[], rows: unknown[][]): string {
  const y = columns.findIndex((column) => column.name === choice.y);
  const x = columns.findIndex((column) => column.name === choice.x);
  let most = -1;
  for (let i = 0; i < rows.length; i++) if (most < 0 || Number(rows[i]![y]) > Number(rows[most]![y])) most = i;
  return `${choice.mark} chart of ${choice.y} by ${choice.x}, ${rows.length} rows${most >= 0 ? `; the largest is ${rows[most]![y]} at ${rows[most]![x]}` : ""}.`;
}
