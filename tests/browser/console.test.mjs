// The demo in a real headless Chromium: the rep's console, the connector page with the npm package in it, and the
// connector behind it. Nothing sleeps; every wait is for something, and ends after `WITHIN`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  begin,
  CONNECTOR,
  connectorOf,
  inTab,
  launch,
  list,
  openConsole,
  participants,
  ready,
  repsBrowser,
  SALESFORCE,
  setUpBySalesforce,
  shoot,
  STRANGER,
} from "./browser.mjs";
import { Demo } from "./demo.mjs";
import { proxy } from "./tls.mjs";

const BOUND = { timeout: 90_000 };

let demo;
let browser;

before(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
}, BOUND);

after(async () => {
  await browser?.close();
  await demo?.stop();
}, BOUND);

/** The rep who asks: the first who is online. */
async function cast() {
  await demo.tidy();
  const people = await demo.people();
  return { ...people, anna: people.online[0].id };
}

const sorted = (ids) => [...ids].sort();

test("each of the two lists shows who can be asked, and nobody outside of Salesforce", BOUND, async () => {
  const { anna, online, queues, flows, outside } = await cast();
  assert.ok(outside.length > 0, "the demo has somebody outside, who cannot be in a conference");
  const { context, complaints } = await repsBrowser(browser);
  const page = await openConsole(context, demo.address, anna);
  await ready(page);
  await begin(page);

  const others = online.map((rep) => rep.id).filter((id) => id !== anna);
  assert.deepEqual(sorted(await list(page, "Start Conference", "Reps")), sorted(others));
  await shoot(page, "conference-list");
  assert.deepEqual(sorted(await inTab(page, "Queues")), sorted(queues));
  await shoot(page, "conference-queues");
  assert.deepEqual(sorted(await inTab(page, "Flows")), sorted(flows));
  assert.equal(await page.getByRole("tab", { name: "Others" }).count(), 0);

  await page.getByRole("tab", { name: "Reps" }).click();
  const { name } = online.find((rep) => rep.id !== anna);
  await page.getByRole("searchbox").fill(name.slice(0, 4));
  await page.locator("#contacts li", { hasText: name }).waitFor();
  const found = await inTab(page, "Reps");
  const wanted = online.filter((rep) => rep.id !== anna && rep.name.toLowerCase().includes(name.slice(0, 4).toLowerCase()));
  assert.deepEqual(sorted(found), sorted(wanted.map((rep) => rep.id)));
  await page.getByRole("button", { name: "Close" }).click();

  assert.deepEqual(sorted(await list(page, "Transfer", "Reps")), sorted(online.map((rep) => rep.id)));
  await shoot(page, "transfer");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("somebody from a queue is asked for: one declines, the next accepts, and all see the same", BOUND, async () => {
  const { anna, queueWith, names } = await cast();
  const { queue, reps } = queueWith(2, anna);
  const { context, complaints } = await repsBrowser(browser);
  const page = await openConsole(context, demo.address, anna);
  await ready(page);
  const conversation = await begin(page);
  const [endUser] = await participants(page, 2);

  const windows = new Map();
  for (const { id } of reps) {
    const own = await repsBrowser(browser, { colorScheme: "dark" });
    const window = await openConsole(own.context, demo.address, id);
    await ready(window);
    windows.set(id, { window, ...own });
  }
  await list(page, "Start Conference", "Queues");
  await page.locator(`[data-contact="${queue}"]`).click();

  const ringsAt = async (candidates) =>
    Promise.any(candidates.map((id) => windows.get(id).window.locator(".offer").waitFor().then(() => id)));
  const first = await ringsAt([...windows.keys()]);
  await shoot(windows.get(first).window, "invited");
  await page.locator("#requests", { hasText: `Ringing ${names[first]}` }).waitFor();
  await shoot(page, "requester-waits");
  await windows.get(first).window.getByRole("button", { name: "Decline" }).click();

  const second = await ringsAt([...windows.keys()].filter((id) => id !== first));
  await windows.get(second).window.getByRole("button", { name: "Accept" }).click();

  const everybody = [endUser, anna, second];
  assert.deepEqual(await participants(page, 3), everybody);
  assert.deepEqual(await participants(windows.get(second).window, 3), everybody);
  await page.locator("#requests", { hasText: `Done: ${names[second]} is in` }).waitFor();
  assert.equal(await windows.get(first).window.locator(".offer").count(), 0);
  await shoot(page, "requester");
  await shoot(windows.get(second).window, "joined-dark");

  // The org's own books: nobody else is in, nothing is left behind, and no offer was made twice.
  const { conversations, agentWorks, routingRequests, leftovers } = await demo.org("state");
  const held = conversations.find((it) => it.id === conversation);
  assert.deepEqual(held.participants.map((it) => it.subject), everybody);
  const ours = agentWorks.filter((it) => it.conversation === conversation && it.routingType === "Conference");
  assert.deepEqual(ours.map((it) => [it.rep, it.state]), [[first, "Declined"], [second, "Accepted"]]);
  const [request] = routingRequests.filter((it) => it.conversation === conversation);
  assert.deepEqual(request.ended[1], { how: "joined", rep: second });
  assert.equal(request.answered[1], true, "the requester's Salesforce was told of success");
  assert.deepEqual(leftovers, { offers: [], psrs: [] });
  const all = [complaints, ...[...windows.values()].map((it) => it.complaints)].flat();
  assert.deepEqual(all, []);
  await Promise.all([context, ...[...windows.values()].map((it) => it.context)].map((it) => it.close()));
});

test("a rep's status decides how others see them", BOUND, async () => {
  const { anna, online } = await cast();
  const bo = online.find((rep) => rep.id !== anna);
  const [annas, bos] = [await repsBrowser(browser), await repsBrowser(browser)];
  const page = await openConsole(annas.context, demo.address, anna);
  const other = await openConsole(bos.context, demo.address, bo.id);
  await Promise.all([ready(page), ready(other)]);
  await begin(page);
  const status = async (label) => {
    const told = other.waitForResponse((response) => response.url().endsWith("/v1/presence"));
    await other.getByLabel("Status").selectOption({ label });
    assert.equal((await told).status(), 202);
  };
  const line = page.locator(`[data-contact="${bo.id}"]`);
  await status("Busy");
  await list(page, "Start Conference", "Reps");
  assert.match(await line.textContent(), /Busy$/);
  await status("Offline");
  assert.ok(!(await inTab(page, "Reps")).includes(bo.id));
  await status("Available");
  await inTab(page, "Reps");
  assert.match(await line.textContent(), /Available$/);
  assert.deepEqual([...annas.complaints, ...bos.complaints], []);
  await Promise.all([annas.context.close(), bos.context.close()]);
});

test("what the browser has to report survives a connector that is away, and a reload", BOUND, async () => {
  const { anna, online } = await cast();
  const bo = online.find((rep) => rep.id !== anna);
  const { context } = await repsBrowser(browser);
  const answers = [];
  let away = true;
  await context.route("**/v1/agent-work", async (route) => {
    if (away) return route.abort("connectionrefused");
    const response = await route.fetch();
    answers.push([route.request().postDataJSON().workEvent, response.status()]);
    return route.fulfill({ response });
  });
  const page = await openConsole(context, demo.address, bo.id);
  await ready(page);

  const { conversation } = await demo.org("conversations", { reps: [anna] });
  await demo.org("acts", { act: "requestConference", conversation, requester: anna, target: { userId: bo.id } });
  await page.getByRole("button", { name: "Accept" }).click();
  assert.equal((await participants(page, 3)).at(-1), bo.id, "Salesforce itself does not wait for the report");
  const waiting = connectorOf(page).locator("#detail", { hasText: "2 reports wait" });
  await waiting.waitFor();
  await shoot(page, "connector-away");

  await page.reload();
  await ready(page);
  await waiting.waitFor();
  assert.deepEqual(answers, []);

  away = false;
  await page.waitForFunction(() => localStorage.length === 0);
  await connectorOf(page).locator("#status", { hasText: "Connected" }).waitFor();
  assert.deepEqual(answers, [["ASSIGNED", 202], ["ACCEPTED", 202]], "in order, each once");
  await context.close();
});

test("of two tabs one reports for both, and when it is closed the other goes on", BOUND, async () => {
  const { context } = await repsBrowser(browser);
  const tried = [];
  let away = true;
  const tab = async (name) => {
    const page = await context.newPage();
    await page.route("**/v1/agent-work", (route) => {
      tried.push(`${name} ${route.request().postDataJSON().workEvent}`);
      return away ? route.abort("connectionrefused") : route.fulfill({ status: 202, json: {} });
    });
    await page.goto(`${demo.address}/connector`);
    await page.evaluate(setUpBySalesforce);
    return page;
  };
  const tell = (page, workEvent) =>
    page.evaluate((workEvent) => {
      const agentWork = { workItemId: "0Mw000000000001", workId: "0Bz000000000001", workEvent };
      window.salesforce.postMessage({ type: "AGENT_WORK_EVENT", agentWork });
    }, workEvent);
  const tabs = { one: await tab("one"), two: await tab("two") };
  await tell(tabs.one, "ASSIGNED");
  const retrying = (page) => page.locator("#status", { hasText: "Retrying 1" }).waitFor();
  await Promise.any(Object.values(tabs).map(retrying));
  await tell(tabs.two, "ACCEPTED");
  for (const page of Object.values(tabs)) await page.locator("#detail", { hasText: "2 reports wait" }).waitFor();
  const [sender] = tried[0].split(" ");
  const other = sender === "one" ? "two" : "one";
  assert.deepEqual([...new Set(tried)], [`${sender} ASSIGNED`], "one tab tries, and not what comes later");

  await tabs[sender].close();
  away = false;
  await tabs[other].waitForFunction(() => localStorage.length === 0);
  assert.deepEqual(tried.slice(-2), [`${other} ASSIGNED`, `${other} ACCEPTED`]);
  await context.close();
});

test("a set-up by Salesforce's own origin is taken, in a frame of another site, over a real port", BOUND, async () => {
  const { anna, online } = await cast();
  const wide = await proxy(demo.address, [SALESFORCE, STRANGER, CONNECTOR], [SALESFORCE, STRANGER]);
  try {
    const { context, complaints } = await repsBrowser(browser, { ignoreHTTPSErrors: true });
    const connector = `${wide.at(CONNECTOR)}/connector`;
    const page = await openConsole(context, wide.at(SALESFORCE), anna, { connector });
    await ready(page);
    await begin(page);
    const reps = await list(page, "Start Conference", "Reps");
    assert.deepEqual(sorted(reps), sorted(online.map((rep) => rep.id).filter((id) => id !== anna)));

    const stranger = await openConsole(context, wide.at(STRANGER), anna, { connector });
    await connectorOf(stranger).locator("#status", { hasText: "Connected" }).waitFor();
    assert.equal(await stranger.locator("#connector-state").textContent(), "Setting up");
    assert.deepEqual(complaints, []);
    await context.close();
  } finally {
    await wide.close();
  }
});

test("a stranger's set-up is not heard, and does not keep Salesforce's from being heard", BOUND, async () => {
  const { context } = await repsBrowser(browser);
  const page = await context.newPage();
  await page.goto(`${demo.address}/connector`);
  await page.locator("#status", { hasText: "Connected" }).waitFor();
  await page.evaluate(() => {
    const { port1, port2 } = new MessageChannel();
    window.heard = [];
    port1.onmessage = ({ data }) => window.heard.push(data);
    const data = { type: "SETUP_CONNECTOR", connectorConfig: {} };
    const origin = "https://lightning.force.com.example.org";
    window.dispatchEvent(new MessageEvent("message", { data, origin, ports: [port2] }));
  });
  const { capabilities } = await page.evaluate(setUpBySalesforce);
  assert.deepEqual(await page.evaluate(() => window.heard), []);
  const { CONTACT_SEARCH, VENDOR_PROVIDED_AVAILABILITY, VENDOR_PROVIDED_QUEUE_WAIT_TIME, MUTE } = capabilities;
  assert.deepEqual(
    { CONTACT_SEARCH, VENDOR_PROVIDED_AVAILABILITY, VENDOR_PROVIDED_QUEUE_WAIT_TIME, MUTE },
    { CONTACT_SEARCH: true, VENDOR_PROVIDED_AVAILABILITY: true, VENDOR_PROVIDED_QUEUE_WAIT_TIME: true, MUTE: false },
  );
  await shoot(page, "connector-page");
  await context.close();
});

test("who is not signed in logs in, in a window of its own, and the page goes on", BOUND, async () => {
  const { anna } = await cast();
  const { context } = await repsBrowser(browser);
  const login = `${demo.address}/log-in-of-the-test`;
  await context.route("**/v1/session", (route) => {
    const signedIn = route.request().headers().authorization === "Bearer of.the.test";
    if (signedIn) return route.fulfill({ json: { org: "00D", channel: "c", rep: anna, conferenceSupported: true } });
    const refused = { error: "there is no session token", field: null, hint: "log in", loginUrl: login };
    return route.fulfill({ status: 401, json: refused });
  });
  await context.route(`${login}**`, (route) => {
    const back = new URL(route.request().url()).searchParams.get("return");
    return route.fulfill({ contentType: "text/html", body: `<script>location = ${JSON.stringify(`${back}#token=of.the.test`)}</script>` });
  });
  const page = await openConsole(context, demo.address, anna);
  await page.locator("#connector-state", { hasText: "Log in" }).waitFor();
  const connector = connectorOf(page);
  assert.equal(await connector.locator("#words").textContent(), "Signed out");
  await shoot(page, "signed-out");

  const window = context.waitForEvent("page");
  await connector.getByRole("link", { name: "Log in" }).click();
  const opened = await window;
  await ready(page);
  if (!opened.isClosed()) await opened.waitForEvent("close");
  assert.equal(await connector.locator("#words").textContent(), "Connected");

  await page.reload();
  await ready(page);
  const frame = page.frames().find((it) => it.url().includes("/connector"));
  assert.ok(!frame.url().includes("token"), frame.url());
  await context.close();
});

test("each request's outcome reaches the requester's screen, and stays there after a reload", BOUND, async () => {
  const { anna, online, queueWith, names } = await cast();
  const [bo] = online.map((rep) => rep.id).filter((id) => id !== anna);
  const { queue, reps } = queueWith(1, anna);
  const { context, complaints } = await repsBrowser(browser);
  const page = await openConsole(context, demo.address, anna);
  await ready(page);
  const conversation = await begin(page);
  const line = (request) => page.locator(`[data-request="${request}"]`);
  const says = (request, text) => line(request).filter({ hasText: text }).waitFor();
  const ask = async (act, target) => {
    const { request } = await demo.org("acts", { act, conversation, requester: anna, target });
    return request ?? (await demo.org("state")).routingRequests.filter((it) => it.conversation === conversation).at(-1).event;
  };
  // Some changes make no news, so that the org is asked again after a while.
  let { last } = await demo.org(`events?after=${Number.MAX_SAFE_INTEGER}`);
  const nextOffer = async () => {
    for (;;) {
      const { agentWorks } = await demo.org("state");
      const work = agentWorks.find((it) => it.conversation === conversation && it.state === "Assigned");
      if (work) return work;
      ({ last } = await demo.org(`events?after=${last}&waitMilliseconds=500`));
    }
  };

  // Salesforce has been told that a rep will follow, and no call tells it that none does.
  const byName = await ask("requestConference", { userId: bo });
  await demo.org("acts", { act: "decline", work: (await nextOffer()).id });
  await says(byName, "Not possible: The invitation was declined, and nobody else is left to ask.");

  const fromQueue = await ask("requestConference", { queueId: queue });
  for (const _ of reps) await demo.org("acts", { act: "decline", work: (await nextOffer()).id });
  await says(fromQueue, "Not possible: The invitation was declined, and nobody else is left to ask.");

  const transfer = await ask("requestTransfer", { botId: "1JZ000000000001" });
  await says(transfer, "Not possible: Conversations cannot be transferred to a bot.");

  await shoot(page, "last-words");
  await page.reload();
  await ready(page);
  await says(byName, "Not possible: The invitation was declined");
  await says(transfer, "Not possible: Conversations cannot be transferred to a bot.");
  assert.equal(await page.locator("#requests", { hasText: "Finding a rep" }).count(), 0, names[anna]);
  assert.deepEqual(complaints, []);
  await context.close();
});
