import { describe, expect, it } from "vitest";
import { formatAge, formatBytes, formatCount, formatDuration, formatRelative, plural, shortenMiddle } from "./format";

describe("formatters", () => {
  it.each([
    [null, "–"],
    [0, "0"],
    [999, "999"],
    [84_210, "84,210"],
    [100_000, "100 k"],
    [1_240_000, "1.24 M"],
    [12_400_000, "12.4 M"],
    [-1_240_000, "-1.24 M"],
    [3e9, "3.00 G"],
  ])("count %s is %s", (value, expected) => expect(formatCount(value as number)).toBe(expected));
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 KB"],
    [214_000_000, "214 MB"],
    [undefined, "–"],
  ])("size %s is %s", (value, expected) => expect(formatBytes(value as number)).toBe(expected));
  it.each([
    [0, "0 ms"],
    [850, "850 ms"],
    [1200, "1.2 s"],
    [9_960, "10 s"],
    [59_999, "1 m"],
    [192_000, "3 m 12 s"],
    [3_600_000, "1 h"],
    [3_900_000, "1 h 5 m"],
    [90_000_000, "1 d 1 h"],
    [-5, "0 ms"],
    [null, "–"],
  ])("duration %s is %s", (value, expected) => expect(formatDuration(value as number)).toBe(expected));
  it.each([
    [8000, "8 s"],
    [47 * 60_000, "47 min"],
    [3_600_000, "1 h"],
    [200_000_000, "2 d"],
  ])("age %s is %s", (value, expected) => expect(formatAge(value)).toBe(expected));
  it("relative times go both ways", () => {
    expect(formatRelative(0, 60_000)).toBe("1 min ago");
    expect(formatRelative(60_000, 0)).toBe("in 1 min");
    expect(formatRelative(0, 900)).toBe("now");
  });
  it("long names keep both ends", () => {
    const name = "fct_marketing_attribution_last_touch_by_campaign_and_country_v2";
    const short = shortenMiddle(name, 30);
    expect(short).toHaveLength(30);
    expect(name.startsWith(short.split("…")[0]!)).toBe(true);
    expect(name.endsWith(short.split("…")[1]!)).toBe(true);
    expect(shortenMiddle("short", 30)).toBe("short");
  });
  it("plurals", () => {
    expect(plural(1, "row")).toBe("1 row");
    expect(plural(0, "row")).toBe("0 rows");
    expect(plural(2, "table is", "tables are")).toBe("2 tables are");
  });
});
