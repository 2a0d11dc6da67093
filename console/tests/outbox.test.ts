import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, type AgentWorkEvent } from "../src/api";
import { LONGEST_AGE, MOST_ENTRIES, UNKNOWN_FOR } from "../src/outbox";
import { event, FakeLocks, FakeStorage, FakeWorld, tab } from "./support";

const ITEM = "0Mw000000000001";
const OTHER = "0Mw000000000002";
const OWNER = "00D/channel/005";

const status = (code: number | null, retryAfter: number | null = null): ApiError => new ApiError("no", code, retryAfter);

/** Answers with these, one after another; then all is well. */
function answering(...answers: (ApiError | null)[]): { sent: string[]; post(event: AgentWorkEvent): Promise<void> } {
  const sent: string[] = [];
  return {
    sent,
    async post(it) {
      sent.push(it.workEvent);
      const answer = answers.shift();
      if (answer) throw answer;
    },
  };
}

test("an event that the connector takes is sent once and leaves the shelf", async () => {
  const { sent, post } = answering();
  const one = tab({ post });
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  await one.empty;
  assert.deepEqual(sent, ["ASSIGNED"]);
  assert.deepEqual([one.shelf.list(), one.notices], [[], []]);
});

test("within a work item an event waits for the one before it, other work items do not", async () => {
  const sent: string[] = [];
  let release: () => void = () => {};
  const stuck = new Promise<void>((done) => (release = done));
  const one = tab({
    post: async ({ workItemId, workEvent }) => {
      sent.push(`${workItemId} ${workEvent}`);
      if (workItemId === ITEM && workEvent === "ASSIGNED") await stuck;
      if (workItemId === OTHER) release();
    },
  });
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  one.outbox.add(event(ITEM, "ACCEPTED"));
  one.outbox.add(event(OTHER, "ASSIGNED"));
  await one.empty;
  assert.deepEqual(sent, [`${ITEM} ASSIGNED`, `${OTHER} ASSIGNED`, `${ITEM} ACCEPTED`]);
});

test("what passes is tried again, later each time, and in the same order", async () => {
  const world = new FakeWorld();
  const { sent, post } = answering(status(null), status(503), status(429, 7000), status(404));
  const one = tab({ world, post });
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  one.outbox.add(event(ITEM, "ACCEPTED"));
  await one.empty;
  assert.deepEqual(sent, ["ASSIGNED", "ASSIGNED", "ASSIGNED", "ASSIGNED", "ASSIGNED", "ACCEPTED"]);
  assert.deepEqual(world.waits, [250, 500, 7000, 2000]);
  assert.ok(one.counts.includes("2/1"), "the rep sees that one is being retried");
  assert.deepEqual(one.notices, []);
});

test("what is refused for good is dropped with a notice, and the next one is sent", async () => {
  const { sent, post } = answering(new ApiError("workId is no record id", 400));
  const one = tab({ post });
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  one.outbox.add(event(ITEM, "ACCEPTED"));
  await one.empty;
  assert.deepEqual(sent, ["ASSIGNED", "ACCEPTED"]);
  assert.deepEqual(one.notices, [`ASSIGNED of ${ITEM} was not reported: workId is no record id.`]);
});

test("a work item that stays unknown is given up after two minutes", async () => {
  const world = new FakeWorld();
  const one = tab({ world, post: () => Promise.reject(status(404)) });
  const began = world.time;
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  await one.empty;
  assert.ok(world.time - began >= UNKNOWN_FOR && world.time - began < UNKNOWN_FOR + 20_000, `${world.time - began}`);
  assert.equal(one.notices.length, 1);
});

test("a connector that stays away is given up when the event is too old", async () => {
  const world = new FakeWorld();
  const one = tab({ world, post: () => Promise.reject(status(null)) });
  const began = world.time;
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  await one.empty;
  assert.ok(world.time - began >= LONGEST_AGE && world.time - began < LONGEST_AGE + 20_000);
  assert.match(one.notices.join(), /could not be delivered in time/);
});

test("what a page leaves behind is sent by the page that comes after it", async () => {
  const storage = new FakeStorage();
  const world = new FakeWorld();
  const before = tab({ world, storage, name: "b", post: () => new Promise(() => {}) });
  before.outbox.start(OWNER);
  before.outbox.add(event(ITEM, "ASSIGNED"));
  before.outbox.add(event(ITEM, "ACCEPTED"));

  const { sent, post } = answering();
  // Sorts before the first by name: the order must come from the time.
  const after = tab({ world, storage, name: "a", post });
  after.outbox.add(event(ITEM, "CLOSED"));
  after.outbox.start(OWNER);
  await after.empty;
  assert.deepEqual(sent, ["ASSIGNED", "ACCEPTED", "CLOSED"]);
  assert.equal(storage.length, 0);
});

test("of two tabs one sends, and nothing is sent twice", async () => {
  const [storage, locks, world] = [new FakeStorage(), new FakeLocks(), new FakeWorld()];
  const { sent, post } = answering(status(503), status(503));
  const one = tab({ world, storage, locks, name: "1", post });
  const two = tab({ world, storage, locks, name: "2", post });
  one.outbox.start(OWNER);
  two.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  two.outbox.add(event(ITEM, "ACCEPTED"));
  two.outbox.add(event(OTHER, "DECLINED"));
  one.outbox.look();
  await Promise.all([one.empty, two.empty]);
  const taken = sent.filter((_, at) => at > 1).sort();
  assert.deepEqual(taken, ["ACCEPTED", "ASSIGNED", "DECLINED"], sent.join());
});

test("after a 401 all is kept until somebody is signed in, and then only their own is sent", async () => {
  const storage = new FakeStorage();
  const { sent, post } = answering(status(401));
  const one = tab({ storage, post });
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  await new Promise((later) => setImmediate(later));
  assert.deepEqual([sent.length, one.signedOut, storage.length], [1, 1, 1]);

  one.outbox.start("00D/channel/somebody-else");
  one.outbox.add(event(OTHER, "DECLINED"));
  await one.empty;
  assert.deepEqual([sent, storage.length], [["ASSIGNED", "DECLINED"], 1]);

  one.outbox.start(OWNER);
  await new Promise((later) => setImmediate(later));
  assert.deepEqual([sent, storage.length], [["ASSIGNED", "DECLINED", "ASSIGNED"], 0]);
});

test("a log-out ends the waiting for a next try", async () => {
  const world = new FakeWorld();
  world.wait = () => new Promise(() => {});
  const { sent, post } = answering(status(503));
  const one = tab({ world, post });
  one.outbox.start(OWNER);
  one.outbox.add(event(ITEM, "ASSIGNED"));
  await new Promise((later) => setImmediate(later));
  one.outbox.stop();
  await new Promise((later) => setImmediate(later));
  one.outbox.start(OWNER);
  await one.empty;
  assert.deepEqual(sent, ["ASSIGNED", "ASSIGNED"]);
});

test("the shelf is bounded: the oldest makes room, and the rep is told", () => {
  const one = tab({ post: () => new Promise(() => {}) });
  for (let n = 0; n <= MOST_ENTRIES; n += 1) one.outbox.add(event(ITEM, `E${n}`));
  const kept = one.shelf.list().map((it) => it.event.workEvent);
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [MOST_ENTRIES, "E1", `E${MOST_ENTRIES}`]);
  assert.match(one.notices.join(), /^E0 of .* too many reports are waiting/);
});

test("without storage, and with a storage that is full, the events are sent all the same", async () => {
  class Full extends FakeStorage {
    override setItem(): void {
      throw new Error("QuotaExceededError");
    }
  }
  for (const storage of [null, new Full()]) {
    const { sent, post } = answering(status(503));
    const one = tab({ storage, post });
    one.outbox.start(OWNER);
    one.outbox.add(event(ITEM, "ASSIGNED"));
    assert.equal(one.shelf.list().length, 1);
    await one.empty;
    assert.deepEqual(sent, ["ASSIGNED", "ASSIGNED"]);
  }
});

test("what others have left in the storage is passed over", () => {
  const storage = new FakeStorage();
  storage.setItem("something else", "1");
  storage.setItem("byoc-connector.agent-work.000000000000001.x", "not JSON");
  storage.setItem("byoc-connector.agent-work.000000000000002.x", '{"owner":"o","event":{"workItemId":7}}');
  const one = tab({ storage, post: () => Promise.resolve() });
  assert.deepEqual(one.shelf.list(), []);
});
