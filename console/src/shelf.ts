/**
 * Where agent work events lie until the connector has them: the browser's local storage, or memory where a
 * browser keeps third-party pages from storing.
 *
 * One key an event, so that two tabs that write at once lose nothing. The keys sort by time.
 */

import type { AgentWorkEvent } from "./api";

/** The part of `Storage` that is needed. */
export type Storing = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** An event that waits. */
export interface Entry {
  key: string;
  /** Whose it is; an empty text where that was not known yet. */
  owner: string;
  /** When it came, in milliseconds since the epoch. */
  at: number;
  event: AgentWorkEvent;
}

const PREFIX = "byoc-connector.agent-work.";

export class Shelf {
  private readonly memory = new Map<string, string>();
  private last = 0;

  constructor(
    private readonly storage: Storing | null,
    /** Tells this tab's keys from those of others. */
    private readonly tab: string,
  ) {}

  /** Whether what lies here outlives the page. */
  get lasting(): boolean {
    return this.storage !== null && this.memory.size === 0;
  }

  add(owner: string, now: number, event: AgentWorkEvent): void {
    const newest = this.list().at(-1)?.at ?? 0;
    // Strictly later than everything before it, so that the order holds within a millisecond.
    this.last = Math.max(now, this.last + 1, newest + 1);
    const key = `${PREFIX}${String(this.last).padStart(15, "0")}.${this.tab}`;
    const { workItemId, workId, workEvent } = event;
    const text = JSON.stringify({ owner, event: { workItemId, workId, workEvent } });
    try {
      if (this.storage === null) throw new Error("there is no storage");
      this.storage.setItem(key, text);
    } catch {
      this.memory.set(key, text);
    }
  }

  remove(entry: Entry): void {
    this.memory.delete(entry.key);
    try {
      this.storage?.removeItem(entry.key);
    } catch {
      // It ages out.
    }
  }

  /** All that waits, of every owner, the oldest first. */
  list(): Entry[] {
    const found: Entry[] = [];
    for (const [key, text] of [...this.stored(), ...this.memory]) {
      const entry = read(key, text);
      if (entry !== null) found.push(entry);
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  private stored(): [string, string][] {
    const found: [string, string][] = [];
    try {
      for (let at = 0; at < (this.storage?.length ?? 0); at += 1) {
        const key = this.storage?.key(at);
        const text = key?.startsWith(PREFIX) ? this.storage?.getItem(key) : null;
        if (key && text) found.push([key, text]);
      }
    } catch {
      // Access was taken away: what is in memory is all there is.
    }
    return found;
  }
}

/** Whether a change of the storage is one of these events. */
export function isShelfKey(key: string | null): boolean {
  return key === null || key.startsWith(PREFIX);
}

/** What something else, or another release, has written is passed over. */
function read(key: string, text: string): Entry | null {
  try {
    const at = Number(key.slice(PREFIX.length).split(".")[0]);
    const { owner, event } = JSON.parse(text) as Entry;
    const texts = [owner, event.workItemId, event.workId, event.workEvent];
    return Number.isFinite(at) && texts.every((it) => typeof it === "string") ? { key, owner, at, event } : null;
  } catch {
    return null;
  }
}
