/** Puts the page together. */

import { initializeConnector } from "scv-connector-base";

import { Api } from "./api";
import { browserWorld } from "./backoff";
import { PartnerConnector } from "./connector";
import { Outbox, type Locks } from "./outbox";
import { isShelfKey, Shelf } from "./shelf";
import { handedOver, handOver, takenFrom, Token } from "./token";
import { View } from "./view";

/** A storage, where the browser lets a page in another's frame have one. */
function storage(which: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return window[which];
  } catch {
    return null;
  }
}

function start(): void {
  const { token: brought, rest } = takenFrom(location.href);
  if (rest !== location.href) history.replaceState(null, "", rest);
  if (brought !== null && handOver(brought, window)) return;

  const token = new Token(storage("sessionStorage"));
  if (brought !== null) token.set(brought);
  const world = browserWorld();
  const view = new View(document, rest);
  if (window.top === window) view.standsAlone();
  const notice = (text: string): void => view.notice(text);
  const api = new Api(rest, () => token.get());
  const outbox = new Outbox({
    world,
    shelf: new Shelf(storage("localStorage"), crypto.randomUUID()),
    locks: (navigator as { locks?: Locks }).locks ?? null,
    post: (event) => api.agentWork(event),
    changed: (waiting, retrying) => view.queue(waiting, retrying),
    notice,
    signedOut: (error) => connector.refused(error),
  });
  const connector = new PartnerConnector({
    api,
    outbox,
    world,
    rep: new URL(rest).searchParams.get("rep"),
    forgetToken: () => token.forget(),
    stands: (standing) => view.stands(standing),
    notice,
  });

  initializeConnector(connector);
  window.addEventListener("message", (message: MessageEvent<unknown>) => {
    const handed = handedOver(message, location.origin);
    if (handed !== null) {
      token.set(handed);
      void connector.connect();
    }
    // The package stops listening at the first SETUP_CONNECTOR, also where it refuses its origin; another
    // frame could so keep Salesforce's own from being heard.
    if (!connector.started) initializeConnector(connector);
  });
  window.addEventListener("storage", (change) => {
    if (isShelfKey(change.key)) outbox.look();
  });
  // What waits from before a reload does not wait for Salesforce to set the page up again.
  void connector.connect();
}

start();
