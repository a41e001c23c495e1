// What is live: one stream for all tabs of a browser, the next tab takes over when the one that reads is closed, a cut
// stream goes on behind its last event, and a page shows what is true whatever the order in which events arrive.
import assert from "node:assert/strict";
import { launch, needParts, openPage, settle, startMock } from "./harness.mjs";

needParts();
const mock = await startMock();
const browser = await launch();
const step = (text) => console.log(`- ${text}`);
const control = async (what, body = "") =>
  (await fetch(`${mock.url}/mock/${what}`, { method: "POST", body })).json();
const push = (id, name, data) => control("events", `id: m-${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
const kTabs = 10;

// Asks the mock again and again, as it has no way to call back; the browser's own timers drive what is waited for.
async function until(page, what, test) {
  for (let i = 0; i < 300; i++) {
    const now = await control("state");
    if (test(now)) return now;
    await page.waitForTimeout(50);
  }
  throw new Error(`never came: ${what}; ${JSON.stringify(await control("state"))}`);
}
const stateOf = (page) => page.locator(".page-head .chip").first();
const shows = (page, word) => stateOf(page).filter({ hasText: word }).waitFor({ timeout: 15_000 });

try {
  const { page, context, complaints } = await openPage(browser, mock.url, { clock: false });
  const answer = await (await fetch(`${mock.url}/api/v1/runs?state=running&limit=1`)).json();
  const run = answer.items[0];
  const detail = await (await fetch(`${mock.url}/api/v1/runs/${run.id}`)).json();
  const task = detail.tasks.find((one) => one.state === "running");
  const runEvent = (seq, state, more = {}) => push(seq, "run", { seq: `m-${seq}`, run: { ...run, state, ...more } });

  step("a tab opens a stream for what it shows");
  await page.goto(`${mock.url}/runs/${run.id}`);
  await settle(page);
  await shows(page, "Running");
  await until(page, "a stream that has the run", (now) => now.streams === 1 && now.topics[0].includes(`run:${run.id}`));

  step(`${kTabs} tabs share it`);
  const tabs = [page];
  for (let i = 1; i < kTabs; i++) {
    const tab = await context.newPage();
    await tab.goto(`${mock.url}${i % 2 ? "/runs" : `/runs/${run.id}`}`);
    await settle(tab);
    tabs.push(tab);
  }
  assert.equal((await control("state")).streams, 1, "more than one stream");
  for (const tab of tabs) await tab.locator('.live-dot[data-state="live"]').waitFor({ timeout: 15_000 });

  step("what happens is seen in each of them");
  await runEvent(10, "failed", { ended: new Date().toISOString() });
  for (const [i, tab] of tabs.entries()) {
    await tab.bringToFront(); // a hidden tab draws nothing
    if (i % 2 === 0) await shows(tab, "Failed");
    else await tab.locator("tbody tr", { hasText: run.flow }).filter({ hasText: "Failed" }).first().waitFor();
  }

  step("what is older changes nothing, and neither does the same once more");
  await runEvent(9, "running");
  await runEvent(10, "failed");
  await push(8, "task", { seq: "m-8", run: run.id, task: { ...task, state: "running" } });
  await runEvent(11, "running", { ended: null }); // somebody has run it again
  await page.bringToFront();
  await shows(page, "Running");
  await runEvent(12, "succeeded", { ended: new Date().toISOString() });
  await shows(page, "Succeeded");
  await runEvent(11, "running", { ended: null });
  await push(13, "flow", { name: run.flow, paused: false }); // has arrived when the next answer is asked for
  await page.waitForResponse((response) => response.url().includes("/api/v1/overview"));
  assert.match(await stateOf(page).textContent(), /Succeeded/);

  step("the tab that reads is closed, and another one reads on behind the last event");
  await tabs.shift().close();
  const after = await until(tabs[0], "a new stream", (now) => now.streams === 1 && now.opened > 1);
  assert.equal(after.lastIds.at(-1), "m-13", `it begins at ${after.lastIds.at(-1)}`);

  step("a stream that is cut comes back behind its last event");
  const second = tabs[1];
  await second.bringToFront();
  await runEvent(14, "running", { ended: null });
  await shows(second, "Running");
  const before = (await control("state")).opened;
  await control("cut");
  const back = await until(second, "the stream again", (now) => now.streams === 1 && now.opened > before);
  assert.equal(back.lastIds.at(-1), "m-14");
  await second.locator('.live-dot[data-state="live"]').waitFor({ timeout: 15_000 });

  step("the server has forgotten what was before: what is on the page is asked for again, and nothing else");
  const asked = [];
  second.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const again = second.waitForResponse((response) => response.url().endsWith(`/api/v1/runs/${run.id}`));
  await push(1, "resync", {});
  await again;
  await shows(second, "Running");
  assert.ok(!asked.some((path) => /lineage|quarantine\/rows|audit/.test(path)), `asked for ${asked}`);

  step("a server that is away is said, with what can be done; when it is back, the page goes on");
  await control("refuse/1");
  await control("cut");
  await second.locator(".offline-bar").waitFor({ timeout: 20_000 });
  assert.match(await second.locator(".offline-bar").textContent(), /Connection lost/);
  await control("refuse/0");
  await second.locator(".offline-bar button").first().click();
  await second.locator(".offline-bar").waitFor({ state: "detached", timeout: 15_000 });

  const faults = complaints.filter((text) => !/ERR_|net::|503/.test(text));
  assert.deepEqual(faults, []);
  console.log("live: all is well");
} finally {
  await browser.close();
  await mock.stop();
}
