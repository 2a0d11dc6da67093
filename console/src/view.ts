/** What is seen of the page: one line, what is wrong, and what was lost. Names nobody. */

import type { Standing } from "./connector";
import { loginAddress } from "./token";

/** How many notices stand there at most. */
const MOST_NOTICES = 5;

export class View {
  private standing: Standing = { is: "connecting" };
  private waiting = 0;
  private retrying = 0;

  constructor(
    private readonly document: Document,
    /** The page's own address: the log-in leads back to it. */
    private readonly page: string,
  ) {}

  stands(standing: Standing): void {
    this.standing = standing;
    this.draw();
  }

  queue(waiting: number, retrying: number): void {
    this.waiting = waiting;
    this.retrying = retrying;
    this.draw();
  }

  notice(text: string): void {
    const line = this.document.createElement("li");
    const words = this.document.createElement("span");
    const dismiss = this.document.createElement("button");
    words.textContent = text;
    dismiss.textContent = "Dismiss";
    dismiss.type = "button";
    dismiss.addEventListener("click", () => line.remove());
    line.append(words, dismiss);
    const list = this.element("notices");
    list.append(line);
    while (list.childElementCount > MOST_NOTICES) list.firstElementChild?.remove();
  }

  /** Says what the page is to whoever has opened it outside of Salesforce. */
  standsAlone(): void {
    this.document.documentElement.dataset["alone"] = "";
    this.element("alone").hidden = false;
  }

  private draw(): void {
    const { state, words, detail } = this.said();
    const status = this.element("status");
    if (status.dataset["state"] !== state) status.dataset["state"] = state;
    // Written only where it differs: a screen reader reads every change out.
    const line = this.element("words");
    if (line.textContent !== words) line.textContent = words;
    const more = this.element("detail");
    more.textContent = detail;
    more.hidden = detail === "";
    const loginUrl = this.standing.is === "signed-out" ? this.standing.loginUrl : null;
    const address = loginAddress(loginUrl, this.page);
    this.element("login").hidden = address === null;
    if (address !== null) this.element("login-link").setAttribute("href", address);
  }

  private said(): { state: string; words: string; detail: string } {
    const waiting = this.waiting === 1 ? "1 report waits" : `${this.waiting} reports wait`;
    const standing = this.standing;
    switch (standing.is) {
      case "connecting":
        return { state: "connecting", words: "Connecting…", detail: "" };
      case "unreachable":
        return { state: "retrying", words: "Reconnecting", detail: `${sentence(standing.why)}` };
      case "signed-out": {
        const detail = this.waiting > 0 ? `${waiting} for you to log in.` : "";
        return { state: "signed-out", words: "Signed out", detail };
      }
      case "connected":
        if (this.retrying === 0) {
          // Another tab of the rep's may be the one that sends them.
          const detail = this.waiting === 0 ? "" : `${waiting} for the connector.`;
          return { state: "connected", words: "Connected", detail };
        }
        return {
          state: "retrying",
          words: `Retrying ${this.retrying}`,
          detail: `${waiting} for the connector. You can continue working.`,
        };
    }
  }

  private element(id: string): HTMLElement {
    const found = this.document.getElementById(id);
    if (found === null) throw new Error(`the page has no #${id}`);
    return found;
  }
}

function sentence(text: string): string {
  return text === "" ? "" : `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}
