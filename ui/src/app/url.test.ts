import { describe, expect, it } from "vitest";
import { score } from "./palette";
import { atTable, parseSearch, sinceOf, writeSearch } from "./url";

describe("addresses", () => {
  it.each([
    {},
    { task: "load_ads", attempt: "2", line: "18204" },
    { select: "+orders+1", lens: "freshness" },
    { q: "a&b=c d", state: "failed,killed" },
    { sql: "select '%' || \"x y\"\nfrom t -- ü" },
  ])("keep what they say: %j", (values) => {
    expect(parseSearch(writeSearch(values))).toEqual(values);
  });
  it("leave out what is not set, and stay readable", () => {
    expect(writeSearch({ a: "", b: null, c: undefined })).toBe("");
    expect(writeSearch({ state: "failed,killed", at: "06:12" })).toBe("?state=failed,killed&at=06:12");
  });
  it("take a range as relative, or as a fixed time", () => {
    const now = Date.parse("2026-11-22T07:00:00Z");
    expect(sinceOf("24h", now)).toBe("2026-11-21T07:00:00.000Z");
    expect(sinceOf("90m", now)).toBe("2026-11-22T05:30:00.000Z");
    expect(sinceOf("2026-11-01T00:00:00Z", now)).toBe("2026-11-01T00:00:00.000Z");
    expect(sinceOf("soon", now)).toBeUndefined();
    expect(sinceOf(undefined, now)).toBeUndefined();
  });
  it("name tables by schema and name", () => {
    expect(atTable("raw.orders").params).toEqual({ schema: "raw", table: "orders" });
    expect(atTable("raw.a.b").params).toEqual({ schema: "raw", table: "a.b" });
    expect(atTable("orders").search).toEqual({ q: "orders" });
  });
});

describe("the palette", () => {
  it("puts what begins so before what contains it, and that before scattered letters", () => {
    const ranked = ["raw_shop.orders", "orders", "outer_records", "customers"]
      .map((label) => [label, score(label, "orde")] as const)
      .sort((a, b) => b[1] - a[1]);
    expect(ranked.map(([label]) => label).slice(0, 2)).toEqual(["orders", "raw_shop.orders"]);
    expect(score("customers", "orde")).toBe(0);
    expect(score("anything", "")).toBeGreaterThan(0);
  });
});
