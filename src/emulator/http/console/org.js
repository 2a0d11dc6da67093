/** The org, by the emulator's control API. */

const CONTROL = "/emulator/v1";

/** How long one question for news is held open. Short: some changes make no news, and are seen only by asking. */
const NEWS_WITHIN = 2000;

async function call(path, body) {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(CONTROL + path, { ...init, cache: "no-store" });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `the org answers ${response.status}`);
  return answer;
}

export class Org {
  names = {};
  state = null;
  books = [];
  lastEvent = 0;

  async open() {
    this.names = await (await fetch("/console/names")).json();
    // Only news from now on: what was told before was told to another page.
    this.lastEvent = (await call(`/events?after=${Number.MAX_SAFE_INTEGER}`)).last;
    await this.refresh();
  }

  async refresh() {
    const after = this.books.at(-1)?.number ?? 0;
    const [state, books] = await Promise.all([call("/state"), call(`/books?after=${after}`)]);
    this.state = state;
    const known = this.books.at(-1)?.number ?? 0;
    this.books.push(...books.entries.filter((entry) => entry.number > known));
  }

  /** The next agent work events of a rep's browser; waits a while for the first. */
  async news(rep) {
    const { events, last } = await call(`/events?after=${this.lastEvent}&waitMilliseconds=${NEWS_WITHIN}`);
    this.lastEvent = last;
    return events.filter((event) => event.kind === "agentWork" && event.rep === rep);
  }

  act(act) {
    return call("/acts", act);
  }

  startConversation(rep) {
    const endUser = `customer-${this.state.conversations.length + 1}`;
    return call("/conversations", { endUser, reps: [rep] });
  }

  rep(id) {
    return this.state.reps.find((rep) => rep.id === id);
  }

  /** What somebody or something is called. */
  name(id) {
    return this.rep(id)?.name || this.names[id] || id;
  }

  participantName({ role, subject }) {
    return role === "Agent" ? this.name(subject) : subject;
  }

  conversation(id) {
    return this.state.conversations.find((it) => it.id === id);
  }

  /** Those that go on, then those that have ended; the newest first. */
  conversationsOf(rep) {
    const ended = (it) => Number(it.status === "Ended");
    return this.state.conversations
      .filter((it) => it.participants.some((who) => who.subject === rep))
      .sort((a, b) => ended(a) - ended(b) || b.started - a.started);
  }

  offersTo(rep) {
    return this.state.agentWorks.filter((work) => work.rep === rep && work.state === "Assigned");
  }

  request(event) {
    return this.state.routingRequests.find((it) => it.event === event);
  }

  /** What a routing request asks for, in words. */
  targetName(target) {
    if (typeof target === "string") return "an unknown target";
    const [[kind, value]] = Object.entries(target);
    if (kind === "Flow") return this.name(value.flow);
    if (kind === "Skills") return "a rep with the right skills";
    return this.name(value);
  }
}
