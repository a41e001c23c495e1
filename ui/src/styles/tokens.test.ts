import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const css = fs.readFileSync(path.join(__dirname, "tokens.css"), "utf8");
const pair = (name: string): [string, string] => {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css);
  if (!found) throw new Error(`no token ${name}`);
  return [found[1]!, found[2]!];
};

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

describe("contrast", () => {
  for (const [at, theme] of ["light", "dark"].entries()) {
    for (const back of ["bg", "sunk", "hover", "selected", "raised"]) {
      for (const [front, least] of [
        ["text", 5.5],
        ["muted", back === "bg" || back === "sunk" ? 5.5 : 4.5],
        ["accent", back === "bg" || back === "sunk" ? 5.5 : 4.5],
        ["control", back === "bg" ? 3 : 2.4],
      ] as const) {
        it(`${theme}: ${front} on ${back} is at least ${least}`, () => {
          expect(contrast(pair(front)[at]!, pair(back)[at]!)).toBeGreaterThanOrEqual(least);
        });
      }
    }
    for (const tone of ["ok", "running", "warn", "fail", "idle"]) {
      it(`${theme}: status ${tone} on bg and sunk is at least 4.5`, () => {
        for (const back of ["bg", "sunk"])
          expect(contrast(pair(tone)[at]!, pair(back)[at]!)).toBeGreaterThanOrEqual(4.5);
      });
    }
    it(`${theme}: what stands on the accent can be read`, () => {
      expect(contrast(pair("on-accent")[at]!, pair("accent-fill")[at]!)).toBeGreaterThanOrEqual(4.5);
    });
  }
});
