/** How long to wait between tries. Waiting, time and chance are arguments, so that tests have them in hand. */

/** What the page has of the world: the time, the chance, and waiting. */
export interface World {
  now(): number;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** Ready after so many milliseconds, or at once when the network comes back. */
  wait(milliseconds: number): Promise<void>;
}

const FIRST = 500;
const LONGEST = 15_000;
/** However long the connector asks to wait, the rep's click is tried again after this. */
const LONGEST_ASKED = 60_000;

/** The wait after the given number of tries that failed: doubles, and is drawn from its upper half. */
export function backoff(failed: number, random: number, asked: number | null): number {
  const step = Math.min(LONGEST, FIRST * 2 ** Math.max(0, failed - 1));
  return Math.max(step / 2 + (random * step) / 2, Math.min(asked ?? 0, LONGEST_ASKED));
}

/** The real world. */
export function browserWorld(): World {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    wait: (milliseconds) =>
      new Promise((ready) => {
        const done = (): void => {
          clearTimeout(timer);
          window.removeEventListener("online", done);
          ready();
        };
        const timer = setTimeout(done, milliseconds);
        window.addEventListener("online", done);
      }),
  };
}
