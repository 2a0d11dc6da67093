// The operator's page: which routing requests are open, how the last ones ended, and whether all parts work.
//
// It reads /v1/routing-requests, /v1/owed, /v1/dead-letters, /v1/unreadable-conversations and /readyz every few seconds, and at once when /v1/stream tells of an
// ending. Each is read and shown by itself: while the store fails, health is what somebody comes here for.
// Whatever it shows is set as text, never as markup.

"use strict";

const EVERY = 5000; // milliseconds between two looks
const AT_MOST_EVERY = 1000; // however many endings the stream tells of
const LISTED = 200;
const PARTS = 12; // how many parts are shown, what is down first; and how many notices

const byId = (id) => document.getElementById(id);
// Of the lists, null is what was never read.
const state = { owed: { owed: [], more: false }, letters: { deadLetters: [], more: false }, unreadable: { conversations: [], more: false }, open: null, ended: null, skew: 0 };

// --- what is shown ---------------------------------------------------------------------------------

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

const since = (at) => (at ? duration(Date.now() + state.skew - Date.parse(at)) : "–");

function left(at) {
  const milliseconds = Date.parse(at) - Date.now() - state.skew;
  return milliseconds > 0 ? `${duration(milliseconds)} left` : "over";
}

// What was asked for, and by whom: "queue 00G…" as what it is and its id. Of what ended before the connector's last
// start it is not known.
function asked(request) {
  if (!request.target) return plain("–");
  const [, kind, id] = /^(rep|queue|flow|skills) (.*)$/.exec(request.target) || [null, request.target, ""];
  const made = plain(`${request.routingType}, ${kind}`, id);
  if (request.requester) made.append(element("small", `requested by ${request.requester}`));
  return made;
}

function offers(request) {
  if (request.offers.length === 0) return [["–", ""]];
  return request.offers.map((offer) => {
    return [offer.rep, offer.until ? `${offer.state}, ${left(offer.until)}` : offer.state];
  });
}

// One cell: lines of code, each with a smaller line below it.
function cell(name, lines, scope) {
  const made = element(name);
  if (scope) made.scope = scope;
  for (const [main, below] of lines) {
    const line = element("div");
    line.append(main === "–" ? element("span", main) : element("code", main));
    if (below) line.append(element("small", below));
    made.append(line);
  }
  return made;
}

function plain(text, below, className) {
  const made = element("td", undefined, className);
  made.append(element("span", text));
  if (below) made.append(element("small", below));
  return made;
}

const OUTCOME = { joined: "good", declined: "wait", unanswered: "wait", cancelled: "wait", refused: "bad", failed: "bad" };

function outcomeCell(request) {
  const made = element("td", undefined, "word");
  const mark = element("span", undefined, `mark ${OUTCOME[request.outcome] || "wait"}`);
  mark.setAttribute("aria-hidden", "true");
  made.append(mark, element("span", request.outcome));
  if (request.joined) made.append(element("small", request.joined));
  return made;
}

function openRow(request) {
  const row = element("tr");
  // The outcome may be known while there is still something to clean up.
  const spoken = request.outcome ? `${request.outcome}: ${request.reason}` : "";
  row.append(
    plain(since(request.created), undefined, "number"),
    cell("th", [[request.request, request.workItem || request.conversation]], "row"),
    plain(request.channel, request.org),
    asked(request),
    cell("td", offers(request)),
    plain(request.doing, spoken),
  );
  return row;
}

function endedRow(request) {
  const row = element("tr");
  row.append(
    plain(`${since(request.at)} ago`, undefined, "number"),
    cell("th", [[request.request, request.conversation]], "row"),
    plain(request.channel, request.org),
    asked(request),
    outcomeCell(request),
    plain(request.reason),
  );
  return row;
}

const UNDO = { cancelOffer: "Cancel the offer", clearRoute: "Clear the PSR", removeRep: "Remove the rep",
  unknownOffer: "An offer of unknown id may still ring" };

function tried(owed) {
  if (owed.undo === "unknownOffer") return "cannot be tried";
  if (owed.tries === 0) return "being tried for the first time";
  return `tried ${owed.tries} ${owed.tries === 1 ? "time" : "times"}`;
}

function owedRow(owed) {
  const row = element("tr");
  const unknown = owed.undo === "unknownOffer";
  const next = unknown ? "check the rep's console" : owed.nextTry ? `in ${duration(Date.parse(owed.nextTry) - Date.now() - state.skew)}` : "now";
  row.append(
    plain(since(owed.since), undefined, "number"),
    plain(UNDO[owed.undo] || owed.undo, [owed.rep, owed.work].filter(Boolean).join(", ")),
    cell("th", [[owed.request, owed.workItem || owed.conversation]], "row"),
    plain(owed.channel, owed.org),
    plain(owed.lastAnswer || "none", tried(owed)),
    plain(next),
  );
  const actions = element("td");
  // What is tried for the first time is being tried, and not owed yet.
  const first = owed.tries === 0 && !unknown;
  const orders = first ? [] : unknown ? [["strike", "Dismiss"]] : [["try", "Try now"], ["strike", "Dismiss"]];
  if (first) actions.append(element("span", "–"));
  for (const [act, text] of orders) {
    const button = element("button", text);
    button.type = "button";
    button.dataset.act = act;
    button.dataset.id = owed.id;
    button.setAttribute("aria-label", `${text}: ${UNDO[owed.undo] || owed.undo} of ${owed.request}`);
    actions.append(button);
  }
  row.append(actions);
  return row;
}

function news({ joined, session }) {
  if (session) return session === "waiting" ? "The session waits" : "The session ended";
  return joined ? "A rep joined" : "A rep left";
}

function letterRow(letter) {
  const row = element("tr");
  const actions = element("td");
  for (const [act, text] of letter.resending ? [["drop", "Drop"]] : [["resend", "Send again"], ["drop", "Drop"]]) {
    const button = element("button", text);
    button.type = "button";
    button.dataset.act = act;
    button.dataset.id = letter.id;
    button.setAttribute("aria-label", `${text}: number ${letter.sequence} of ${letter.conversation}`);
    actions.append(button);
  }
  row.append(
    plain(since(letter.since), undefined, "number"),
    cell("th", [[letter.conversation, letter.id]], "row"),
    plain(letter.channel, letter.org),
    plain(news(letter.news), [letter.news.rep, `number ${letter.sequence}`].filter(Boolean).join(", ")),
    plain(letter.reason, letter.resending ? "being sent again" : undefined),
    actions,
  );
  return row;
}

async function orderLetter({ act, id }) {
  const path = `/v1/dead-letters/${encodeURIComponent(id)}`;
  if (act === "drop" && !confirm("Drop it? The partner's platform never hears of it.")) return;
  const said = byId("letters-said");
  try {
    const response = act === "resend" ? await fetch(`${path}/resend`, { method: "POST" }) : await fetch(path, { method: "DELETE" });
    const body = await response.json();
    setText(said, response.ok ? (act === "resend" ? "Sending it again." : "Dropped.") : `${body.error}: ${body.hint}`);
  } catch (error) {
    setText(said, `The order failed: ${error.message}`);
  }
  lookSoon();
}

function unreadableRow(lost) {
  const row = element("tr");
  const open = [...lost.works.map((work) => [work, "offer"]), ...lost.psrs.map((psr) => [psr, "PSR"])];
  const actions = element("td");
  const button = element("button", "Undo and give up");
  button.type = "button";
  button.dataset.giveUp = lost.conversation;
  button.dataset.org = lost.org;
  button.dataset.channel = lost.channel;
  button.setAttribute("aria-label", `Undo and give up: ${lost.conversation}`);
  actions.append(button);
  row.append(
    cell("th", [[lost.conversation, lost.workItem || ""]], "row"),
    plain(lost.channel, lost.org),
    plain(lost.why),
    cell("td", open.length > 0 ? open : [["–", ""]]),
    actions,
  );
  return row;
}

async function giveUp({ giveUp: id, org, channel }) {
  if (!confirm("Cancel what may be open at Salesforce, and delete the conversation?")) return;
  const path = `/v1/unreadable-conversations/${encodeURIComponent(id)}/give-up?${new URLSearchParams({ org, channel })}`;
  const said = byId("unreadable-said");
  try {
    const response = await fetch(path, { method: "POST" });
    const body = await response.json();
    if (!response.ok) setText(said, `${body.error}: ${body.hint}`);
    else setText(said, body.givenUp ? "Given up." : `Not given up; still open: ${body.left.join("; ")}`);
  } catch (error) {
    setText(said, `The order failed: ${error.message}`);
  }
  lookSoon();
}

async function order(act, id) {
  const path = `/v1/owed/${encodeURIComponent(id)}`;
  if (act === "strike" && !confirm("Dismiss it? It is not tried again: only do this if it was fixed by hand.")) return;
  try {
    const response = act === "try" ? await fetch(`${path}/try`, { method: "POST" }) : await fetch(path, { method: "DELETE" });
    const body = await response.json();
    setText(byId("owed-said"), response.ok ? (act === "try" ? "Trying now." : "Dismissed.") : `${body.error}: ${body.hint}`);
  } catch (error) {
    setText(byId("owed-said"), `The order failed: ${error.message}`);
  }
  lookSoon();
}

// Puts rows in place. A row that would look the same is left alone, so that what is selected stays selected.
function fill(table, rows) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent);
  rows.forEach((row, n) => {
    // On a phone a row stands as a card, and each cell says itself what it is.
    [...row.cells].forEach((made, n) => (made.dataset.label = heads[n]));
    const old = body.rows[n];
    if (!old) body.append(row);
    else if (!old.isEqualNode(row)) old.replaceWith(row);
  });
  while (body.rows.length > rows.length) body.rows[body.rows.length - 1].remove();
  table.tHead.hidden = rows.length === 0;
  table.nextElementSibling.hidden = rows.length > 0;
}

function count(of, shown, more) {
  const total = more ? `more than ${of.length}` : `${of.length}`;
  return shown.length === of.length ? total : `${shown.length} of ${total}`;
}

function drawList(name, known, toRow, none) {
  const wanted = byId("filter").value.trim().toLowerCase();
  const fits = (request) => wanted === "" || JSON.stringify(request).toLowerCase().includes(wanted);
  const shown = known ? known.requests.filter(fits) : [];
  const table = byId(name);
  fill(table, shown.map(toRow));
  const filtered = known && known.requests.length > 0;
  setText(table.nextElementSibling, known ? (filtered ? "Nothing matches the filter." : none) : "Not read yet.");
  setText(byId(`${name}-count`), known ? count(known.requests, shown, known.more) : "");
}

function draw() {
  drawList("open", state.open, openRow, "No request is open.");
  drawList("ended", state.ended, endedRow, "No request has ended yet.");
  byId("owed-section").hidden = state.owed.owed.length === 0;
  fill(byId("owed"), state.owed.owed.map(owedRow));
  setText(byId("owed-count"), count(state.owed.owed, state.owed.owed, state.owed.more));
  const { deadLetters } = state.letters;
  byId("letters-section").hidden = deadLetters.length === 0 && byId("letters-said").textContent === "";
  fill(byId("letters"), deadLetters.map(letterRow));
  setText(byId("letters-count"), count(deadLetters, deadLetters, state.letters.more));
  const { conversations, more } = state.unreadable;
  // What came of the last order stays to be read.
  byId("unreadable-section").hidden = conversations.length === 0 && byId("unreadable-said").textContent === "";
  fill(byId("unreadable"), conversations.map(unreadableRow));
  setText(byId("unreadable-count"), count(conversations, conversations, more));
}

// A live region speaks when its text is set, changed or not.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function drawParts(readiness) {
  const checks = [...readiness.checks].sort((a, b) => Number(a.ok) - Number(b.ok));
  const rest = checks.splice(PARTS);
  const rows = checks.map((check) => {
    const part = element("li");
    const mark = element("span", undefined, `mark ${check.ok ? "good" : "bad"}`);
    mark.setAttribute("aria-hidden", "true");
    const where = [check.channel, check.org].filter(Boolean).join(", ");
    part.append(mark, element("span", `${check.what}: ${check.ok ? "OK" : "down"}`));
    if (where) part.append(element("small", where));
    if (check.problem) part.append(element("small", check.problem));
    if (check.since) part.append(element("small", `for ${since(check.since)}`));
    return part;
  });
  if (rest.length > 0) {
    const failing = rest.filter((check) => !check.ok).length;
    rows.push(element("li", `${rest.length} more, ${failing === 0 ? "all OK" : `${failing} down`}`));
  }
  byId("parts").replaceChildren(...rows);
  drawNotices(readiness.notices);
}

// What somebody should look at although the service works.
function drawNotices(all) {
  const shown = all.slice(0, PARTS);
  const rows = shown.map((notice) => {
    const row = element("li");
    const mark = element("span", undefined, "mark wait");
    mark.setAttribute("aria-hidden", "true");
    row.append(mark, element("span", `${notice.what}: ${notice.problem}`));
    if (notice.hint) row.append(element("small", `What to do: ${notice.hint}`));
    const where = [notice.channel, notice.org].filter(Boolean).join(", ");
    if (where) row.append(element("small", where));
    if (notice.since) row.append(element("small", `for ${since(notice.since)}`));
    return row;
  });
  if (all.length > shown.length) rows.push(element("li", `${all.length - shown.length} more: see /readyz`));
  byId("notices").replaceChildren(...rows);
}

function connection(kind, text) {
  byId("connection").firstElementChild.className = `mark ${kind}`;
  setText(byId("connection-text"), text);
}

function banner(text) {
  byId("banner").hidden = !text;
  setText(byId("banner"), text || "");
}

// --- what is read ----------------------------------------------------------------------------------

async function read(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(EVERY) });
  const told = Date.parse(response.headers.get("Date") || "");
  // Ages are by the connector's clock, which need not be the browser's.
  if (!Number.isNaN(told) && Math.abs(told - Date.now()) > 2000) state.skew = told - Date.now();
  const body = await response.json();
  // /readyz says by its status what it says in its body.
  if (!response.ok && !(path === "/readyz" && body.checks)) throw new Error(body.error || `HTTP ${response.status}`);
  return body;
}

const why = (error) => (error.name === "TimeoutError" ? `no answer within ${EVERY / 1000} seconds` : error.message);

// What each is called, where it is read, and what is done with it.
const READS = [
  ["Health", "/readyz", drawParts],
  ["What is owed", "/v1/owed?limit=100", (owed) => (state.owed = owed)],
  ["Dead letters", "/v1/dead-letters?limit=100", (letters) => (state.letters = letters)],
  ["Conversations that cannot be read", "/v1/unreadable-conversations?limit=100", (lost) => (state.unreadable = lost)],
  ["Open requests", `/v1/routing-requests?state=open&limit=${LISTED}`, (open) => (state.open = open)],
  ["Ended requests", `/v1/routing-requests?state=ended&limit=${LISTED}`, (ended) => (state.ended = ended)],
];

async function look() {
  const failures = await Promise.all(
    READS.map(async ([name, path, take]) => {
      try {
        take(await read(path));
        draw();
        return null;
      } catch (error) {
        return `${name} cannot be read: ${why(error)}.`;
      }
    }),
  );
  const told = failures.filter(Boolean);
  banner(told.length > 0 ? `${told.join(" ")} The data shown may be old. Retrying.` : "");
}

let looking = false;
let again = false;

// One look at a time; what comes meanwhile leads to one more.
async function lookSoon() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  await look();
  await new Promise((done) => setTimeout(done, AT_MOST_EVERY));
  looking = false;
  if (again) {
    again = false;
    lookSoon();
  }
}

function watch() {
  const stream = new EventSource("/v1/stream");
  stream.addEventListener("watching", () => {
    connection("good", "Live");
    lookSoon();
  });
  stream.addEventListener("ended", lookSoon);
  stream.addEventListener("lagged", lookSoon);
  stream.addEventListener("error", () => {
    connection("wait", "Not live; looking every few seconds");
    // A stream that was refused is not tried again by the browser.
    if (stream.readyState === EventSource.CLOSED) setTimeout(watch, 2 * EVERY);
  });
}

byId("owed").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) order(button.dataset.act, button.dataset.id);
});
byId("letters").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) orderLetter(button.dataset);
});
byId("unreadable").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) giveUp(button.dataset);
});
byId("filter").addEventListener("input", draw);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) lookSoon();
});
setInterval(() => {
  if (!document.hidden) lookSoon();
}, EVERY);
setInterval(() => {
  if (!document.hidden) draw();
}, 1000);
lookSoon();
watch();
