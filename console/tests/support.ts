/** A world in hand: waiting passes at once and moves the time, and is written down. */

import type { AgentWorkEvent } from "../src/api";
import type { World } from "../src/backoff";
import { type Locks, Outbox } from "../src/outbox";
import { Shelf, type Storing } from "../src/shelf";

export class FakeWorld implements World {
  time = 1_780_000_000_000;
  readonly waits: number[] = [];

  now(): number {
    return this.time;
  }

  random(): number {
    return 0;
  }

  async wait(milliseconds: number): Promise<void> {
    this.waits.push(milliseconds);
    this.time += milliseconds;
  }
}

/** The browser's storage, as several tabs share it. */
export class FakeStorage implements Storing {
  readonly kept = new Map<string, string>();

  get length(): number {
    return this.kept.size;
  }

  key(at: number): string | null {
    return [...this.kept.keys()][at] ?? null;
  }

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }

  removeItem(key: string): void {
    this.kept.delete(key);
  }
}

/** Exclusive locks, as several tabs share them. */
export class FakeLocks implements Locks {
  private readonly tails = new Map<string, Promise<void>>();

  request(name: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.tails.get(name) ?? Promise.resolve()).then(work);
    this.tails.set(name, turn);
    return turn;
  }
}

export interface Tab {
  outbox: Outbox;
  shelf: Shelf;
  notices: string[];
  counts: string[];
  signedOut: number;
  /** Ready when nothing waits any more. */
  empty: Promise<void>;
}

export interface TabOptions {
  world?: FakeWorld;
  storage?: Storing | null;
  locks?: Locks | null;
  name?: string;
  post(event: AgentWorkEvent): Promise<void>;
}

export function tab({ world = new FakeWorld(), storage = new FakeStorage(), locks = null, name = "tab", post }: TabOptions): Tab {
  let ready: () => void = () => {};
  const shelf = new Shelf(storage, name);
  const made: Tab = {
    shelf,
    notices: [],
    counts: [],
    signedOut: 0,
    empty: new Promise((done) => (ready = done)),
    outbox: new Outbox({
      world,
      shelf,
      locks,
      post,
      notice: (text) => made.notices.push(text),
      signedOut: () => (made.signedOut += 1),
      changed: (waiting, retrying) => {
        made.counts.push(`${waiting}/${retrying}`);
        if (waiting === 0 && made.counts.some((it) => !it.startsWith("0/"))) ready();
      },
    }),
  };
  return made;
}

export function event(workItemId: string, workEvent: string, workId = "0Bz000000000001"): AgentWorkEvent {
  return { workItemId, workId, workEvent };
}
