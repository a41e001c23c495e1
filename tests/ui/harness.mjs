// What the tests of the web app share: Debian's Chromium, the mock server, and the checks that hold for every page.
// A machine without node, chromium or the built app skips by status 77, with one line that says why.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
export const ui = path.join(root, "ui");
const load = createRequire(path.join(ui, "package.json"));

export function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

function findChromium() {
  for (const name of [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]) {
    if (name && fs.existsSync(name)) return name;
  }
  return skip("no chromium; scripts/setup --extras installs it");
}

export function needPackages() {
  if (!fs.existsSync(path.join(ui, "node_modules/openapi-typescript"))) skip("ui/node_modules is missing; scripts/ui installs it");
}
export function needParts() {
  if (!fs.existsSync(path.join(ui, "node_modules/playwright-core"))) skip("ui/node_modules is missing; scripts/ui installs it");
  if (!fs.existsSync(path.join(ui, "dist/index.html"))) skip("ui/dist is not built; run scripts/ui");
}

export async function launch() {
  const { chromium } = load("playwright-core");
  return chromium.launch({
    executablePath: findChromium(),
    args: ["--no-sandbox", "--force-color-profile=srgb", "--font-render-hinting=none", "--disable-dev-shm-usage"],
  });
}
export const axeSource = () => fs.readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");

// Runs a program that says its address in a line of its output; stopped by its process id.
export function startServer(command, args, options, pattern) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let said = "";
  const address = new Promise((resolve, reject) => {
    const hear = (piece) => {
      said += piece;
      const found = pattern.exec(said);
      if (found) resolve(found[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => reject(new Error(`${command} ended with ${code}: ${said}`)));
  });
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.removeAllListeners("exit");
      child.on("exit", resolve);
      child.kill("SIGTERM");
    });
  return { address, stop, child, said: () => said };
}

// A project of a template, served on a free port with the app as it was built last.
export function startServe(shaduf, folder, template, more = []) {
  const project = path.join(folder, template);
  const made = spawnSync(shaduf, ["init", "--template", template, project], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`init: ${made.stdout}${made.stderr}`);
  const server = startServer(
    shaduf,
    ["--project", project, "serve", "--port", "0", "--ui-dir", path.join(ui, "dist"), ...more],
    { cwd: project },
    /(http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+)/,
  );
  return { ...server, project };
}

export const kNow = "2026-11-22T07:00:08.000Z";
// `port`: of one that was stopped, to come back as.
export async function startMock({ port = 0 } = {}) {
  const built = spawnSync(process.execPath, ["build/mock.mjs", "--build-only"], { cwd: ui, encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  const server = startServer(
    process.execPath,
    [built.stdout.trim()],
    { cwd: ui, env: { ...process.env, MOCK_NOW: kNow, PORT: String(port) } },
    /mock: (http:\S+)/,
  );
  return { ...server, url: await server.address };
}

// A page with a fixed clock and zone; what it complains of is collected.
export async function openPage(browser, base, { scenario = "usual", theme = "light", width = 1440, height = 900, clock = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: "reduce",
    timezoneId: "Europe/Zurich",
    locale: "en-GB",
  });
  await context.addCookies([{ name: "mock", value: scenario, url: base }]);
  const page = await context.newPage();
  if (clock) await page.clock.setFixedTime(new Date(kNow));
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (/Content Security Policy|violates/i.test(text)) complaints.push(`csp: ${text}`);
    else if (message.type() === "error" && !/Failed to load resource/.test(text)) complaints.push(`console: ${text}`);
  });
  return { page, context, complaints };
}

// Until the page shows its answer and its fonts, and nothing moves it any more.
export async function settle(page) {
  await page.waitForLoadState("load");
  await page.evaluate(() => document.fonts.ready.then(() => true));
  await page.locator("h1, .notice").first().waitFor({ timeout: 15_000 });
  for (let i = 0; i < 100; i++) {
    const busy = await page.evaluate(() => document.querySelectorAll("[aria-busy=true], .code-fallback, [data-laying-out]").length);
    if (busy === 0) break;
    await page.waitForTimeout(50);
  }
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))));
}

// What must hold for every page: nothing is wider than the window, nothing that one presses is cut off.
export async function layoutFaults(page) {
  return page.evaluate(() => {
    const faults = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) {
      const wide = [...document.querySelectorAll("main *, header *, nav *")].find((element) => {
        const box = element.getBoundingClientRect();
        return box.right > width + 1 && box.width > 0 && !element.closest(".table-box, .gantt-body, .log-body, .tabs, .diff-body, .code-editor, .segmented, .react-flow");
      });
      faults.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${width}${wide ? `: ${wide.tagName}.${wide.className}` : ""}`);
    }
    for (const button of document.querySelectorAll(".button")) {
      if (button.scrollWidth > button.clientWidth + 2 && button.clientWidth > 0) faults.push(`text of a button is cut off: ${button.textContent}`);
    }
    if (document.querySelectorAll("h1").length !== 1) faults.push(`${document.querySelectorAll("h1").length} h1`);
    const primary = [...document.querySelectorAll("main .button.primary")].filter((button) => button.offsetParent !== null);
    if (primary.length > 1) faults.push(`${primary.length} primary buttons`);
    return faults;
  });
}
