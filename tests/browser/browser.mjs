/** Chromium, and what a test does with a console's window. */

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

/** How long a test waits for anything on a page. */
export const WITHIN = 15_000;

/** A host that the npm package takes SETUP_CONNECTOR from, one that it does not, and the connector's own. */
export const SALESFORCE = "acme.lightning.force.com";
export const STRANGER = "console.example.org";
export const CONNECTOR = "connector.example.com";

const SHOTS = fileURLToPath(new URL("../../target/browser/", import.meta.url));

/** Names lead to this machine, or nowhere. */
const NAMES = [SALESFORCE, STRANGER, CONNECTOR].map((host) => `MAP ${host} 127.0.0.1`).join(", ");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=${NAMES}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`,
    ],
    timeout: WITHIN,
  });
}

/** A rep's browser, with a profile of its own; what its pages complain about is kept. */
export async function repsBrowser(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 760 }, ...options });
  context.setDefaultTimeout(WITHIN);
  const complaints = [];
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  return { context, complaints };
}

/** A console's window, with the connector page set up. */
export async function openConsole(context, address, rep, query = {}) {
  const page = await context.newPage();
  const url = new URL("/console", address);
  url.search = new URLSearchParams({ rep, ...query }).toString();
  await page.goto(url.href);
  return page;
}

export const ready = (page) => page.locator("#connector-state", { hasText: /^Ready$/ }).waitFor();

/** The connector page in a console's frame. */
export const connectorOf = (page) => page.frameLocator("#connector");

/** Begins a conversation, and gives its id once the window shows it. */
export async function begin(page) {
  const open = page.locator("#open");
  const before = await open.getAttribute("data-conversation");
  await page.getByRole("button", { name: "New", exact: true }).click();
  await page.locator(`#open[data-conversation]:not([data-conversation="${before}"])`).waitFor();
  return open.getAttribute("data-conversation");
}

/** Opens a list and a tab, and gives the ids of who is in it. */
export async function list(page, button, tab) {
  await page.getByRole("button", { name: button }).click();
  return inTab(page, tab);
}

export async function inTab(page, tab) {
  const chosen = page.getByRole("tab", { name: tab });
  await chosen.click();
  await page.locator(`#picker:not([aria-busy]) [role="tab"][aria-selected="true"]`, { hasText: tab }).waitFor();
  return page.locator("#contacts [data-contact]").evaluateAll((all) => all.map((it) => it.dataset.contact));
}

/** Who is in the conversation that a window shows, once there are so many. */
export async function participants(page, count) {
  await page.locator("#participants li").nth(count - 1).waitFor();
  return page.locator("#participants li").evaluateAll((all) => all.map((it) => it.dataset.participant));
}

export async function shoot(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png`, animations: "disabled" });
}

/** In a page: sets the connector page up as Salesforce does, keeps the port, and gives what the page then says. */
export function setUpBySalesforce() {
  const { port1, port2 } = new MessageChannel();
  const ready = new Promise((ready) => {
    port1.onmessage = ({ data: { type, payload } }) => {
      if (type === "CONNECTOR_READY") ready(payload);
    };
  });
  const data = { type: "SETUP_CONNECTOR", connectorConfig: {} };
  const origin = "https://acme.lightning.force.com";
  window.dispatchEvent(new MessageEvent("message", { data, origin, ports: [port2] }));
  window.salesforce = port1;
  return ready;
}
