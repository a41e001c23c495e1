// The graph is a piece of its own. It is fetched while the data still is, and without Suspense: behind one thing that was
// waited for, React shows the next one 0.3 s late at least.
import { type ComponentType, useEffect, useState } from "react";
import { ErrorBox } from "../../kit/states";
import type { GraphProps } from "./graph";
import "./layout"; // begins its worker

let piece: ComponentType<GraphProps> | null = null;
let coming: Promise<void> | null = null;
function fetchPiece(): Promise<void> {
  coming ??= import("./graph").then(
    (loaded) => {
      piece = loaded.default;
    },
    (error) => {
      coming = null; // asked for again by the next page
      throw error;
    },
  );
  return coming;
}
void fetchPiece().catch(() => {});

export function LateGraph(props: GraphProps) {
  const [Graph, setGraph] = useState<ComponentType<GraphProps> | null>(() => piece);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (piece) return;
    let gone = false;
    fetchPiece()
      .then(() => !gone && setGraph(() => piece))
      .catch((cause) => !gone && setError(cause));
    return () => {
      gone = true;
    };
  }, []);
  if (error) return <ErrorBox error={error} what="load the graph" onRetry={() => location.reload()} />;
  if (!Graph) return <div className="graph-box waiting-graph" aria-busy="true" style={{ height: props.height }} />;
  return <Graph {...props} />;
}
