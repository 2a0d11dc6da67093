/** The emulator's ledger, in words. */

/** What the partner's calls do, by operation. */
const CALLS = {
  createRoute: "requested a route",
  deleteRoute: "cleared the route",
  createAgentWork: "made an offer",
  updateAgentWork: "cancelled an offer",
  routingResult: "sent the routing result",
  participant: "changed the participants",
};

const RESULTS = { Effective: "", Repeated: " (repeated)", Late: " (too late)", Unasked: " (no request)" };

const OFFERS = {
  Assigned: "Ringing",
  Accepted: "Accepted by",
  Declined: "Declined by",
  Cancelled: "No longer ringing",
  Closed: "Closed for",
};

/** Why the connector cleared the route. */
const GIVEN_UP = {
  Decline: "The invitation was declined, and nobody else is left to ask.",
  Unavailable: "No rep is available.",
};

/** What a call can bring about at once. */
const EFFECTS = ["offerCreated", "offerChanged", "psrCreated", "psrDeleted", "resultReceived", "requestEnded"];

/** The lines of one conversation, the newest first. */
export function timeline(org, conversation) {
  const requests = new Set(conversation.requests);
  const psrs = new Set();
  const entries = [];
  for (const entry of org.books) {
    if (entry.kind === "psrCreated" && entry.conversation === conversation.id) psrs.add(entry.psr);
    if (!belongs(entry, conversation, requests, psrs)) continue;
    // The books hold a call behind what it brought about; a reader wants the cause first.
    let place = entries.length;
    if (entry.kind === "call") {
      while (place > 0 && entries[place - 1].at === entry.at && EFFECTS.includes(entries[place - 1].kind)) place -= 1;
    }
    entries.splice(place, 0, entry);
  }
  const lines = entries.map((entry) => ({ at: entry.at, said: words(org, entry) }));
  return lines.filter(({ said }) => said !== null).map(({ at, said }) => ({ at, ...said })).reverse();
}

function belongs(entry, conversation, requests, psrs) {
  if (entry.kind === "call") {
    const body = entry.body ?? {};
    const context = body.routingContext ?? {};
    return (
      [body.conversationIdentifier, context.conversationIdentifier].includes(conversation.id) ||
      (body.workItemId ?? "-").startsWith(conversation.workItem) ||
      conversation.works.some((work) => (body.agentWorkId ?? "-").startsWith(work))
    );
  }
  return (
    entry.conversation === conversation.id ||
    requests.has(entry.request) ||
    requests.has(entry.correlation) ||
    psrs.has(entry.psr)
  );
}

function words(org, entry) {
  switch (entry.kind) {
    case "sessionChanged":
      return { text: `Session: ${entry.to}` };
    case "participantJoined": {
      const over = entry.overLimit ? ", more than the channel allows" : "";
      return { text: `${org.participantName(entry.participant)} joined (${entry.count} are in${over})`, tone: "good" };
    }
    case "participantLeft":
      return { text: `${org.participantName(entry.participant)} left (${entry.count} are in)` };
    case "requestPublished": {
      const request = org.request(entry.request);
      const who = request?.requester ? org.name(request.requester) : "A rep";
      const what = entry.routingType === "Transfer" ? "transfers to" : "invites";
      return { text: `${who} ${what} ${request ? org.targetName(request.target) : "an unknown target"}`, tone: "strong" };
    }
    case "requestEnded":
      return ending(org, entry.ending);
    case "requestUnanswered":
      return { text: "No result within 60 seconds", tone: "bad" };
    case "offerChanged":
      return offer(org, entry);
    case "psrCreated":
      return { text: `The work item waits in a queue (${entry.psr})`, tone: "faint" };
    case "psrDeleted":
      return { text: `The work item no longer waits (${entry.psr})`, tone: "faint" };
    case "resultReceived": {
      const result = entry.success ? "success" : "failure";
      return { text: `The connector reported ${result}${RESULTS[entry.verdict] ?? ""}`, tone: "faint" };
    }
    case "call":
      return call(entry);
    default:
      return null;
  }
}

function offer(org, { change, rep }) {
  const tone = { Declined: "bad", Accepted: "good" }[change];
  return { text: `${OFFERS[change] ?? `${change}:`} ${org.name(rep)}`, tone };
}

function ending(org, { how, rep, message, reason }) {
  switch (how) {
    case "joined":
      return { text: `Done: ${org.name(rep)} is in`, tone: "good" };
    case "refused":
      return { text: `Not possible: ${message}`, tone: "bad" };
    case "cancelled":
      return { text: "The request was cancelled" };
    case "givenUp":
      return { text: GIVEN_UP[reason] ?? "No rep could be found.", tone: "bad" };
    case "markedFailed":
      return { text: "Salesforce marked the request as failed", tone: "bad" };
    case "routedExternally":
      return { text: "Routed outside of Salesforce" };
    default:
      return { text: "The request ended with the session" };
  }
}

function call({ operation, status, code }) {
  const what = CALLS[operation] ?? "made an unknown call";
  // What a result said stands there already.
  if (status < 300 && operation === "routingResult") return null;
  if (status < 300) return { text: `The connector ${what}`, tone: "faint" };
  return { text: `The connector ${what}: refused, ${status}${code ? `, code ${code}` : ""}`, tone: "bad" };
}

/** What became of the offer that was made last, where nobody took it. */
const NOT_TAKEN = { Declined: "declined", Cancelled: "did not answer" };

/**
 * How a request stands, in words. Once Salesforce has been told that a rep will follow, no call tells it that none
 * does: `outcome`, from the connector, does. Without it the last offer tells as much as can be known.
 */
export function standing(org, request, outcome) {
  if (request.ended?.[1].how === "joined" || (request.ended && !outcome)) return ending(org, request.ended[1]);
  if (outcome && outcome.outcome !== "joined") {
    return { text: `Not possible: ${outcome.reason}`, tone: "bad", over: true };
  }
  const offers = org.state.agentWorks.filter((it) => it.correlation === request.event);
  const ringing = offers.filter((it) => it.state === "Assigned");
  if (ringing.length > 0) return { text: `Ringing ${ringing.map((it) => org.name(it.rep)).join(", ")}`, tone: "busy" };
  const last = offers.at(-1);
  if (last && NOT_TAKEN[last.state]) return { text: `${org.name(last.rep)} ${NOT_TAKEN[last.state]}`, tone: "bad" };
  return { text: "Finding a rep…", tone: "busy" };
}
