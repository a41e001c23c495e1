// Every page in both themes, on the mock server: nothing is against WCAG's rules as far as axe knows them, nothing is
// wider than its window, nothing breaks the content security policy, and no page throws.
//   node tests/ui/pages_test.mjs [page...]
import { axeSource, launch, layoutFaults, needParts, openPage, settle, startMock } from "./harness.mjs";
import { kPages, pathOf } from "./pages.mjs";

needParts();
const only = process.argv.slice(2);
const axe = axeSource();
const mock = await startMock();
const browser = await launch();
const faults = [];
let checked = 0;
try {
  for (const [scenario, theme, width] of [
    ["usual", "light", 1440],
    ["usual", "dark", 1440],
    ["usual", "light", 390],
    ["empty", "light", 1440],
    ["error", "dark", 390],
    ["huge", "light", 390],
  ]) {
    const { page, context, complaints } = await openPage(browser, mock.url, { scenario, theme, width, height: 900 });
    for (const entry of kPages) {
      if (only.length > 0 && !only.includes(entry.name)) continue;
      const where = `${entry.name}, ${scenario}, ${theme}, ${width} px`;
      await page.goto(mock.url + (await pathOf(entry, mock.url, scenario)));
      await settle(page);
      for (const fault of await layoutFaults(page)) if (scenario !== "error" || !/h1$/.test(fault)) faults.push(`${where}: ${fault}`);
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const found = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
        return found.violations.map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
      });
      for (const violation of violations) faults.push(`${where}: ${violation}`);
      for (const complaint of complaints.splice(0)) faults.push(`${where}: ${complaint}`);
      checked++;
    }
    await context.close();
  }
} finally {
  await browser.close();
  await mock.stop();
}
for (const fault of faults) console.log(fault);
console.log(`${checked} pages checked, ${faults.length} faults`);
if (checked === 0) process.exitCode = 2;
if (faults.length > 0) process.exitCode = 1;
