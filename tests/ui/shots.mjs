// Pictures of every page, for people to look at: page x theme x width x state, into build/ui-shots with an index.
//   node tests/ui/shots.mjs [--pages home,runs] [--states usual,empty] [--themes light] [--widths 1440]
import fs from "node:fs";
import path from "node:path";
import { launch, layoutFaults, needParts, openPage, root, settle, startMock } from "./harness.mjs";
import { kPages, pathOf } from "./pages.mjs";

const option = (name, all) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? all : process.argv[at + 1].split(",");
};
needParts();
const out = path.join(root, "build/ui-shots");
fs.mkdirSync(out, { recursive: true });
const mock = await startMock();
const browser = await launch();
const made = [];
let faulty = 0;
try {
  for (const state of option("states", ["usual", "empty", "error", "huge"])) {
    for (const theme of option("themes", ["light", "dark"])) {
      for (const width of option("widths", ["1440", "390"]).map(Number)) {
        const { page, context, complaints } = await openPage(browser, mock.url, { scenario: state, theme, width, height: width < 500 ? 844 : 900 });
        for (const entry of kPages) {
          if (!option("pages", kPages.map((one) => one.name)).includes(entry.name)) continue;
          await page.goto(mock.url + (await pathOf(entry, mock.url, state)));
          await settle(page);
          const name = `${entry.name}-${state}-${theme}-${width}.png`;
          await page.screenshot({ path: path.join(out, name) });
          const faults = [...(await layoutFaults(page)), ...complaints.splice(0)];
          for (const fault of faults) console.log(`${name}: ${fault}`);
          faulty += faults.length;
          made.push(name);
        }
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await mock.stop();
}
const cells = made.map((name) => `<figure><img loading="lazy" src="${name}" alt=""><figcaption>${name}</figcaption></figure>`);
fs.writeFileSync(
  path.join(out, "index.html"),
  `<!doctype html><title>Pictures</title><style>body{font:13px sans-serif;display:flex;flex-wrap:wrap;gap:16px}img{width:480px;border:1px solid #ccc}</style>${cells.join("")}`,
);
console.log(`${made.length} pictures in build/ui-shots, ${faulty} faults`);
process.exitCode = faulty > 0 ? 1 : 0;
