// The lines of one log that a page holds: pieces of 500, 20,000 lines at most, those looked at last. A line's number is
// its place, from 1.
import type { LogLine, LogPage } from "../api/types";

export const kPiece = 500;
export const kPiecesMax = 40;

export type FetchLines = (first: number, count: number, signal: AbortSignal) => Promise<LogPage>;

export class LogWindow {
  private readonly pieces = new Map<number, LogLine[]>();
  private readonly loading = new Map<number, AbortController>();
  private readonly listeners = new Set<() => void>();
  private revision = 0;
  total = 0;
  bytes: number | undefined;
  complete = false;
  error: unknown = null;
  loaded = false;

  constructor(private readonly fetchLines: FetchLines) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  snapshot = (): number => this.revision;

  line(number: number): LogLine | undefined {
    const piece = this.pieces.get(Math.floor((number - 1) / kPiece));
    return piece?.[(number - 1) % kPiece];
  }

  // The end first: it is what people open a log for.
  async loadTail(): Promise<void> {
    const abort = new AbortController();
    this.loading.set(-1, abort);
    try {
      const page = await this.fetchLines(-kPiece, kPiece, abort.signal);
      this.take(page);
      this.loaded = true;
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = error;
      this.loaded = true;
    } finally {
      this.loading.delete(-1);
    }
    this.changed();
  }

  // What is in sight is fetched; pieces that are whole are not fetched again.
  want(first: number, last: number): void {
    for (let piece = Math.floor((first - 1) / kPiece); piece <= Math.floor((last - 1) / kPiece); piece++) {
      if (piece < 0 || this.loading.has(piece) || this.isWhole(piece)) continue;
      void this.load(piece);
    }
  }

  private isWhole(piece: number): boolean {
    const held = this.pieces.get(piece);
    if (!held) return false;
    const expected = Math.min(kPiece, this.total - piece * kPiece);
    for (let i = 0; i < expected; i++) if (held[i] === undefined) return false;
    return true;
  }

  private async load(piece: number): Promise<void> {
    const abort = new AbortController();
    this.loading.set(piece, abort);
    try {
      this.take(await this.fetchLines(piece * kPiece + 1, kPiece, abort.signal));
      this.error = null;
    } catch (error) {
      if (!abort.signal.aborted) this.error = error;
    } finally {
      this.loading.delete(piece);
    }
    this.changed();
  }

  // A live log has grown. A total never shrinks, in whatever order the news arrive.
  grow(total: number): void {
    if (total <= this.total) return;
    this.total = total;
    this.changed();
  }

  private take(page: LogPage): void {
    this.total = Math.max(this.total, page.total);
    this.bytes = page.bytes ?? this.bytes;
    this.complete = this.complete || page.complete;
    for (const line of page.lines) {
      const piece = Math.floor((line.n - 1) / kPiece);
      let held = this.pieces.get(piece);
      if (!held) held = [];
      this.pieces.delete(piece); // the piece moves to the end: it was looked at last
      this.pieces.set(piece, held);
      held[(line.n - 1) % kPiece] = line;
    }
    for (const piece of this.pieces.keys()) {
      if (this.pieces.size <= kPiecesMax) break;
      this.pieces.delete(piece);
    }
  }

  async refreshEnd(): Promise<void> {
    await this.loadTail();
  }
  get pieceCount(): number {
    return this.pieces.size;
  }
  stop(): void {
    for (const abort of this.loading.values()) abort.abort();
  }
  private changed(): void {
    this.revision++;
    for (const listener of this.listeners) listener();
  }
}
