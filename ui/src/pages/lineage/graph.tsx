// Draws at most 300 cards of fixed size. Places come from the worker; nothing is dragged, and edges do not move.
import {
  type Edge,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import { Maximize, Minus, Plus } from "lucide-react";
import { memo, useEffect, useMemo, useState } from "react";
import type { LineageNode } from "../../api/types";
import { IconButton } from "../../kit/controls";
import { formatRelative } from "../../kit/format";
import { lookOf, StatusShape } from "../../kit/status";
import { layout } from "./layout";

export const kNodesMax = 300;
const kWidth = 200;
const kHeight = 56;

interface CardData extends Record<string, unknown> {
  node: LineageNode;
  focus: boolean;
  hidden: { up: number; down: number } | undefined;
  onOpen: (id: string) => void;
  onMore: (id: string) => void;
  now: number;
}
type Card = Node<CardData, "card">;

const CardNode = memo(function CardNode({ data }: NodeProps<Card>) {
  const { node, focus, hidden } = data;
  const fresh = node.fresh_at ? Date.parse(node.fresh_at) : Number.NaN;
  const failed = node.tests?.failed ?? 0;
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {hidden && hidden.up > 0 && (
        <button type="button" className="graph-more up" onClick={() => data.onMore(node.id)}>
          {hidden.up} more
        </button>
      )}
      <button
        type="button"
        className="graph-node nodrag"
        data-kind={node.kind}
        data-focus={focus || undefined}
        data-node={node.id}
        onClick={() => data.onOpen(node.id)}
      >
        <span className="row">
          {node.state !== undefined && (
            <StatusShape state={failed > 0 && node.state === "succeeded" ? "warned" : node.state} size={13} />
          )}
          <span className="clip strong" title={node.name}>
            {node.name}
          </span>
        </span>
        <span className="small">
          <span className="clip">
            {node.schema ? `${node.kind === "flow" ? "" : `${node.kind} · `}${node.schema}` : node.kind}
          </span>
          {!Number.isNaN(fresh) && (
            <span className="num nowrap">{formatRelative(Math.min(fresh, data.now), data.now)}</span>
          )}
        </span>
        <span className="visually-hidden">
          {node.state ? lookOf(node.state).word : ""} {failed ? `${failed} tests failed` : ""}
        </span>
      </button>
      {hidden && hidden.down > 0 && (
        <button type="button" className="graph-more down" onClick={() => data.onMore(node.id)}>
          {hidden.down} more
        </button>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
});
const kTypes = { card: CardNode };

export interface GraphProps {
  nodes: LineageNode[];
  edges: { from: string; to: string }[];
  hidden?: Record<string, { up: number; down: number }>;
  focus?: string;
  onOpen?: (id: string) => void;
  onMore?: (id: string) => void;
  height?: number | string;
}

export default function Graph(props: GraphProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas({
  nodes,
  edges,
  hidden,
  focus,
  onOpen,
  onMore,
  height = "max(420px, calc(100dvh - 220px))",
}: GraphProps) {
  const flow = useReactFlow();
  const shown = useMemo(() => nodes.slice(0, kNodesMax), [nodes]);
  const kept = useMemo(() => {
    const ids = new Set(shown.map((node) => node.id));
    return edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to));
  }, [shown, edges]);
  const key = useMemo(() => JSON.stringify([shown.map((node) => node.id), kept]), [shown, kept]);
  const [places, setPlaces] = useState<{ key: string; at: Record<string, { x: number; y: number }> } | null>(null);
  useEffect(() => {
    let gone = false;
    const question = JSON.parse(key) as [string[], { from: string; to: string }[]];
    void layout({ nodes: question[0].map((id) => ({ id, width: kWidth, height: kHeight })), edges: question[1] }).then(
      (at) => {
        if (!gone) setPlaces({ key, at });
      },
    );
    return () => {
      gone = true;
    };
  }, [key]);
  const placed = places?.key === key ? places.at : null;
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const cards = useMemo<Card[]>(
    () =>
      placed
        ? shown.map((node) => ({
            id: node.id,
            type: "card",
            position: placed[node.id] ?? { x: 0, y: 0 },
            width: kWidth,
            height: kHeight,
            data: {
              node,
              focus: node.id === focus,
              hidden: hidden?.[node.id],
              onOpen: onOpen ?? (() => {}),
              onMore: onMore ?? (() => {}),
              now: minute,
            },
          }))
        : [],
    [placed, shown, focus, hidden, onOpen, onMore, minute],
  );
  const lines = useMemo<Edge[]>(
    () =>
      placed
        ? kept.map((edge) => ({ id: `${edge.from} ${edge.to}`, source: edge.from, target: edge.to, focusable: false }))
        : [],
    [placed, kept],
  );
  // At opening, labels must be legible: a graph that does not fit is shown around what is in focus.
  useEffect(() => {
    if (!placed) return;
    requestAnimationFrame(() => {
      const xs = Object.values(placed);
      const width = Math.max(...xs.map((place) => place.x)) + kWidth;
      const tall = Math.max(...xs.map((place) => place.y)) + kHeight;
      const box = document.querySelector(".react-flow")?.getBoundingClientRect();
      const fits = box && box.width / width > 0.75 && box.height / tall > 0.75;
      const center = focus ? placed[focus] : undefined;
      if (fits) void flow.fitView({ padding: 0.08, maxZoom: 1, minZoom: 0.75 });
      else if (center) void flow.setCenter(center.x + kWidth / 2, center.y + kHeight / 2, { zoom: 0.9 });
      else void flow.setViewport({ x: 16, y: 16, zoom: 0.85 });
    });
  }, [placed, focus, flow]);
  // Arrows walk along edges and between siblings.
  const onKeyDown = (event: React.KeyboardEvent) => {
    const id = (event.target as HTMLElement).dataset?.node;
    if (!id || !placed) return;
    let to: string | undefined;
    if (event.key === "ArrowRight") to = kept.find((edge) => edge.from === id)?.to;
    if (event.key === "ArrowLeft") to = kept.find((edge) => edge.to === id)?.from;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const own = placed[id]!;
      const column = shown
        .filter((node) => Math.abs(placed[node.id]!.x - own.x) < kWidth)
        .sort((a, b) => placed[a.id]!.y - placed[b.id]!.y);
      to = column[column.findIndex((node) => node.id === id) + (event.key === "ArrowDown" ? 1 : -1)]?.id;
    }
    if (!to) return;
    event.preventDefault();
    const target = to;
    void flow.setCenter(placed[target]!.x + kWidth / 2, placed[target]!.y + kHeight / 2, { zoom: flow.getZoom() });
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-node="${CSS.escape(target)}"]`)?.focus());
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the cards inside bubble up to here
    <div className="graph-box" style={{ height }} onKeyDown={onKeyDown} data-laying-out={placed ? undefined : true}>
      <ReactFlow
        nodes={cards}
        edges={lines}
        nodeTypes={kTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        panOnScroll
        zoomOnDoubleClick={false}
        minZoom={0.1}
        maxZoom={1.5}
        proOptions={{ hideAttribution: true }}
        disableKeyboardA11y
      />
      <div className="graph-controls">
        <IconButton label="Larger" onClick={() => void flow.zoomIn()}>
          <Plus size={16} />
        </IconButton>
        <IconButton label="Smaller" onClick={() => void flow.zoomOut()}>
          <Minus size={16} />
        </IconButton>
        <IconButton label="All in sight" onClick={() => void flow.fitView({ padding: 0.05 })}>
          <Maximize size={16} />
        </IconButton>
      </div>
    </div>
  );
}
