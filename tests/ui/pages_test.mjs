// Every page in both themes, on the mock server: nothing is against WCAG's rules as far as axe knows them, nothing is
// wider than its window, nothing breaks the content security policy, and no page throws.
//   node tests/ui/pages_test.mjs [--usual | --others] [page...]     the worlds in two halves, to run beside each other
import { axeSource, launch, layoutFaults, needParts, openPage, settle, startMock } from "./harness.mjs";
import { kPages, pathOf } from "./pages.mjs";

needParts();
const only = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const axe = axeSource();
const mock = await startMock();
const browser = await launch();
const faults = [];
let checked = 0;
// Two worlds at a time: while one page is laid out, the other waits for its answers.
const half = process.argv.find((word) => word === "--usual" || word === "--others");
const worlds = [
  ["usual", "light", 1440],
  ["usual", "dark", 1440],
  ["usual", "light", 390],
  ["empty", "light", 1440],
  ["error", "dark", 390],
  ["huge", "light", 390],
].filter(([scenario]) => !half || (scenario === "usual") === (half === "--usual"));
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

async function checkPage(page, entry, [scenario, theme, width]) {
  const where = `${entry.name}, ${scenario}, ${theme}, ${width} px`;
  await page.goto(mock.url + (await pathOf(entry, mock.url, scenario)));
  await settle(page);
  for (const fault of await layoutFaults(page)) if (scenario !== "error" || !/h1$/.test(fault)) faults.push(`${where}: ${fault}`);
  await page.evaluate(axe);
  const violations = await page.evaluate(async (rules) => {
    const found = await window.axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
    const told = (node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`;
    return found.violations.map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map(told).join(" | ")}`);
  }, rules);
  for (const violation of violations) faults.push(`${where}: ${violation}`);
  checked++;
  return where;
}

async function lane() {
  for (let world = worlds.shift(); world; world = worlds.shift()) {
    const [scenario, theme, width] = world;
    const { page, context, complaints } = await openPage(browser, mock.url, { scenario, theme, width, height: 900 });
    for (const entry of kPages) {
      if (only.length > 0 && !only.includes(entry.name)) continue;
      const where = await checkPage(page, entry, world);
      for (const complaint of complaints.splice(0)) faults.push(`${where}: ${complaint}`);
    }
    await context.close();
  }
}
try {
  await Promise.all([lane(), lane()]);
} finally {
  await browser.close();
  await mock.stop();
}
for (const fault of faults) console.log(fault);
console.log(`${checked} pages checked, ${faults.length} faults`);
if (checked === 0) process.exitCode = 2;
if (faults.length > 0) process.exitCode = 1;
