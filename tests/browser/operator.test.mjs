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
  const refused = json({ error: "timed out after 10 seconds", field: null, hint: "send the same again" }, 503);
  await page.route("**/v1/routing-requests?state=open*", (route) => route.fulfill(refused));
  await page.goto(`${demo.address}/`);

  await page.locator("#parts li", { hasText: "store: down" }).waitFor();
  assert.match(await page.locator("#parts").textContent(), /the disk is full/);
  await page.locator("#banner", { hasText: "Open requests cannot be read: timed out after 10 seconds." }).waitFor();
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
    problem: "declines come only from the connector page",
    hint: "set it to true",
  };
  await page.route("**/readyz", (route) => route.fulfill(json({ ready: true, checks: [], notices: [notice] })));
  await page.goto(`${demo.address}/`);

  const shown = page.locator("#notices li");
  await shown.waitFor();
  const text = await shown.innerText();
  for (const wanted of ["declines-not-heard: declines come only from the connector page", "What to do: set it to true", notice.channel, ORG, "for 2 min"]) {
    assert.ok(text.includes(wanted), `${wanted} in ${text}`);
  }
  await shoot(page, "operator-notice");
  await context.close();
});

test("the page says who asked and who joined, what is being undone, and which conversations cannot be read", BOUND, async () => {
  const { context } = await repsBrowser(browser, { viewport: { width: 1400, height: 1000 } });
  const page = await context.newPage();
  const now = new Date().toISOString();
  const place = { org: ORG, channel: "devorg_PartnerMessaging" };
  const [ada, bo] = ["005Hs00000Ada01", "005Hs00000Bo002"];
  const what = { ...place, state: "ended", request: "3f0d2a52", conversation: "b6fd18c4", at: now };
  const requests = [
    { ...what, routingType: "Conference", requester: ada, target: "queue 00GHs0000000Bil", joined: bo, outcome: "joined", reason: "The rep accepted." },
    { ...what, routingType: null, requester: null, target: null, joined: null, outcome: "declined", reason: "Nobody was left." },
  ];
  await page.route("**/v1/routing-requests?state=ended*", (route) => route.fulfill(json({ requests, more: false })));
  const owed = { ...place, id: "0f4e6d0c-3c52-5a51-9a55-1b6f0f3c8f11", request: "3f0d2a53", conversation: "b6fd18c5", workItem: null };
  const first = { undo: "cancelOffer", rep: bo, work: null, since: now, tries: 0, nextTry: now, lastAnswer: "HTTP 503: busy" };
  await page.route("**/v1/owed?*", (route) => route.fulfill(json({ owed: [{ ...owed, ...first }, { ...owed, ...first, tries: 2 }], more: false })));
  const lost = { ...place, conversation: "b6fd18c6", why: "its facts: odd", workItem: null, works: ["0BzHs0000000001"], psrs: [] };
  let listed = [lost];
  await page.route("**/v1/unreadable-conversations?*", (route) => route.fulfill(json({ conversations: listed, more: false })));
  let ordered = "";
  await page.route("**/give-up?*", (route) => {
    ordered = new URL(route.request().url()).pathname;
    listed = [];
    return route.fulfill(json({ conversation: lost.conversation, givenUp: true, undone: [], left: [] }));
  });
  await page.goto(`${demo.address}/`);

  const text = (selector, n) => page.locator(`${selector} tbody tr`).nth(n).innerText();
  await page.locator("#ended tbody tr").nth(1).waitFor();
  for (const wanted of ["Conference, queue", "00GHs0000000Bil", `requested by ${ada}`, "joined", bo]) {
    assert.ok((await text("#ended", 0)).includes(wanted), wanted);
  }
  assert.ok(!(await text("#ended", 1)).includes("null"));
  assert.match(await text("#owed", 0), /being tried for the first time/);
  assert.equal(await page.locator("#owed tbody tr").nth(0).locator("button").count(), 0, "it is being tried");
  assert.equal(await page.locator("#owed tbody tr").nth(1).locator("button").count(), 2);
  assert.match(await text("#unreadable", 0), /its facts: odd[^]*0BzHs0000000001/);
  await shoot(page, "operator-lists");

  page.on("dialog", (dialog) => dialog.accept());
  await page.locator("#unreadable button").click();
  await page.locator("#unreadable-said", { hasText: "Given up." }).waitFor();
  assert.equal(ordered, "/v1/unreadable-conversations/b6fd18c6/give-up");
  await context.close();
});
