// Every page, looked at by axe-core, in light and dark; the operator's page on a phone; the connector page alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { connectorOf, launch, list, openConsole, ready, repsBrowser, shoot } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const BOUND = { timeout: 90_000 };
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 390, height: 844 };

let demo;
let browser;

before(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
}, BOUND);

after(async () => {
  await browser?.close();
  await demo?.stop();
}, BOUND);

/** What axe finds wrong with a page or a frame of it, every rule applied; `incomplete` is what it cannot tell. */
async function complaintsOf(frame) {
  // Given as text to the browser's own tool, so that a page's content security policy does not matter.
  await frame.evaluate(AXE);
  const { violations } = await frame.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], iframes: false }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}

/** The demo with something on every page: a conversation, an invitation that was declined, one that rings. */
async function somethingToSee() {
  await demo.tidy();
  const { online } = await demo.people();
  const [anna, bo, cem] = online.map((rep) => rep.id);
  const { conversation } = await demo.org("conversations", { reps: [anna] });
  const ask = (userId) => demo.org("acts", { act: "requestConference", conversation, requester: anna, target: { userId } });
  const offerTo = async (rep) => {
    // Some changes make no news, so that the org is asked again after a while.
    let { last } = await demo.org(`events?after=${Number.MAX_SAFE_INTEGER}`);
    for (;;) {
      const { agentWorks } = await demo.org("state");
      const work = agentWorks.find((it) => it.rep === rep && it.conversation === conversation && it.state === "Assigned");
      if (work) return work.id;
      ({ last } = await demo.org(`events?after=${last}&waitMilliseconds=500`));
    }
  };
  await ask(bo);
  await demo.org("acts", { act: "decline", work: await offerTo(bo) });
  await ask(cem);
  await offerTo(cem);
  return { anna, cem };
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing on any page, ${colorScheme}`, BOUND, async () => {
    const { anna, cem } = await somethingToSee();
    const { context } = await repsBrowser(browser, { colorScheme });

    const console_ = await openConsole(context, demo.address, anna);
    await ready(console_);
    await console_.locator("#requests", { hasText: "Ringing" }).waitFor();
    assert.deepEqual(await complaintsOf(console_.mainFrame()), []);
    await shoot(console_, `axe-console-${colorScheme}`);
    const frame = console_.frames().find((it) => it.url().includes("/connector"));
    assert.deepEqual(await complaintsOf(frame), []);
    await list(console_, "Start Conference", "Queues");
    assert.deepEqual(await complaintsOf(console_.mainFrame()), [], "the list is open");
    await shoot(console_, `axe-list-${colorScheme}`);

    const invited = await openConsole(context, demo.address, cem);
    await ready(invited);
    await invited.locator(".offer, #conversations").first().waitFor();
    assert.deepEqual(await complaintsOf(invited.mainFrame()), [], "a rep who is invited");

    const operator = await context.newPage();
    await operator.goto(`${demo.address}/`);
    await operator.locator("#ended tbody tr").first().waitFor();
    await operator.locator("#parts li").first().waitFor();
    assert.deepEqual(await complaintsOf(operator.mainFrame()), []);
    await shoot(operator, `operator-${colorScheme}`);

    const alone = await context.newPage();
    await alone.goto(`${demo.address}/connector`);
    await alone.locator("#status", { hasText: "Connected" }).waitFor();
    assert.deepEqual(await complaintsOf(alone.mainFrame()), []);
    await shoot(alone, `connector-alone-${colorScheme}`);
    await context.close();
  });
}

test("every page fits a phone, and nothing scrolls sideways", BOUND, async () => {
  const { anna } = await somethingToSee();
  const { context } = await repsBrowser(browser, { viewport: PHONE });
  const page = await context.newPage();
  const wide = () =>
    page.evaluate((width) => {
      const sideways = [...document.querySelectorAll("*")].filter((it) => it.clientWidth > 0 && it.scrollWidth > it.clientWidth + 1);
      // A name that ends in an ellipsis is hidden, and does not scroll.
      const scrolls = sideways.filter((it) => ["auto", "scroll"].includes(getComputedStyle(it).overflowX) || it === document.documentElement);
      const out = [...document.querySelectorAll("body *")].filter((it) => {
        const { right, width: own } = it.getBoundingClientRect();
        return own > 1 && right > width + 1 && getComputedStyle(it).position !== "absolute";
      });
      return [...scrolls, ...out].map((it) => `${it.tagName.toLowerCase()}#${it.id}.${it.className}`);
    }, PHONE.width);

  await page.goto(`${demo.address}/`);
  await page.locator("#ended tbody tr").first().waitFor();
  await page.locator("#open tbody tr").first().waitFor();
  await page.locator("#parts li").first().waitFor();
  assert.deepEqual(await wide(), [], "the operator's page");
  assert.deepEqual(await complaintsOf(page.mainFrame()), []);
  await shoot(page, "operator-phone");

  await page.goto(`${demo.address}/connector`);
  await page.locator("#status", { hasText: "Connected" }).waitFor();
  assert.deepEqual(await wide(), [], "the connector page");

  await page.goto(`${demo.address}/console?rep=${anna}`);
  await ready(page);
  assert.deepEqual(await wide(), [], "the rep's console");
  await shoot(page, "console-phone");
  await context.close();
});

test("the connector page says what it is to whoever opens it, and not in Salesforce's frame", BOUND, async () => {
  const { online } = await demo.people();
  const { context } = await repsBrowser(browser);
  const alone = await context.newPage();
  await alone.goto(`${demo.address}/connector`);
  await alone.getByRole("heading", { name: "Connector" }).waitFor();
  assert.match(await alone.locator("#alone").textContent(), /Salesforce loads it in the rep's console/);
  assert.equal(await alone.locator("#alone").isVisible(), true);

  const page = await openConsole(context, demo.address, online[0].id);
  await ready(page);
  assert.equal(await connectorOf(page).locator("#alone").isVisible(), false);
  await context.close();
});
