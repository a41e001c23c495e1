#!/usr/bin/env node
// How fast the web app is, in Debian's Chromium: `make bench-ui`. The first page comes from the program itself; what needs a
// large world (300 nodes, 2,000 columns, 10,000 lines of a log at once) from the mock, so that the server is not measured.
//   bench/ui.mjs SHADUF [turns]
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { launch, needParts, openPage, settle, skip, startMock, startServe } from "../tests/ui/harness.mjs";

const kLimits = { first_paint_ms: 1000, transferred_kb: 400, click_ms: 100, lineage_300_ms: 1000, columns_2000_ms: 500, burst_blocked_ms: 200 };
const shaduf = path.resolve(process.argv[2] ?? "build/release/shaduf");
const turns = Number(process.argv[3] ?? 5);
if (!fs.existsSync(shaduf)) skip(`no program at ${shaduf}; make build`);
needParts();
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const all = {};
const add = (name, value) => {
  all[name] ??= [];
  all[name].push(value);
};

// Each turn with an empty cache; what was transferred is as it came over the wire, headers included.
async function firstPage(browser, base) {
  const { page, context } = await openPage(browser, base, { clock: false });
  const wire = await context.newCDPSession(page);
  let bytes = 0;
  await wire.send("Network.enable");
  wire.on("Network.loadingFinished", (event) => {
    bytes += event.encodedDataLength;
  });
  await page.goto(base);
  await settle(page);
  add("transferred_kb", bytes / 1000);
  add("first_paint_ms", await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
  add("page_shown_ms", await page.evaluate(() => performance.now()));
  await context.close();
}

// From the press to the frame that shows the answer: what it is, is told by a selector and how many of it there must be.
const timed = (page, press, selector, count = 1) =>
  page.evaluate(
    ([press, selector, count]) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error(`never came: ${selector}`)), 20_000);
        const target = document.querySelector(press);
        const began = performance.now();
        const look = () => {
          if (document.querySelectorAll(selector).length < count) return requestAnimationFrame(look);
          // The frame is on the screen when the one after it begins.
          requestAnimationFrame(() => {
            clearTimeout(limit);
            resolve(performance.now() - began);
          });
        };
        target.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
        target.click();
        requestAnimationFrame(look);
      }),
    [press, selector, count],
  );

async function clicks(browser, base) {
  const { page, context } = await openPage(browser, base, { clock: false });
  await page.goto(base);
  await settle(page);
  const tour = [
    ['.rail a[href="/runs"]', 'main h1[data-name="Runs"], main table[aria-label="Runs"]'],
    ['.rail a[href="/pipelines"]', 'main table[aria-label="Pipelines"]'],
    ['.rail a[href="/data"]', 'main table[aria-label="Tables"]'],
    ['.rail a[href="/quality"]', 'main table[aria-label="Checks"]'],
    ['.rail a[href="/"]', "main .timeline-row"],
  ];
  // The first tour fetches the pieces of the app and the data, as hovering over a link does.
  for (const [press, selector] of tour) await timed(page, press, selector);
  for (const [press, selector] of tour) add("click_ms", await timed(page, press, selector));
  add("click_ms", await timed(page, ".palette-button", "dialog[open] [role=listbox], dialog[open] input"));
  await context.close();
}

// Cold: the piece of the app, the data and the layout are part of it.
async function large(browser, mock) {
  const { page, context } = await openPage(browser, mock.url, { scenario: "huge", clock: false });
  await page.goto(mock.url);
  await settle(page);
  add("lineage_300_ms", await timed(page, '.rail a[href="/lineage"]', ".graph-node", 300));
  await page.goto(`${mock.url}/data`);
  await settle(page);
  add("columns_2000_ms", await timed(page, 'a[href="/data/raw_shop/orders"]', 'main table[aria-label="Columns"] tbody tr', 10));
  await context.close();
}

// 10,000 lines in a thousand events, as a program that prints without end: how long the page could not answer meanwhile.
async function burst(browser, mock) {
  const list = await (await fetch(`${mock.url}/api/v1/runs?state=running&limit=50`)).json();
  const run = list.items.find((one) => one.flow === "shop") ?? list.items[0];
  const detail = await (await fetch(`${mock.url}/api/v1/runs/${run.id}`)).json();
  const task = detail.tasks.find((one) => one.state === "running");
  const { page, context } = await openPage(browser, mock.url, { clock: false });
  await page.goto(`${mock.url}/runs/${run.id}?task=${task.name}`);
  await settle(page);
  await page.locator(".log-line").first().waitFor();
  await page.locator('.live-dot[data-state="live"]').waitFor();
  const log = `${mock.url}/api/v1/runs/${run.id}/tasks/${task.name}/log?line=1&count=1`;
  const before = (await (await fetch(log)).json()).total;
  await page.evaluate(() => {
    window.blocked = 0;
    new PerformanceObserver((entries) => {
      for (const entry of entries.getEntries()) window.blocked += entry.duration - 50;
    }).observe({ type: "longtask" });
  });
  await fetch(`${mock.url}/mock/lines/usual/10000`, { method: "POST" });
  let events = "";
  for (let i = 1; i <= 1000; i++) {
    const data = { run: run.id, task: task.name, attempt: task.attempt, lines_total: before + i * 10 };
    events += `id: m-${1000 + i}\nevent: log\ndata: ${JSON.stringify(data)}\n\n`;
  }
  await fetch(`${mock.url}/mock/events`, { method: "POST", body: events });
  await page.waitForFunction(
    (last) => [...document.querySelectorAll(".log-line")].some((line) => line.textContent.replaceAll(",", "").includes(String(last))),
    before + 10_000,
    { polling: 50, timeout: 20_000 },
  );
  add("burst_blocked_ms", await page.evaluate(() => window.blocked));
  await context.close();
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "shaduf-bench-ui-"));
const server = startServe(shaduf, folder, "quickstart");
const mock = await startMock();
const browser = await launch();
try {
  const base = await server.address;
  for (let i = 0; i < turns; i++) {
    await firstPage(browser, base);
    await clicks(browser, mock.url);
    await large(browser, mock);
    await burst(browser, mock);
  }
} finally {
  await browser.close();
  await mock.stop();
  await server.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}
const figures = Object.fromEntries(Object.entries(all).map(([name, list]) => [name, Math.round(median(list))]));
figures.click_worst_ms = Math.round(Math.max(...all.click_ms));
for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(18)} ${String(value).padStart(6)}${kLimits[name] ? `   of ${kLimits[name]}` : ""}`);
const short = Object.keys(kLimits).filter((name) => figures[name] === undefined || figures[name] > kLimits[name]);
console.log(JSON.stringify({ bench: "ui", machine: `${os.arch()}, ${os.cpus().length} cores`, figures, short }));
