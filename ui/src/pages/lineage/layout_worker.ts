// Lays out a graph off the page's own thread. The ranker is the one that stays quick at a thousand nodes.
import { Graph, layout } from "@dagrejs/dagre";
import type { LayoutAnswer, LayoutQuestion } from "./layout";

self.onmessage = (message: MessageEvent<LayoutQuestion>) => {
  const { id, nodes, edges } = message.data;
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", ranker: "tight-tree", nodesep: 16, ranksep: 44, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, { width: node.width, height: node.height });
  for (const edge of edges) graph.setEdge(edge.from, edge.to);
  layout(graph);
  const places: LayoutAnswer["places"] = {};
  for (const node of nodes) {
    const placed = graph.node(node.id);
    places[node.id] = { x: placed.x - node.width / 2, y: placed.y - node.height / 2 };
  }
  const answer: LayoutAnswer = { id, places };
  postMessage(answer);
};
