import { describe, expect, it } from "vitest";
import { EventParser, type StreamEvent } from "./event_stream";
import { retryDelay } from "./live";
import { fits } from "./live_cache";

const text =
  ': hello\r\n\r\nid: e-1\nevent: run\ndata: {"a":1}\n\nid: e-2\ndata: one\ndata: two\n\n: ping\n\nevent: empty\n\ndata:nospace\n\n';
function parse(pieces: string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = new EventParser((event) => events.push(event));
  for (const piece of pieces) parser.push(piece);
  return events;
}

describe("server-sent events", () => {
  it("are the same however the text is cut", () => {
    const whole = parse([text]);
    expect(whole).toEqual([
      { id: "e-1", name: "run", data: '{"a":1}' },
      { id: "e-2", name: "message", data: "one\ntwo" },
      { id: "e-2", name: "message", data: "nospace" },
    ]);
    expect(parse([...text])).toEqual(whole);
    for (let cut = 1; cut < text.length; cut++) expect(parse([text.slice(0, cut), text.slice(cut)])).toEqual(whole);
  });
  it("that are not ended by an empty line are not told", () => {
    expect(parse(["data: half"])).toEqual([]);
  });
});

describe("tries after a loss", () => {
  it("come later and later, but every 30 s", () => {
    const waits = [1, 2, 3, 4, 5, 6, 20].map((attempt) => retryDelay(attempt, () => 0.5));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(retryDelay(3, () => 0)).toBe(3200);
    expect(retryDelay(3, () => 1)).toBe(4800);
  });
});

describe("which run a filtered list takes", () => {
  const run = { id: "1", flow: "shop", type: "manual" as const, state: "failed" as const, created: "" };
  it.each([
    [{}, true],
    [{ flow: "shop" }, true],
    [{ flow: "crm" }, false],
    [{ state: "queued,failed" }, true],
    [{ state: "running" }, false],
    [{ type: "scheduled" }, false],
    [{ q: "x" }, false],
  ])("%j: %s", (filter, expected) => {
    expect(fits(run, filter)).toBe(expected);
  });
});
