import { lazy, Suspense } from "react";
import type { Column } from "../api/types";
import type { ChartChoice } from "./chart_spec";

export interface ChartProps {
  choice: ChartChoice;
  columns: Column[];
  rows: unknown[][];
}
const Implementation = lazy(() => import("./chart_impl"));

export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<div className="chart" aria-busy="true" />}>
      <Implementation {...props} />
    </Suspense>
  );
}
