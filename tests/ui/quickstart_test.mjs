// A person's first quarter of an hour, against the real server: open the quickstart, run its pipeline and see it live,
// see what went to quarantine, connect a second source (an HTTP API) through the form, load it, see its lineage.
//   node tests/ui/quickstart_test.mjs SHADUF [folder for pictures]
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { launch, needParts, openPage, settle, skip, startServe } from "./harness.mjs";

const shaduf = path.resolve(process.argv[2] ?? "build/debug/shaduf");
const pictures = process.argv[3];
if (!fs.existsSync(shaduf)) skip(`no program at ${shaduf}`);
needParts();
if (spawnSync(shaduf, ["serve", "--help"], { encoding: "utf8" }).status !== 0) skip("this build has no serve");

// A blog's API: 40 posts, in pages of 10; the key is asked for.
const kKey = "key-that-nobody-may-see";
const posts = Array.from({ length: 40 }, (_, i) => ({ id: i + 1, title: `Post ${i + 1}`, author: { id: 1 + (i % 7) }, words: 120 + i * 3 }));
const api = http.createServer((request, response) => {
  const url = new URL(request.url, "http://api");
  const refused = request.headers["x-api-key"] !== kKey;
  response.writeHead(refused ? 401 : 200, { "Content-Type": "application/json" });
  if (refused) return response.end('{"error": "bad key"}');
  response.end(JSON.stringify(url.pathname === "/posts" ? posts : { status: "ok" }));
});
await new Promise((done) => api.listen(0, "127.0.0.1", done));
const apiUrl = `http://127.0.0.1:${api.address().port}`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "shaduf-ui-"));
const server = startServe(shaduf, folder, "quickstart");
const { project } = server;
const browser = await launch();
let page;
let shots = 0;
const shot = async (name) => {
  if (!pictures) return;
  fs.mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, `${String(++shots).padStart(2, "0")}-${name}.png`) });
};
const step = (text) => console.log(`- ${text}`);
function expect(good, what) {
  if (!good) throw new Error(what);
}
const seen = (locator, ms = 30_000) => locator.first().waitFor({ timeout: ms });

try {
  const base = await server.address;
  const opened = await openPage(browser, base, { clock: false });
  page = opened.page;

  step("the address opens on what there is to do");
  await page.goto(base);
  await settle(page);
  await shot("home-empty");

  step("a pipeline is run by hand, and seen live");
  await page.goto(`${base}/pipelines`);
  await seen(page.getByRole("link", { name: "events", exact: true }).or(page.locator("table a.cell-link")));
  const first = (await page.locator("table a.cell-link .strong").first().textContent()).trim();
  await page.locator("table a.cell-link").first().click();
  await seen(page.getByRole("heading", { level: 1, name: first }));
  await page.getByRole("button", { name: "Run now" }).click();
  await page.waitForURL(/\/runs\//);
  await seen(page.locator(".page-head .chip", { hasText: /Succeeded|Warning/ }), 60_000);
  await seen(page.locator(".log-line"));
  await settle(page);
  await shot("run");
  expect((await page.locator(".log-line").count()) > 0, "the log of the run has no line");

  step("rows that were refused stand in quarantine");
  await page.goto(`${base}/quality/quarantine`);
  await seen(page.locator("table[aria-label=Reasons] tbody tr"));
  await page.locator("table[aria-label=Reasons] tbody a").first().click();
  await seen(page.locator('table[aria-label="Rows in quarantine"] tbody tr'));
  await settle(page);
  await shot("quarantine");

  step("a second source is connected through the form");
  await page.goto(`${base}/connections`);
  await page.getByRole("link", { name: "Add connection" }).click();
  await page.getByRole("searchbox", { name: "Search systems" }).fill("http");
  await page.locator("a.gallery-card").filter({ hasText: /rest/i }).first().click();
  await page.getByLabel(/^Name/).first().fill("blog");
  await page.getByLabel(/^Base url/).fill(apiUrl);
  const headers = page.locator("fieldset.field", { has: page.locator("legend", { hasText: "Headers" }) });
  await headers.getByRole("button", { name: "Add an entry" }).click();
  await headers.getByPlaceholder("name").fill("X-Api-Key");
  await headers.getByPlaceholder("kept in the secret store").fill(kKey);
  await seen(page.locator(".file-column .diff-line.add", { hasText: "blog" }));
  await page.getByRole("button", { name: "Test connection" }).click();
  await seen(page.getByRole("status").filter({ hasText: /Answers|Does not answer/ }));
  await shot("form");
  expect((await page.getByRole("status").filter({ hasText: "Answers" }).count()) > 0, `the test failed: ${await page.locator(".test-steps").textContent()}`);
  await page.getByRole("button", { name: "Review and save" }).click();
  await seen(page.locator("dialog .diff-line.add"));
  await shot("review");
  expect(!(await page.content()).includes(kKey), "the key is in the page");
  await page.locator("dialog").getByRole("button", { name: "Save shaduf.yml" }).click();
  await page.waitForURL(/\/connections\/blog/);
  const written = fs.readFileSync(path.join(project, "shaduf.yml"), "utf8");
  expect(written.includes("blog:") && written.includes("# the warehouse: one file"), `the file has lost something: ${written}`);
  expect(!written.includes(kKey), "the key is in the file");

  step("a stream of it is described, previewed and saved as a pipeline");
  await page.getByRole("button", { name: "Add a stream by hand" }).click();
  const dialog = page.locator("dialog");
  await dialog.getByLabel(/^Name/).fill("posts");
  const more = dialog.locator("details.advanced");
  if ((await dialog.getByLabel(/^Path/).first().isVisible()) === false) await more.locator("summary").click();
  await dialog.getByLabel(/^Path/).first().fill("/posts");
  await dialog.getByRole("button", { name: "Show first rows" }).click();
  await seen(dialog.locator("table.result-table tbody td", { hasText: "Post 1" }));
  await shot("preview");
  await dialog.getByRole("button", { name: "Add posts" }).click();
  await seen(page.locator("table[aria-label=Streams] tbody tr", { hasText: "posts" }));
  await page.getByRole("button", { name: "Review and save" }).click();
  await seen(page.locator("dialog .diff-line.add"));
  await page.locator("dialog").getByRole("button", { name: /^Save pipelines/ }).click();
  await page.waitForURL(/\/pipelines\/blog/);
  await seen(page.getByRole("heading", { level: 1, name: /blog/ }));

  step("it is run, and its rows are there");
  await page.getByRole("button", { name: "Run now" }).click();
  await page.waitForURL(/\/runs\//);
  await seen(page.locator(".page-head .chip", { hasText: "Succeeded" }), 60_000);
  await shot("second-run");
  await page.goto(`${base}/data/sql?sql=${encodeURIComponent("select count(*) as posts from raw_blog.posts")}&run=1`);
  await seen(page.locator("table.result-table tbody td", { hasText: "40" }));

  step("the lineage is drawn");
  await page.goto(`${base}/lineage`);
  await seen(page.locator(".graph-node", { hasText: "posts" }));
  await seen(page.locator(".graph-node", { hasText: "blog" }));
  expect((await page.locator(".react-flow__edge").count()) > 0, "the graph has no edge");
  await settle(page);
  await shot("lineage");

  step("Home is calm, and the day's runs are on it");
  await page.goto(base);
  await seen(page.locator(".timeline-row"));
  await settle(page);
  await shot("home");
  expect(opened.complaints.length === 0, opened.complaints.join("\n"));
  console.log("the quickstart works");
} catch (error) {
  if (page) {
    await page.screenshot({ path: path.join(os.tmpdir(), "shaduf-ui-failed.png") });
    console.log(`at ${page.url()}: ${(await page.locator("main").textContent().catch(() => "")).slice(0, 800)}`);
  }
  console.log(server.said().slice(-2000));
  throw error;
} finally {
  await browser.close();
  await server.stop();
  api.close();
  fs.rmSync(folder, { recursive: true, force: true });
}
