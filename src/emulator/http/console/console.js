/**
 * A rep's console. `?rep=005…` says who the rep is, `?connector=<address>` where the connector page is
 * (`/connector` on this host without it).
 */

import { byId, disc, make, redraw, say } from "./draw.js";
import { Org } from "./org.js";
import { Picker } from "./picker.js";
import { Outcomes } from "./outcomes.js";
import { ConnectorPort } from "./port.js";
import { standing, timeline } from "./timeline.js";

const query = new URLSearchParams(location.search);
const org = new Org();
const port = new ConnectorPort(byId("connector"));
const picker = new Picker(port);
const outcomes = new Outcomes();

/** How a rep's presence is called in the package. */
const STATUS = { AVAILABLE: "Online", BUSY: "AfterCallWork", OFFLINE: "Offline" };

let me = query.get("rep");
let open = null;

/** The page in the frame; where no token says who the rep is, its address does. */
function connectorAddress() {
  const address = new URL(query.get("connector") ?? "/connector", location.href);
  if (!address.searchParams.has("rep")) address.searchParams.set("rep", me);
  return address.href;
}

function addressAs(rep) {
  const address = new URL(location.href);
  address.searchParams.set("rep", rep);
  return address.href;
}

/** Does something in the org, shows what came of it, and says what was wrong. */
async function attempt(work) {
  const error = byId("error");
  error.hidden = true;
  try {
    await work();
  } catch (failure) {
    say(error, failure.message);
    error.hidden = false;
  }
  await org.refresh();
  draw();
}

const act = (what) => attempt(() => org.act(what));

async function begin() {
  await attempt(async () => {
    open = (await org.startConversation(me)).conversation;
  });
  byId("detail").focus();
}

function show(id) {
  open = id;
  byId("error").hidden = true;
  draw();
}

/** What the org is told when something is picked from a list. */
function target({ id, type }) {
  switch (type) {
    case "Agent":
      return { userId: id };
    case "Queue":
      return { queueId: id };
    case "Flow": {
      // Salesforce keeps a fallback queue for each flow that can be picked; here it is where the flow leads.
      const flow = org.state.flows.find((it) => it.id === id);
      const queueId = flow?.queue ?? org.state.queues[0];
      return queueId ? { flowId: id, queueId } : { flowId: id };
    }
    default:
      return { contactId: id };
  }
}

function pick(list) {
  const conversation = org.conversation(open);
  picker.open(list, conversation.workItem, (contact) =>
    act({ act: `request${list}`, conversation: conversation.id, requester: me, target: target(contact) }),
  );
}

function answer(work, how) {
  if (how === "accept") open = work.conversation;
  return act({ act: how, work: work.id });
}

function draw() {
  drawWho();
  drawOffers();
  drawConversations();
  drawOpen();
}

function drawWho() {
  const reps = org.state.reps;
  redraw(byId("rep"), [me, reps.map(({ id, name }) => [id, name])], () =>
    reps.map(({ id, name }) => make("option", { value: id, textContent: name || id, selected: id === me })),
  );
  const presence = byId("presence");
  if (document.activeElement !== presence) presence.value = org.rep(me)?.availability ?? "OFFLINE";
  const other = reps.find(({ id, availability }) => id !== me && availability !== "OFFLINE");
  byId("second").href = addressAs(other?.id ?? me);
}

function drawOffers() {
  const offers = org.offersTo(me);
  document.title = offers.length > 0 ? `(${offers.length}) Rep console` : "Rep console";
  byId("offers-section").hidden = offers.length === 0;
  redraw(byId("offers"), offers.map((it) => it.id), () => offers.map(offerCard));
}

function offerCard(work) {
  const conversation = org.conversation(work.conversation);
  const requester = org.request(work.correlation)?.requester;
  const what = work.routingType === "Conference" ? "invites you to a conference" : "transfers a conversation to you";
  const text = requester ? `${org.name(requester)} ${what}` : "A conversation for you";
  return make(
    "li",
    { className: "offer", "data-work": work.id },
    make("p", {}, make("strong", { textContent: text })),
    make("p", { className: "faint", textContent: `with ${conversation.endUser}` }),
    make(
      "div",
      { className: "buttons" },
      make("button", { type: "button", className: "accept", textContent: "Accept", "data-key": `a${work.id}`, onclick: () => answer(work, "accept") }),
      // A transfer cannot be declined (PROTOCOL: "What can happen after the offer").
      work.routingType === "Transfer"
        ? null
        : make("button", { type: "button", textContent: "Decline", "data-key": `d${work.id}`, onclick: () => answer(work, "decline") }),
    ),
  );
}

function drawConversations() {
  const mine = org.conversationsOf(me);
  const shown = mine.map(({ id, endUser, status, participants }) => [id, endUser, status, participants.length, id === open]);
  redraw(byId("conversations"), shown, () => {
    if (mine.length === 0) return [make("li", { className: "faint", textContent: "None yet." })];
    return mine.map(({ id, endUser, status, participants }) =>
      make(
        "li",
        {},
        make(
          "button",
          { type: "button", "data-key": id, "data-conversation": id, "aria-current": String(id === open), onclick: () => show(id) },
          disc(endUser, "enduser"),
          make("span", { className: "words" }, make("strong", { textContent: endUser }), make("small", { textContent: `${status} · ${participants.length} participants` })),
        ),
      ),
    );
  });
}

function drawOpen() {
  const conversation = open === null ? undefined : org.conversation(open);
  byId("nothing").hidden = conversation !== undefined;
  byId("open").hidden = conversation === undefined;
  if (conversation === undefined) return;
  const { id, endUser, status, participants, workItem } = conversation;
  const inIt = participants.some((it) => it.subject === me);
  const running = status !== "Ended" && inIt;
  byId("open").dataset.conversation = id;
  say(byId("title"), endUser);
  say(byId("status"), status);
  byId("status").dataset.status = status;
  say(byId("ids"), `Messaging session ${workItem}`);
  for (const button of ["conference", "transfer", "end"]) byId(button).disabled = !running;
  byId("conference").hidden = !org.state.settings.channel.conferenceSupported;
  byId("leave").disabled = !running || participants.filter((it) => it.role === "Agent").length < 2;
  redraw(byId("participants"), [participants, org.state.reps.map((it) => it.name)], () => participants.map(participantLine));
  drawRequests(conversation);
  const lines = timeline(org, conversation);
  redraw(byId("timeline"), lines, () => lines.map(timelineLine));
}

function participantLine(participant) {
  const name = org.participantName(participant);
  const role = participant.role === "Agent" ? (participant.subject === me ? "Rep · you" : "Rep") : "End user";
  return make(
    "li",
    { "data-participant": participant.subject },
    disc(name, participant.role === "Agent" ? "agent" : "enduser"),
    make("span", { className: "words" }, make("strong", { textContent: name }), make("small", { textContent: role })),
  );
}

function drawRequests(conversation) {
  const requests = conversation.requests.map((event) => org.request(event)).filter(Boolean).reverse();
  const shown = requests.map((it) => ({ it, how: standing(org, it, outcomes.of(it.event)), title: org.targetName(it.target) }));
  redraw(byId("requests"), shown, () => {
    if (shown.length === 0) return [make("li", { className: "faint", textContent: "None so far." })];
    return shown.map(({ it, how, title }) =>
      make(
        "li",
        { "data-request": it.event, "data-ended": String(it.ended !== null || how.over === true) },
        make("span", { className: "words" }, make("strong", { textContent: title }), make("small", { className: how.tone ?? "", textContent: how.text })),
        it.ended === null && !how.over && it.routingType === "Conference" && it.requester === me
          ? make("button", { type: "button", className: "quiet", textContent: "Cancel", "data-key": it.event, onclick: () => act({ act: "cancelRequest", request: it.event }) })
          : null,
      ),
    );
  });
}

function timelineLine({ at, text, tone }) {
  const when = new Date(at);
  return make(
    "li",
    { className: tone ?? "" },
    make("time", { dateTime: when.toISOString(), textContent: when.toLocaleTimeString([], { hour12: false }) }),
    make("span", { textContent: text }),
  );
}

/** Hears what happens for as long as the page is there. */
async function listen() {
  for (;;) {
    try {
      for (const work of await org.news(me)) port.agentWork(work);
      await org.refresh();
      draw();
      document.body.removeAttribute("data-lost");
    } catch {
      document.body.dataset.lost = "true";
      await new Promise((later) => setTimeout(later, 1000));
    }
  }
}

port.addEventListener("state", ({ detail: { state, height } }) => {
  say(byId("connector-state"), state);
  byId("connector-state").dataset.state = state;
  byId("connector").style.height = height ? `${height}px` : "";
});
outcomes.addEventListener("change", draw);
port.addEventListener("failed", ({ detail }) => {
  say(byId("connector-state"), detail);
});

byId("rep").addEventListener("change", ({ target: { value } }) => location.assign(addressAs(value)));
byId("presence").addEventListener("change", ({ target: { value } }) => {
  port.setAgentStatus(STATUS[value]);
  void act({ act: "setPresence", rep: me, availability: value });
});
byId("new").addEventListener("click", begin);
byId("new-too").addEventListener("click", begin);
byId("conference").addEventListener("click", () => pick("Conference"));
byId("transfer").addEventListener("click", () => pick("Transfer"));
byId("leave").addEventListener("click", () => act({ act: "repLeaves", conversation: open, rep: me }));
byId("end").addEventListener("click", () => act({ act: "endSession", conversation: open }));

await org.open();
me = org.rep(me)?.id ?? org.state.reps[0]?.id ?? null;
if (me !== null) {
  open = org.conversationsOf(me).find((it) => it.status !== "Ended")?.id ?? null;
  draw();
  port.open(connectorAddress());
  if (new URL(connectorAddress()).origin === location.origin) outcomes.listen();
  void listen();
}
