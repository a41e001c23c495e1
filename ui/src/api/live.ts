// One stream of live events a browser, whatever the number of tabs: browsers allow six connections a host, and a stream
// holds one for ever. The tab that holds a Web Lock reads the stream; the others tell it their topics and hear what it
// hears by a BroadcastChannel. A tab that goes away gives the lock back, and the next one reads on from the last id.
import { readStream, type StreamEvent } from "./event_stream";

export type LiveState = "connecting" | "live" | "offline";
export interface LiveStatus {
  state: LiveState;
  // When data was last known to be true, and when the next try comes; for the bar that says so.
  since: number;
  retryAt: number | null;
}

type Message =
  | { type: "want"; tab: string; topics: string[] }
  | { type: "bye"; tab: string }
  | { type: "hello"; tab: string }
  | { type: "event"; event: StreamEvent }
  | { type: "status"; status: LiveStatus }
  | { type: "retry" };

const kForgetAfterMs = 90_000;
const kRepeatWantMs = 30_000;
const kTopicsSettleMs = 150;
const kFlushMs = 250;
// The server takes 64.
const kTopicsMax = 60;
// Not every server tells of these; one that does not refuses the whole stream.
const kOptionalTopics = ["alerts"];

// 1, 2, 4 ... 30 s, each up to a fifth longer or shorter, so that tabs of many people do not come back at once.
export function retryDelay(attempt: number, random: () => number = Math.random): number {
  const base = Math.min(30_000, 1000 * 2 ** Math.max(0, attempt - 1));
  return Math.round(base * (0.8 + 0.4 * random()));
}

export class LiveHub {
  private readonly tab = crypto.randomUUID();
  private readonly channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("shaduf-live");
  private readonly wanted = new Map<string, number>();
  private readonly others = new Map<string, { topics: string[]; seen: number }>();
  private readonly listeners = new Set<(events: StreamEvent[]) => void>();
  private readonly statusListeners = new Set<() => void>();
  private queue: StreamEvent[] = [];
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private topicsTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly refused = new Set<string>();
  private isLeader = false;
  private current: { abort: AbortController; topics: string } | null = null;
  // Known to every tab: whichever reads next goes on behind it.
  private lastId = "";
  private attempt = 0;
  private started = false;
  status: LiveStatus = { state: "connecting", since: Date.now(), retryAt: null };

  constructor(private readonly onRefused: (status: number) => void) {}

  start(): void {
    if (this.started) return;
    this.started = true;
    this.channel?.addEventListener("message", (message) => this.hear(message.data as Message));
    addEventListener("pagehide", () => this.say({ type: "bye", tab: this.tab }));
    addEventListener("pageshow", () => this.tellTopics());
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.flush();
    });
    setInterval(() => this.tellTopics(), kRepeatWantMs);
    if (navigator.locks && this.channel) {
      void navigator.locks.request("shaduf-live", () => {
        this.lead();
        return new Promise<void>(() => {}); // until the tab ends
      });
    } else {
      this.lead();
    }
    this.tellTopics();
  }

  // Counts: a topic is asked for as long as anybody on a page wants it.
  want(topics: string[]): () => void {
    for (const topic of topics) this.wanted.set(topic, (this.wanted.get(topic) ?? 0) + 1);
    this.tellTopics();
    return () => {
      for (const topic of topics) {
        const left = (this.wanted.get(topic) ?? 1) - 1;
        if (left > 0) this.wanted.set(topic, left);
        else this.wanted.delete(topic);
      }
      this.tellTopics();
    };
  }
  subscribe(listener: (events: StreamEvent[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  onStatus(listener: () => void): () => void {
    this.statusListeners.add(listener);
    return () => this.statusListeners.delete(listener);
  }
  retryNow(): void {
    if (this.isLeader) {
      if (this.status.state !== "live") this.open();
    } else {
      this.say({ type: "retry" });
    }
  }

  private say(message: Message): void {
    this.channel?.postMessage(message);
  }

  private hear(message: Message): void {
    switch (message.type) {
      case "want":
        if (!this.isLeader) return;
        if (!this.others.has(message.tab)) this.say({ type: "status", status: this.status });
        this.others.set(message.tab, { topics: message.topics, seen: Date.now() });
        this.settleTopics();
        return;
      case "bye":
        this.others.delete(message.tab);
        if (this.isLeader) this.settleTopics();
        return;
      case "hello":
        this.tellTopics();
        return;
      case "event":
        if (message.event.id) this.lastId = message.event.id;
        this.take(message.event);
        return;
      case "status":
        this.setStatus(message.status);
        return;
      case "retry":
        if (this.isLeader) this.retryNow();
    }
  }

  private tellTopics(): void {
    if (!this.started) return;
    this.say({ type: "want", tab: this.tab, topics: [...this.wanted.keys()] });
    if (this.isLeader) this.settleTopics();
  }

  private lead(): void {
    this.isLeader = true;
    this.say({ type: "hello", tab: this.tab });
    this.settleTopics();
  }

  private allTopics(): string {
    const topics = new Set(this.wanted.keys());
    for (const [tab, other] of this.others) {
      if (Date.now() - other.seen > kForgetAfterMs) this.others.delete(tab);
      else for (const topic of other.topics) topics.add(topic);
    }
    for (const topic of this.refused) topics.delete(topic);
    // Those of the whole project first: with very many tabs it is single logs that are left out.
    const order = (topic: string) => `${topic.includes(":") ? 1 : 0}${topic}`;
    return [...topics]
      .sort((a, b) => order(a).localeCompare(order(b)))
      .slice(0, kTopicsMax)
      .join(",");
  }

  private settleTopics(): void {
    clearTimeout(this.topicsTimer);
    this.topicsTimer = setTimeout(() => {
      if (this.allTopics() !== this.current?.topics) this.open();
    }, kTopicsSettleMs);
  }

  // The new stream goes on from the last id before the old one is closed, so nothing falls between the two; what both
  // bring is the same by its number.
  private open(): void {
    clearTimeout(this.retryTimer);
    const topics = this.allTopics();
    if (topics === "") return;
    const before = this.current;
    const mine = { abort: new AbortController(), topics };
    this.current = mine;
    const opened = () => {
      before?.abort.abort();
      this.attempt = 0;
      this.publishStatus({ state: "live", since: Date.now(), retryAt: null });
    };
    const url = `/api/v1/events?topics=${encodeURIComponent(topics).replaceAll("%2C", ",")}`;
    void readStream(url, this.lastId, mine.abort.signal, opened, (event) => {
      if (event.id) this.lastId = event.id;
      this.say({ type: "event", event });
      this.take(event);
    }).then((end) => {
      before?.abort.abort();
      if (this.current !== mine) return;
      this.current = null;
      if (end.kind === "refused" && end.status === 401) {
        this.onRefused(401);
        return;
      }
      const optional = kOptionalTopics.filter((topic) => topics.split(",").includes(topic));
      if (end.kind === "refused" && end.status === 400 && optional.length > 0) {
        for (const topic of optional) this.refused.add(topic);
        this.open();
        return;
      }
      this.attempt++;
      const wait = retryDelay(this.attempt);
      const since = this.status.state === "offline" ? this.status.since : Date.now();
      this.publishStatus({ state: "offline", since, retryAt: Date.now() + wait });
      this.retryTimer = setTimeout(() => this.open(), wait);
    });
  }

  private publishStatus(status: LiveStatus): void {
    const wasOffline = this.status.state === "offline";
    this.say({ type: "status", status });
    this.setStatus(status);
    // What happened in the meantime may be more than the server remembers.
    if (wasOffline && status.state === "live" && this.lastId === "") {
      const event = { id: "", name: "resync", data: "{}" };
      this.say({ type: "event", event });
      this.take(event);
    }
  }

  private setStatus(status: LiveStatus): void {
    this.status = status;
    for (const listener of this.statusListeners) listener();
  }

  // Pages draw at most four times a second, and not at all while nobody sees them.
  private take(event: StreamEvent): void {
    this.queue.push(event);
    if (this.flushTimer || document.hidden) return;
    this.flushTimer = setTimeout(() => this.flush(), kFlushMs);
  }
  private flush(): void {
    clearTimeout(this.flushTimer);
    this.flushTimer = undefined;
    if (this.queue.length === 0) return;
    const events = this.queue;
    this.queue = [];
    for (const listener of this.listeners) listener(events);
  }
}
