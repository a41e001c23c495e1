// Vega without eval and without a network: specs are compiled to trees and interpreted.

import { useEffect, useRef, useState } from "react";
import { type Loader, loader, parse, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile, type TopLevelSpec } from "vega-lite";
import type { ChartProps } from "./chart";
import { specOf, summaryOf } from "./chart_spec";
import { ErrorBox } from "./states";

function closedLoader(): Loader {
  const closed = loader();
  const refuse = () => Promise.reject(new Error("charts load nothing from elsewhere"));
  closed.load = refuse;
  closed.http = refuse;
  closed.file = refuse;
  return closed;
}

export default function ChartImplementation({ choice, columns, rows }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let view: View | null = null;
    const draw = () => {
      view?.finalize();
      const dark =
        getComputedStyle(element).colorScheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
      const theme = document.documentElement.dataset.theme;
      try {
        const spec = specOf(
          choice,
          columns,
          rows,
          theme ? theme === "dark" : dark,
          Math.max(240, element.clientWidth - 24),
        );
        const runtime = parse(compile(spec as unknown as TopLevelSpec).spec, undefined, { ast: true });
        view = new View(runtime, {
          expr: expressionInterpreter,
          renderer: "svg",
          container: element,
          hover: true,
          loader: closedLoader(),
        });
        void view.runAsync();
        setError(null);
      } catch (cause) {
        setError(cause);
      }
    };
    draw();
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    addEventListener("resize", draw);
    return () => {
      theme.disconnect();
      removeEventListener("resize", draw);
      view?.finalize();
    };
  }, [choice, columns, rows]);
  return (
    <figure className="chart" aria-label={summaryOf(choice, columns, rows)}>
      {error !== null && <ErrorBox error={error} what="draw the chart" />}
      <div ref={box} />
    </figure>
  );
}
