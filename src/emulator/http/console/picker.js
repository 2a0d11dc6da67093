/** The Start Conference and the Transfer list: who the connector page says can be picked. */

import { byId, disc, make, redraw, say } from "./draw.js";

/** The tabs: their words, the contact types in them, and what is asked for. */
const TABS = [
  { id: "reps", words: "Reps", types: ["Agent"], filter: ["AGENT"] },
  { id: "queues", words: "Queues", types: ["Queue"], filter: ["QUEUE"] },
  { id: "flows", words: "Flows", types: ["Flow"], filter: ["FLOW"] },
  { id: "others", words: "Others", types: ["PhoneBook", "PhoneNumber"], filter: ["CONTACT", "DIRECTORY"] },
];

const PAGE = 50;

const AVAILABILITY = { AVAILABLE: "Available", BUSY: "Busy", OFFLINE: "Offline" };

export class Picker {
  #port;
  #dialog = byId("picker");
  #list = "Conference";
  #workItem = "";
  #tab = TABS[0];
  #types = [];
  #contacts = [];
  #complete = true;
  /** Answers to questions before the last one are late. */
  #question = 0;
  #pick = () => {};

  constructor(port) {
    this.#port = port;
    const search = byId("search");
    search.addEventListener("input", () => this.#ask(0));
    byId("more").addEventListener("click", () => this.#ask(this.#contacts.length));
    byId("tabs").addEventListener("keydown", (event) => this.#arrows(event));
  }

  /** Shows the list (`Conference` or `Transfer`) for a work item; `pick` gets what was picked. */
  open(list, workItem, pick) {
    this.#list = list;
    this.#workItem = workItem;
    this.#pick = pick;
    this.#tab = TABS[0];
    this.#types = [];
    this.#contacts = [];
    byId("search").value = "";
    say(byId("picker-title"), list === "Conference" ? "Start a conference with" : "Transfer to");
    this.#dialog.dataset.list = list;
    this.#draw();
    this.#dialog.showModal();
    byId("search").focus();
    this.#ask(0);
  }

  async #ask(offset) {
    this.#question += 1;
    const question = this.#question;
    const contains = byId("search").value.trim();
    const filter = { limit: PAGE, offset, types: this.#tab.filter, ...(contains ? { contains } : {}) };
    this.#dialog.setAttribute("aria-busy", "true");
    let note = "";
    let answer = { contacts: [], contactTypes: this.#types };
    try {
      answer = await this.#port.getContacts(filter, this.#workItem);
    } catch (error) {
      note = `The list cannot be shown: ${error.message}.`;
    }
    if (question !== this.#question) return;
    this.#types = answer.contactTypes;
    this.#contacts = offset === 0 ? answer.contacts : [...this.#contacts, ...answer.contacts];
    this.#complete = answer.contacts.length < PAGE;
    this.#dialog.removeAttribute("aria-busy");
    this.#draw(note);
  }

  /** The tabs that the connector wants; naming none means all. */
  #tabs() {
    const wanted = TABS.filter((tab) => this.#types.length === 0 || tab.types.some((it) => this.#types.includes(it)));
    return wanted.length === 0 ? TABS : wanted;
  }

  #shown() {
    return this.#contacts.filter((it) => [this.#list, "All"].includes(it.listType));
  }

  #draw(note = "") {
    const tabs = this.#tabs();
    redraw(byId("tabs"), [tabs.map((it) => it.id), this.#tab.id], () => tabs.map((tab) => this.#tabButton(tab)));
    byId("results").setAttribute("aria-labelledby", `tab-${this.#tab.id}`);
    const contacts = this.#shown();
    const hidden = this.#contacts.length - contacts.length;
    if (note === "" && this.#dialog.getAttribute("aria-busy") !== "true" && contacts.length === 0) {
      note = this.#nobody(hidden);
    }
    say(byId("picker-note"), note);
    byId("picker-note").hidden = note === "";
    byId("more").hidden = this.#complete;
    redraw(byId("contacts"), [this.#list, contacts], () => contacts.map((contact) => this.#line(contact)));
  }

  #nobody(hidden) {
    const what = this.#list === "Conference" ? "join a conference" : "be transferred to";
    return hidden === 0 ? "No contacts available here." : `No contacts available here (${hidden} cannot ${what}).`;
  }

  #tabButton(tab) {
    const chosen = tab === this.#tab;
    return make("button", {
      type: "button",
      id: `tab-${tab.id}`,
      role: "tab",
      "data-key": tab.id,
      "aria-selected": String(chosen),
      "aria-controls": "results",
      tabIndex: chosen ? 0 : -1,
      textContent: tab.words,
      onclick: () => this.#choose(tab),
    });
  }

  #choose(tab) {
    this.#tab = tab;
    this.#contacts = [];
    this.#dialog.setAttribute("aria-busy", "true");
    this.#draw();
    this.#ask(0);
  }

  #arrows(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    const tabs = this.#tabs();
    const next = tabs[(tabs.indexOf(this.#tab) + step + tabs.length) % tabs.length];
    this.#choose(next);
    byId(`tab-${next.id}`).focus();
  }

  #line(contact) {
    const { id, type, name, availability, description, queueWaitTime, phoneNumber } = contact;
    const below = [description, phoneNumber].filter(Boolean).join(" · ");
    const right = availability
      ? make("span", { className: `presence ${availability.toLowerCase()}`, textContent: AVAILABILITY[availability] })
      : queueWaitTime
        ? make("span", { className: "faint", textContent: `about ${wait(Number(queueWaitTime))}` })
        : null;
    const words = make("span", { className: "words" }, make("strong", { textContent: name }));
    if (below) words.append(make("small", { textContent: below }));
    const button = make(
      "button",
      { type: "button", "data-contact": id, "data-key": id, onclick: () => this.#picked(contact) },
      disc(name, type.toLowerCase()),
      words,
      right,
    );
    return make("li", {}, button);
  }

  #picked(contact) {
    this.#dialog.close();
    this.#pick(contact);
  }
}

function wait(seconds) {
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
