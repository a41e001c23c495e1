// What people do without a mouse, by an address, with half a form, without a right, and while the server is away.
import assert from "node:assert/strict";
import { launch, layoutFaults, needParts, openPage, settle, startMock } from "./harness.mjs";

needParts();
let mock = await startMock();
const browser = await launch();
const step = (text) => console.log(`- ${text}`);
const seen = (locator, ms = 15_000) => locator.first().waitFor({ timeout: ms });

async function keyboard() {
  const { page, context, complaints } = await openPage(browser, mock.url);
  await page.goto(mock.url);
  await settle(page);
  step("the first Tab offers to skip to the page; keys lead from page to page");
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip to the page/);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.waitForURL(/\/runs/);
  await seen(page.locator('table[aria-label="Runs"] tbody tr'));
  step("/ filters, Enter leads to the rows, j and Enter open one, Back comes back to the filter");
  await page.keyboard.press("/");
  await page.keyboard.type("shop");
  await page.waitForURL(/q=shop/);
  await page.locator('table[aria-label="Runs"] tbody tr:not(.spacer)').filter({ hasNotText: "shop" }).first().waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.closest("tbody") !== null), "Enter does not lead to the rows");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/runs\/[^?]/);
  await settle(page);
  await page.goBack();
  await page.waitForURL(/\/runs\?.*q=shop/);
  assert.equal(await page.getByRole("searchbox").first().inputValue(), "shop");
  step("the palette finds an object, and gives the focus back when it is left");
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("Control+k");
  await seen(page.locator("dialog[open] input"));
  await page.keyboard.type("fct_revenue");
  await seen(page.locator("dialog[open]").getByText("fct_revenue"));
  await page.keyboard.press("Enter");
  await page.waitForURL(/fct_revenue/);
  await settle(page);
  await page.keyboard.press("?");
  await seen(page.locator("dialog[open]", { hasText: "Keys" }));
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  step("no single key starts or stops anything");
  const sent = [];
  page.on("request", (request) => request.method() !== "GET" && sent.push(request.url()));
  await page.goto(`${mock.url}/flows/daily`);
  await settle(page);
  for (const key of "abcdefhijklmnoprsuvwxyz0123456789") await page.keyboard.press(key);
  assert.deepEqual(sent, []);
  assert.deepEqual(complaints, []);
  await context.close();
}

async function addresses() {
  const { page, context, complaints } = await openPage(browser, mock.url);
  step("an address alone reproduces the view; Back closes what was opened");
  await page.goto(`${mock.url}/runs?state=failed&flow=facebook_ads`);
  await settle(page);
  const states = await page.locator('table[aria-label="Runs"] tbody .status').allTextContents();
  assert.ok(states.length > 0 && states.every((text) => /Failed/.test(text)), `states: ${states}`);
  await page.goto(`${mock.url}/settings?tab=alerts`);
  await settle(page);
  await page.getByRole("button", { name: /facebook_ads has failed/ }).first().click();
  await seen(page.locator("dialog[open]", { hasText: "Who was told" }));
  assert.match(page.url(), /alert=a1/);
  await page.goBack();
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  assert.match(page.url(), /tab=alerts/);
  await page.goto(`${mock.url}/runs?state=nonsense&who=knows`);
  await settle(page);
  await seen(page.locator("h1", { hasText: "Runs" }));
  await page.goto(`${mock.url}/no/such/page`);
  await seen(page.locator("h1"));
  assert.deepEqual(complaints, []);
  await context.close();
}

async function forms() {
  const { page, context, complaints } = await openPage(browser, mock.url);
  step("what is wrong with a form stands beside its field, and in a list that leads there");
  await page.goto(`${mock.url}/connections/new?type=postgres`);
  await settle(page);
  await page.getByRole("button", { name: "Review and save" }).click();
  await seen(page.locator('[role="alert"] li'));
  const wrong = page.locator('form [aria-invalid="true"]').first();
  await seen(wrong);
  const id = await wrong.getAttribute("aria-describedby");
  const text = await page.evaluate((ids) => ids.split(" ").map((one) => document.getElementById(one)?.textContent ?? "").join(" "), id ?? "");
  assert.match(text, /needed/, `the field is described by: ${text}`);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-invalid")), "true", "the focus is not on the first wrong field");
  step("half a form survives a reload, a secret does not");
  await page.goto(`${mock.url}/connections/new?type=rest`);
  await settle(page);
  await page.getByLabel(/^Name/).first().fill("crm2");
  await page.getByLabel(/^Base url/).fill("https://api.example.com");
  const headers = page.locator("fieldset.field", { has: page.locator("legend", { hasText: "Headers" }) });
  await headers.getByRole("button", { name: "Add an entry" }).click();
  await headers.getByPlaceholder("name").fill("X-Api-Key");
  await headers.getByPlaceholder("kept in the secret store").fill("hush-hush");
  assert.ok(!(await page.content()).includes("hush-hush"), "the secret is in the page");
  await page.reload();
  await settle(page);
  assert.equal(await page.getByLabel(/^Name/).first().inputValue(), "crm2");
  assert.equal(await page.getByLabel(/^Base url/).inputValue(), "https://api.example.com");
  const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  assert.ok(!kept.includes("hush-hush"), "the secret is in the browser's store");
  assert.deepEqual(complaints, []);
  await context.close();
}

async function rights() {
  const { page, context } = await openPage(browser, mock.url);
  step("what one may not do is shown with the reason, and does nothing");
  await page.route("**/api/v1/me", async (route) => {
    const answer = await (await route.fetch()).json();
    await route.fulfill({ json: { ...answer, name: "cleo", role: "viewer" } });
  });
  await page.goto(`${mock.url}/flows/daily`);
  await settle(page);
  const button = page.getByRole("button", { name: "Run now" });
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  assert.match(await page.locator(`[id="${await button.getAttribute("aria-describedby")}"]`).textContent(), /operator/);
  const sent = [];
  page.on("request", (request) => request.method() !== "GET" && sent.push(request.url()));
  await button.click({ force: true });
  await button.focus();
  await page.keyboard.press("Enter");
  assert.deepEqual(sent, []);
  await context.close();
}

async function narrow() {
  const { page, context } = await openPage(browser, mock.url, { width: 320, height: 640 });
  step("at 320 px nothing scrolls sideways; nothing moves when one asks for that");
  for (const path of ["/", "/runs", "/pipelines", "/data", "/quality", "/connections/new?type=rest", "/settings?tab=alerts"]) {
    await page.goto(mock.url + path);
    await settle(page);
    assert.deepEqual(await layoutFaults(page), [], path);
  }
  const moves = await page.evaluate(() =>
    [...document.querySelectorAll("*")]
      .filter((element) => {
        const style = getComputedStyle(element);
        return parseFloat(style.transitionDuration) > 0.011 || (style.animationName !== "none" && parseFloat(style.animationDuration) > 0.011);
      })
      .map((element) => element.className),
  );
  assert.deepEqual(moves, []);
  await context.close();
}

// A piece of the app, a call and the stream of events may each be what finds the server gone.
async function away() {
  const { page, context } = await openPage(browser, mock.url, { clock: false });
  step("the server goes away: what was shown stays, with its time; what cannot be done says why");
  await page.goto(`${mock.url}/flows/daily`);
  await settle(page);
  await page.locator('.live-dot[data-state="live"]').waitFor();
  const port = Number(new URL(mock.url).port);
  await mock.stop();
  await seen(page.locator(".offline-bar"), 20_000);
  assert.match(await page.locator(".offline-bar").textContent(), /Connection lost, showing data from \d\d:\d\d/);
  assert.ok(await page.locator("h1", { hasText: "daily" }).isVisible(), "the page is gone");
  await page.getByRole("button", { name: "Run now" }).click();
  await seen(page.getByText(/cannot be reached/));
  step("a page that was never opened says what is wrong, and offers to try again");
  await page.locator('.rail a[href="/quality"]').click();
  await seen(page.locator('main [role="alert"]'), 20_000);
  assert.ok(await page.locator(".rail").isVisible(), "the rail is gone");
  step("it comes back: the page goes on by itself");
  mock = await startMock({ port });
  await page.locator(".offline-bar button").click({ timeout: 5000 }).catch(() => {}); // or it has come back already
  await page.locator(".offline-bar").waitFor({ state: "detached", timeout: 40_000 });
  await page.getByRole("button", { name: /Try again/ }).first().click({ timeout: 3000 }).catch(() => {}); // or it was read again
  await seen(page.locator('table[aria-label="Checks"] tbody tr'), 20_000);
  await context.close();
}

try {
  await keyboard();
  await addresses();
  await forms();
  await rights();
  await narrow();
  await away();
  console.log("states: all is well");
} finally {
  await browser.close();
  await mock.stop();
}
