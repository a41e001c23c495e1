// Places of a graph's nodes, from a worker with a limit; where it takes too long, a plain grid by rank is good enough.
export interface LayoutQuestion {
  id: number;
  nodes: { id: string; width: number; height: number }[];
  edges: { from: string; to: string }[];
}
export interface LayoutAnswer {
  id: number;
  places: Record<string, { x: number; y: number }>;
}
declare const LAYOUT_WORKER_URL: string;

const kLimitMs = 3000;
let last = 0;
// Begun before it is needed; one that took too long is ended, and another one begun.
let ready: Worker | null = typeof Worker === "undefined" ? null : new Worker(LAYOUT_WORKER_URL);

// Columns by the longest way from a source; nodes of a column below each other. Cycles end where they began.
export function ranksOf(question: Omit<LayoutQuestion, "id">): LayoutAnswer["places"] {
  const parents = new Map<string, string[]>();
  for (const edge of question.edges) parents.set(edge.to, [...(parents.get(edge.to) ?? []), edge.from]);
  const ranks = new Map<string, number>();
  const rank = (id: string, path: Set<string>): number => {
    const known = ranks.get(id);
    if (known !== undefined) return known;
    if (path.has(id)) return 0;
    path.add(id);
    const own = Math.max(0, ...(parents.get(id) ?? []).map((parent) => rank(parent, path) + 1));
    path.delete(id);
    ranks.set(id, own);
    return own;
  };
  const filled = new Map<number, number>();
  const places: LayoutAnswer["places"] = {};
  for (const node of question.nodes) {
    const column = rank(node.id, new Set());
    const row = filled.get(column) ?? 0;
    filled.set(column, row + 1);
    places[node.id] = { x: column * 244, y: row * (node.height + 16) };
  }
  return places;
}

export function layout(question: Omit<LayoutQuestion, "id">): Promise<LayoutAnswer["places"]> {
  return new Promise((resolve) => {
    const id = ++last;
    const worker = ready ?? new Worker(LAYOUT_WORKER_URL);
    ready = null;
    const timer = setTimeout(() => finish(ranksOf(question), false), kLimitMs);
    const finish = (places: LayoutAnswer["places"], well: boolean) => {
      clearTimeout(timer);
      if (well && !ready) ready = worker;
      else worker.terminate();
      resolve(places);
    };
    worker.onmessage = (message: MessageEvent<LayoutAnswer>) => {
      if (message.data.id === id) finish(message.data.places, true);
    };
    worker.onerror = () => finish(ranksOf(question), false);
    worker.postMessage({ id, ...question } satisfies LayoutQuestion);
  });
}
