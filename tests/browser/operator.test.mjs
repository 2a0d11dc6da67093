// The operator's page at three in the morning: one thing that cannot be read does not hide the others.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, repsBrowser, shoot } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const BOUND = { timeout: 90_000 };
const ORG = "00DHu0000012345";

let demo;
let browser;

before(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
}, BOUND);

after(async () => {
  await browser?.close();
  await demo?.stop();
}, BOUND);

const json = (body, status = 200) => ({ status, contentType: "application/json", body: JSON.stringify(body) });

test("while the store fails the page says so, and claims nothing about requests that it could not read", BOUND, async () => {
  const { context } = await repsBrowser(browser, { viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const problem = "the store cannot grow: the disk is full";
  const checks = [{ what: "store", org: null, channel: null, ok: false, since: new Date().toISOString(), problem }];
  await page.route("**/readyz", (route) => route.fulfill(json({ ready: false, checks, notices: [] }, 503)));
  const refused = json({ error: "this was not done within 10 seconds", field: null, hint: "send the same again" }, 503);
  await page.route("**/v1/routing-requests?state=open*", (route) => route.fulfill(refused));
  await page.goto(`${demo.address}/`);

  await page.locator("#parts li", { hasText: "store: down" }).waitFor();
  assert.match(await page.locator("#parts").textContent(), /the disk is full/);
  await page.locator("#banner", { hasText: "Open requests could not be read: this was not done within 10 seconds." }).waitFor();
  const empty = (name) => page.locator(`#${name} + .empty`).textContent();
  assert.equal(await empty("open"), "Not read yet.");
  assert.equal(await empty("ended"), "No request has ended yet.", "this one was read");
  await shoot(page, "operator-store-down");

  await page.unroute("**/v1/routing-requests?state=open*");
  await page.locator("#open + .empty", { hasText: "No request is open." }).waitFor();
  await page.locator("#banner").waitFor({ state: "hidden" });
  await context.close();
});

test("the page shows what somebody should look at, whose it is, since when, and what to do", BOUND, async () => {
  const { context } = await repsBrowser(browser);
  const page = await context.newPage();
  const notice = {
    what: "declines-not-heard",
    org: ORG,
    channel: "devorg_PartnerMessaging",
    since: new Date(Date.now() - 120_000).toISOString(),
    problem: "declines are not heard",
    hint: "set it to true",
  };
  await page.route("**/readyz", (route) => route.fulfill(json({ ready: true, checks: [], notices: [notice] })));
  await page.goto(`${demo.address}/`);

  const shown = page.locator("#notices li");
  await shown.waitFor();
  const text = await shown.innerText();
  for (const wanted of ["declines-not-heard: declines are not heard", "What to do: set it to true", notice.channel, ORG, "for 2 min"]) {
    assert.ok(text.includes(wanted), `${wanted} in ${text}`);
  }
  await shoot(page, "operator-notice");
  await context.close();
});
