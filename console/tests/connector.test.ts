import assert from "node:assert/strict";
import { test } from "node:test";

import {
  AgentVendorStatusInfo,
  Contact,
  ContactsResult,
  CustomError,
  GenericResult,
  SharedCapabilitiesResult,
} from "scv-connector-base";

import { Api, ApiError, type AgentWorkEvent, type Session } from "../src/api";
import { PartnerConnector, type Standing } from "../src/connector";
import { contactsResult } from "../src/contacts";
import type { Outbox } from "../src/outbox";
import { NoTelephony } from "../src/telephony";
import { FakeWorld } from "./support";

const SESSION: Session = { org: "00D", channel: "c", rep: null, conferenceSupported: true };
const FILTER = { contains: "bo", limit: 50, offset: 0, types: ["AGENT"] } as never;

/** What an answer of the API is: a value, or an error. */
type Answers = { session?: (Session | ApiError)[]; contacts?: unknown[]; presence?: (null | ApiError)[] };

function connector(answers: Answers) {
  const log: string[] = [];
  const standings: string[] = [];
  const events: AgentWorkEvent[] = [];
  const next = <T>(queue: T[] | undefined, otherwise: T): T => {
    const answer = queue?.length ? (queue.shift() as T) : otherwise;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const api = {
    session: async () => next<Session | ApiError>(answers.session, SESSION) as Session,
    contacts: async (filter: unknown, item: string) => {
      log.push(`contacts ${JSON.stringify(filter)} ${item}`);
      return next<unknown>(answers.contacts, { contacts: [], contactTypes: [] });
    },
    presence: async (availability: string, userId: string | null) => {
      log.push(`presence ${availability} ${userId}`);
      next<null | ApiError>(answers.presence, null);
    },
  } as unknown as Api;
  const outbox = {
    add: (event: AgentWorkEvent) => events.push(event),
    start: (owner: string) => log.push(`start ${owner}`),
    stop: () => log.push("stop"),
  } as unknown as Outbox;
  const world = new FakeWorld();
  const made = new PartnerConnector({
    api,
    outbox,
    world,
    rep: "005Hu000000Anna",
    forgetToken: () => log.push("forget"),
    stands: (standing: Standing) => standings.push(standing.is),
    notice: (text) => log.push(text),
  });
  return { made, log, standings, events, world };
}

test("with a session Salesforce need not show the page", async () => {
  const { made, log, standings } = connector({});
  const result = await made.init({});
  assert.equal(result.showLogin, false);
  assert.deepEqual(standings, ["connecting", "connected"]);
  assert.deepEqual(log, ["start 00D/c/005Hu000000Anna"]);
});

test("without one Salesforce shows the page, with the way to log in", async () => {
  const refused = new ApiError("no token", 401, null, "https://id.example.com");
  const { made, standings } = connector({ session: [refused] });
  const result = await made.init({});
  assert.deepEqual([result.showLogin, result.loginFrameHeight > 100], [true, true]);
  assert.deepEqual(standings, ["connecting", "signed-out"]);
});

test("a connector that is away for a moment is waited for", async () => {
  const { made, standings, world } = connector({ session: [new ApiError("away", null), new ApiError("away", 503)] });
  world.wait = async () => {
    world.waits.push(1);
    if (world.waits.length === 1) await new Promise(() => {});
  };
  // The first wait is that of `init` itself: here it never ends before the tries do.
  const result = await made.init({});
  assert.equal(result.showLogin, false);
  assert.deepEqual(standings, ["connecting", "unreachable", "unreachable", "connected"]);
});

test("contacts come in the package's own classes", async () => {
  const contacts = [
    { id: "005", type: "Agent", name: "Bo", listType: "All", availability: "BUSY", description: "3 of 5" },
    { id: "00G", type: "Queue", name: "Billing", listType: "Conference", queue: "00G", queueWaitTime: "40" },
    { id: "x", type: "PhoneBook", name: "Outside", listType: "Transfer", phoneNumber: "+49 30 1", queueWaitTime: null },
  ];
  const { made, log } = connector({ contacts: [{ contacts, contactTypes: ["Agent", "Queue", "PhoneBook"] }] });
  const result = (await made.getContacts(FILTER, "0Mw")) as unknown as ContactsResult;
  assert.ok(result instanceof ContactsResult);
  assert.ok(result.contacts?.every((it) => it instanceof Contact));
  assert.deepEqual(result.contacts?.map((it) => [it.name, it.listType, it.availability, it.queueWaitTime]), [
    ["Bo", "All", "BUSY", undefined],
    ["Billing", "Conference", null, "40"],
    ["Outside", "Transfer", null, null],
  ]);
  assert.deepEqual(log, [`contacts ${JSON.stringify(FILTER)} 0Mw`]);
});

test("a contact that the package refuses does not cost the list", () => {
  const { result, refused } = contactsResult({
    contacts: [
      { id: 7, type: "Agent", name: "Wrong" },
      { id: "00G", type: "Queue", name: "Billing", listType: "All", queueWaitTime: 40 },
    ],
  });
  assert.deepEqual([refused, result.contacts?.map((it) => it.queueWaitTime)], [1, ["40"]]);
});

test("contacts are asked for again where that may help, and otherwise the error is the package's own", async () => {
  const { made, log } = connector({ contacts: [new ApiError("away", 503), { contacts: [] }] });
  assert.ok(await made.getContacts(FILTER, "0Mw"));
  assert.equal(log.length, 2);
  for (const wrong of [new ApiError("there is no such work item", 404), { nothing: true }]) {
    const { made: other } = connector({ contacts: [wrong] });
    await assert.rejects(other.getContacts(FILTER, "0Mw"), (error) => {
      assert.ok(error instanceof CustomError);
      return error.message.length > 0;
    });
  }
});

test("an agent work event is handed on as it came", () => {
  const { made, events } = connector({});
  const work = { workItemId: "0Mw", workId: "0Bz", workEvent: "CANCELED" };
  made.onAgentWorkEvent(work as never);
  assert.deepEqual(events, [work]);
});

test("the rep's status becomes their presence", async () => {
  const { made, log } = connector({});
  for (const status of ["Online", "offline", "AfterCallWork"]) {
    const result = await made.setAgentStatus(status, {}, false);
    assert.ok(result instanceof GenericResult && result.success);
  }
  const who = "005Hu000000Anna";
  assert.deepEqual(log, [`presence AVAILABLE ${who}`, `presence OFFLINE ${who}`, `presence BUSY ${who}`]);
  await assert.rejects(made.setAgentStatus("Lunch", {}, false), { type: "INVALID_AGENT_STATUS" });
});

test("the status that was set last is told", async () => {
  const { made } = connector({});
  const told = async (): Promise<unknown> => JSON.parse(JSON.stringify(await made.getAgentStatus()));
  assert.ok((await made.getAgentStatus()) instanceof AgentVendorStatusInfo, "the class that the package takes");
  assert.deepEqual(await told(), {});
  await made.setAgentStatus("Online", { statusId: "0N5000000000001", statusName: "Messaging" }, false);
  assert.deepEqual(await told(), { statusId: "0N5000000000001", statusType: "AVAILABLE", statusName: "Messaging" });
  await made.setAgentStatus("Offline", null, false);
  assert.deepEqual(await told(), { statusType: "OFFLINE", statusName: "Offline" });
});

test("an agent work event that names nothing is not handed on", () => {
  const { made, events } = connector({});
  made.onAgentWorkEvent({ workItemId: "0Mw", workEvent: "ACCEPTED" } as never);
  made.onAgentWorkEvent({} as never);
  assert.deepEqual(events, []);
});

test("a token says by itself whose presence it is", async () => {
  const { made, log } = connector({ session: [{ ...SESSION, rep: "005Hu0000000Bob" }] });
  await made.init({});
  await made.setAgentStatus("Online", {}, false);
  assert.deepEqual(log, ["start 00D/c/005Hu0000000Bob", "presence AVAILABLE null"]);
});

test("search, availability and waits are ours; there is no voice", async () => {
  const { made } = connector({});
  const shared = await made.getSharedCapabilities();
  assert.ok(shared instanceof SharedCapabilitiesResult);
  assert.deepEqual([shared.hasContactSearch, shared.hasAgentAvailability, shared.hasQueueWaitTime], [true, true, true]);
  assert.equal(shared.debugEnabled, false);
  const telephony = await made.getTelephonyConnector();
  assert.ok(telephony instanceof NoTelephony);
  const voice = await telephony.getVoiceCapabilities();
  assert.deepEqual([voice.hasMute, voice.hasRecord, voice.hasSwap], [false, false, false]);
  assert.deepEqual((await telephony.getActiveCalls()).activeCalls, []);
  assert.ok(await telephony.getAgentConfig());
  assert.throws(() => telephony.mute({} as never), /Not implemented/);
  assert.deepEqual((await telephony.getPhoneContacts()).contacts, []);
  assert.deepEqual((await telephony.getAudioDevices()).audioDevices, []);
  telephony.wrapUpCall();
  made.handleMessage({});
});

test("a log-out forgets the token and keeps what waits", async () => {
  const { made, log, standings } = connector({});
  await made.init({});
  const result = await made.logout();
  assert.equal(result.success, true);
  assert.deepEqual(log.slice(1), ["forget", "stop"]);
  assert.equal(standings.at(-1), "signed-out");
});
