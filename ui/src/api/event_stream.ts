// Server-sent events, read by fetch: unlike EventSource it tells the status of a refusal, and sees the comment lines by
// which a silent stream is told from a dead one.

export interface StreamEvent {
  id: string;
  name: string;
  data: string;
}

// Takes text in pieces of any size; calls back for each event that is whole. As the standard says: an event without data
// is none, and an id holds until another one comes.
export class EventParser {
  private rest = "";
  private name = "";
  private data: string[] = [];
  private id = "";

  constructor(private readonly onEvent: (event: StreamEvent) => void) {}

  push(text: string): void {
    this.rest += text;
    for (;;) {
      const end = this.rest.search(/\r\n|\n|\r(?!$)/);
      if (end < 0) return;
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + (this.rest.startsWith("\r\n", end) ? 2 : 1));
      this.line(line);
    }
  }

  private line(line: string): void {
    if (line === "") {
      if (this.data.length > 0) this.onEvent({ id: this.id, name: this.name || "message", data: this.data.join("\n") });
      this.name = "";
      this.data = [];
      return;
    }
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.id = value;
  }
}

export type StreamEnd = { kind: "closed" } | { kind: "refused"; status: number } | { kind: "silent" };

// Reads until the stream ends, however that may be. Silence of `silenceMs`, comments included, counts as an end.
export async function readStream(
  url: string,
  lastId: string,
  signal: AbortSignal,
  onOpen: () => void,
  onEvent: (event: StreamEvent) => void,
  silenceMs = 40_000,
): Promise<StreamEnd> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal.addEventListener("abort", stop);
  let silent = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      silent = true;
      abort.abort();
    }, silenceMs);
  };
  try {
    alive();
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    const response = await fetch(url, { headers, signal: abort.signal, credentials: "same-origin", cache: "no-store" });
    if (!response.ok || !response.body) return { kind: "refused", status: response.status };
    onOpen();
    const parser = new EventParser(onEvent);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { kind: "closed" };
      alive();
      parser.push(decoder.decode(value, { stream: true }));
    }
  } catch {
    return silent ? { kind: "silent" } : { kind: "closed" };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
