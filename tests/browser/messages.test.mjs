// Every message that scv-connector-base hands to a vendor, sent over the port to the real page with the real package
// in it, and what comes back. docs/connector-page.md has the same table in words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { launch, repsBrowser, setUpBySalesforce } from "./browser.mjs";
import { Demo } from "./demo.mjs";

const BOUND = { timeout: 90_000 };
const at = (path) => new URL(`../../${path}`, import.meta.url);
const WORK = { workItemId: "0Mw000000000001", workId: "0Bz000000000001" };

/** A message that acts on a call: there is none, and the package tells with which error. */
const refused = (error, fields = {}) => ({ fields, events: [["ERROR", { message: error }]] });
const nothing = (fields = {}) => ({ fields, events: [] });

/** What is sent, and what is told back, in order: the type of each event and what it has at least. */
const ROWS = {
  // Sent to the page's window and not over the port, and the page's own answer to it: the set-up below has both.
  SETUP_CONNECTOR: null,
  CONNECTOR_READY: nothing(),
  // The page's own as well; should Salesforce send one, it is of no use.
  TELEPHONY_EVENT_DISPATCHED: nothing(),
  LOG: nothing({ logLevel: "INFO", logMessage: "of a component", payload: {} }),
  SET_AGENT_STATUS: {
    fields: { agentStatus: "Online", statusInfo: { statusId: "0N5000000000001", statusName: "Messaging" } },
    events: [["SET_AGENT_STATUS_RESULT", { success: true }]],
  },
  GET_AGENT_STATUS: {
    fields: {},
    events: [["GET_AGENT_STATUS_RESULT", { statusId: "0N5000000000001", statusType: "AVAILABLE", statusName: "Messaging" }]],
  },
  MESSAGE: nothing({ message: { of: "a component" } }),
  DOWNLOAD_VENDOR_LOGS: nothing(),
  AGENT_WORK_EVENT: nothing({ agentWork: { ...WORK, workEvent: "ASSIGNED" } }),
  GET_CONTACTS: {
    fields: { filter: { contains: "", types: ["Agent"] }, workItemId: WORK.workItemId },
    events: [["GET_CONTACTS_RESULT", {}]],
  },
  ACCEPT_CALL: { fields: { call: {} }, events: [["INFO", { message: "CAN_NOT_ACCEPT_THE_CALL" }]] },
  DECLINE_CALL: refused("CAN_NOT_DECLINE_THE_CALL", { call: {} }),
  END_CALL: refused("CAN_NOT_END_THE_CALL", { call: {} }),
  MUTE: refused("CAN_NOT_MUTE_CALL"),
  UNMUTE: refused("CAN_NOT_UNMUTE_CALL"),
  HOLD: refused("CAN_NOT_HOLD_CALL"),
  RESUME: refused("CAN_NOT_RESUME_CALL"),
  DIAL: { fields: { contact: {} }, events: [["CALL_FAILED", {}], ["ERROR", { message: "CAN_NOT_START_THE_CALL" }]] },
  SEND_DIGITS: nothing({ digits: "1" }),
  GET_PHONE_CONTACTS: { fields: { filter: {} }, events: [["PHONE_CONTACTS", { contacts: [], contactTypes: [] }]] },
  SWAP_PARTICIPANTS: refused("CAN_NOT_SWAP_PARTICIPANTS", { callToHold: {}, callToResume: {} }),
  ADD_PARTICIPANT: {
    fields: { contact: {}, call: {} },
    events: [["PARTICIPANT_REMOVED", {}], ["ERROR", { message: "CAN_NOT_ADD_PARTICIPANT" }]],
  },
  CONFERENCE: refused("CAN_NOT_CONFERENCE", { calls: [] }),
  PAUSE_RECORDING: refused("CAN_NOT_PAUSE_RECORDING", { call: {} }),
  RESUME_RECORDING: refused("CAN_NOT_RESUME_RECORDING", { call: {} }),
  SUPERVISE_CALL: refused("CAN_NOT_SUPERVISE_CALL", { call: {} }),
  SUPERVISOR_BARGE_IN: refused("CAN_NOT_BARGE_IN_SUPERVISOR", { call: {} }),
  SUPERVISOR_DISCONNECT: refused("CAN_NOT_DISCONNECT_SUPERVISOR", { call: {} }),
  SET_AGENT_CONFIG: refused("CAN_NOT_SET_AGENT_CONFIG", { config: {} }),
  GET_SIGNED_RECORDING_URL: { fields: {}, events: [["SIGNED_RECORDING_URL", { success: false }]] },
  WRAP_UP_CALL: nothing({ call: {} }),
  AGENT_AVAILABLE: nothing({ isAvailable: true }),
  GET_AUDIO_DEVICES: { fields: {}, events: [["GET_AUDIO_DEVICES", { audioDevices: [] }]] },
  // The last, for it signs the rep out.
  LOGOUT: { fields: {}, events: [["LOGOUT_RESULT", { success: true }]] },
};

let demo;
let browser;

before(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
}, BOUND);

after(async () => {
  await browser?.close();
  await demo?.stop();
}, BOUND);

/** The words of one of the package's constants. */
function constants(name) {
  const source = readFileSync(at("console/node_modules/scv-connector-base/src/main/constants.js"), "utf8");
  const [, block] = new RegExp(`\\b${name}: \\{([^}]*)\\}`).exec(source);
  return [...block.matchAll(/:\s*['"](\w+)['"]/g)].map(([, word]) => word);
}

/** Every message of the package, each once. */
const messages = () => [...constants("SHARED_MESSAGE_TYPE"), ...constants("VOICE_MESSAGE_TYPE")];

/** The connector page, set up; `salesforce.heard` has the events that it told. */
async function page(context) {
  const { online } = await demo.people();
  const opened = await context.newPage();
  await opened.goto(`${demo.address}/connector?rep=${online[0].id}`);
  await opened.locator("#status", { hasText: "Connected" }).waitFor();
  const ready = await opened.evaluate(setUpBySalesforce);
  await opened.evaluate(() => {
    window.heard = [];
    window.salesforce.onmessage = ({ data: { type, payload } }) => {
      if (type === "TELEPHONY_EVENT_DISPATCHED") window.heard.push([payload.telephonyEventType, payload.telephonyEventPayload]);
    };
  });
  return { opened, ready };
}

/** Sends a message, and gives what is told back once there are so many events and nothing is under way. */
async function send(opened, message, count) {
  await opened.evaluate((message) => {
    window.heard.length = 0;
    window.salesforce.postMessage(message);
  }, message);
  await opened.waitForFunction((count) => window.heard.length >= count, count);
  // A message behind it: when that is answered, nothing more comes of the first.
  return opened.evaluate(async () => {
    const told = [...window.heard];
    window.heard.length = 0;
    const { onmessage } = window.salesforce;
    await new Promise((done) => {
      window.salesforce.onmessage = (message) => {
        onmessage(message);
        if (window.heard.at(-1)?.[0] === "GET_AUDIO_DEVICES") done();
      };
      window.salesforce.postMessage({ type: "GET_AUDIO_DEVICES" });
    });
    window.salesforce.onmessage = onmessage;
    const late = window.heard.filter(([type]) => type !== "GET_AUDIO_DEVICES");
    return [...told, ...late];
  });
}

test("the table has every message of the package, and so have the docs", () => {
  assert.deepEqual(Object.keys(ROWS).sort(), messages().sort());
  const docs = readFileSync(at("docs/connector-page.md"), "utf8");
  const missing = [...messages(), ...constants("WORK_EVENT")].filter((type) => !docs.includes(`\`${type}\``));
  assert.deepEqual(missing, []);
});

test("every message is answered in the way that the package wants, and none throws", BOUND, async () => {
  const { context, complaints } = await repsBrowser(browser);
  const downloads = [];
  // Which work it is about the connector cannot know; that the page hands it on is looked at below.
  await context.route("**/v1/agent-work", (route) => route.fulfill({ status: 202, json: {} }));
  const { opened, ready } = await page(context);
  opened.on("download", (download) => downloads.push(download.suggestedFilename()));
  assert.equal(ready.capabilities.CONTACT_SEARCH, true);
  const heard = {};
  const wanted = {};
  for (const [type, row] of Object.entries(ROWS)) {
    if (row === null) continue;
    const told = await send(opened, { type, ...row.fields }, row.events.length);
    wanted[type] = row.events;
    // Of what an event carries, what the row names.
    const named = (n) => Object.keys(row.events[n]?.[1] ?? {});
    heard[type] = told.map(([event, payload], n) => [event, Object.fromEntries(named(n).map((it) => [it, payload?.[it]]))]);
  }
  assert.deepEqual(heard, wanted);
  const thrown = complaints.filter((text) => !text.startsWith("SCV dispatched error"));
  assert.deepEqual(thrown, [], "nothing is thrown that the package does not catch");
  assert.deepEqual(downloads, []);
  await context.close();
});

test("every work event is taken by the connector as one that it knows", BOUND, async () => {
  const { context } = await repsBrowser(browser);
  const answers = [];
  await context.route("**/v1/agent-work", async (route) => {
    const { workItemId, workEvent } = route.request().postDataJSON();
    const response = await route.fetch();
    answers.push([workEvent, response.status(), await response.json()]);
    return route.fulfill({ response });
  });
  const { online } = await demo.people();
  const { conversation } = await demo.org("conversations", { reps: [online[0].id] });
  const { conversations } = await demo.org("state");
  const { workItem } = conversations.find((it) => it.id === conversation);
  const { opened } = await page(context);
  const events = constants("WORK_EVENT");
  for (const workEvent of events) {
    const agentWork = { workItemId: workItem, workId: "0Bz000000000009", workEvent };
    await opened.evaluate((agentWork) => window.salesforce.postMessage({ type: "AGENT_WORK_EVENT", agentWork }), agentWork);
  }
  await opened.waitForFunction(() => localStorage.length === 0);
  const last = answers.slice(-events.length);
  assert.deepEqual(last.map(([workEvent, status]) => [workEvent, status]), events.map((it) => [it, 202]));
  const unknown = last.filter(([, , answer]) => JSON.stringify(answer).includes("not known"));
  assert.deepEqual(unknown, []);
  await context.close();
});
