/**
 * Brings agent work events to the connector: in order within a work item, each until the connector has it.
 *
 * Invariants
 * 1. Of one work item, an event is sent only when the one before it is delivered or given up.
 * 2. Of all tabs of a rep, one sends (Web Locks).
 * 3. An event leaves the shelf only when it is delivered, refused for good, or too old; the rep is told of the
 *    last two.
 */

import { ApiError, type AgentWorkEvent } from "./api";
import { backoff, type World } from "./backoff";
import type { Entry, Shelf } from "./shelf";

/** The part of `navigator.locks` that is needed. */
export interface Locks {
  request(name: string, work: () => Promise<void>): Promise<unknown>;
}

export interface OutboxPorts {
  world: World;
  shelf: Shelf;
  /** Null where the browser has none; then every tab sends, which the connector bears. */
  locks: Locks | null;
  post(event: AgentWorkEvent): Promise<void>;
  /** How many wait, and how many of the tries under way have failed. */
  changed(waiting: number, retrying: number): void;
  /** Something that the rep should read. */
  notice(text: string): void;
  signedOut(error: ApiError): void;
}

/** How long an event is worth sending: by then its routing request has long ended. */
export const LONGEST_AGE = 15 * 60_000;

/** How long a work item may be unknown: the platform event that tells of it may still be on its way. */
export const UNKNOWN_FOR = 2 * 60_000;

/** How many events are kept at most. */
export const MOST_ENTRIES = 500;

export class Outbox {
  /** Who is, or was last, signed in; an empty text where that is not known yet. */
  private owner = "";
  private sending = false;
  private halt: () => void = () => {};
  private halted = new Promise<void>(() => {});
  private draining = false;
  private again = false;
  private retrying = new Set<string>();
  private wake: () => void = () => {};

  constructor(private readonly ports: OutboxPorts) {}

  /** Takes an event; it is safe from a reload when this returns. */
  add(event: AgentWorkEvent): void {
    const { shelf, world } = this.ports;
    const lying = shelf.list();
    for (const entry of lying.slice(0, Math.max(0, lying.length - MOST_ENTRIES + 1))) {
      this.giveUp(entry, "too many reports are waiting");
    }
    shelf.add(this.owner, world.now(), event);
    this.look();
  }

  /** Sends what waits for this owner, also from before a reload. */
  start(owner: string): void {
    this.owner = owner;
    if (!this.sending) this.halted = new Promise((ready) => (this.halt = ready));
    this.sending = true;
    this.look();
  }

  /** Keeps what waits, and sends no more. */
  stop(): void {
    this.sending = false;
    this.halt();
    this.look();
  }

  /** Looks again at what waits: another tab may have put something there, or sent something. */
  look(): void {
    this.tell();
    this.wake();
    void this.drain();
  }

  private async drain(): Promise<void> {
    if (this.draining) {
      this.again = true;
      return;
    }
    this.draining = true;
    try {
      do {
        this.again = false;
        if (this.toSend().length === 0) continue;
        const locks = this.ports.locks;
        if (locks === null) await this.sendAll();
        else await locks.request(`byoc-connector.agent-work:${this.owner}`, () => this.sendAll());
      } while (this.again);
    } finally {
      this.draining = false;
      this.tell();
    }
  }

  /** Ready when nothing waits any more. */
  private async sendAll(): Promise<void> {
    const running = new Map<string, Promise<void>>();
    for (;;) {
      const woken = new Promise<void>((ready) => (this.wake = ready));
      for (const { event } of this.toSend()) {
        const item = event.workItemId;
        if (!running.has(item)) {
          running.set(item, this.sendItem(item).finally(() => running.delete(item)));
        }
      }
      if (running.size === 0) return;
      await Promise.race([woken, ...running.values()]);
    }
  }

  private async sendItem(item: string): Promise<void> {
    for (;;) {
      const entry = this.toSend().find((it) => it.event.workItemId === item);
      if (entry === undefined) return;
      await this.sendOne(entry);
    }
  }

  private async sendOne(entry: Entry): Promise<void> {
    const { world, shelf, post } = this.ports;
    let unknownSince: number | null = null;
    for (let failed = 1; ; failed += 1) {
      try {
        await post(entry.event);
        shelf.remove(entry);
        break;
      } catch (error) {
        const why = error instanceof ApiError ? error : new ApiError("the page has failed", 400);
        if (why.status === 401) {
          this.stop();
          this.ports.signedOut(why);
          break;
        }
        const unknown = why.status === 404;
        unknownSince = unknown ? (unknownSince ?? world.now()) : null;
        const unknownFor = unknownSince === null ? 0 : world.now() - unknownSince;
        if (!(unknown || why.passes) || unknownFor >= UNKNOWN_FOR) {
          this.giveUp(entry, why.message);
          break;
        }
        this.retrying.add(entry.key);
        this.tell();
        await Promise.race([world.wait(backoff(failed, world.random(), why.retryAfter)), this.halted]);
      }
      // By now another tab may have sent it, it may have aged out, or nobody may be signed in any more.
      if (!this.toSend().some((it) => it.key === entry.key)) break;
    }
    this.retrying.delete(entry.key);
    this.tell();
  }

  private toSend(): Entry[] {
    return this.sending ? this.waiting() : [];
  }

  /** What waits and belongs to who is signed in, the oldest first. */
  private waiting(): Entry[] {
    const oldest = this.ports.world.now() - LONGEST_AGE;
    const kept: Entry[] = [];
    for (const entry of this.ports.shelf.list()) {
      if (entry.at < oldest) this.giveUp(entry, "it could not be delivered in time");
      else if (["", this.owner].includes(entry.owner)) kept.push(entry);
    }
    return kept;
  }

  private giveUp(entry: Entry, why: string): void {
    this.ports.shelf.remove(entry);
    const { workEvent, workItemId } = entry.event;
    this.ports.notice(`${workEvent} of ${workItemId} was not reported: ${why}.`);
  }

  private tell(): void {
    this.ports.changed(this.waiting().length, this.retrying.size);
  }
}
