/**
 * The connector's own last word about each request, where its API is on this host, as in the demo. Salesforce itself
 * does not hear it: once it has been told that a rep will follow, no call tells it that none does.
 */

/** How many are asked for when the page opens. */
const ENDED_BEFORE = 200;

export class Outcomes extends EventTarget {
  #known = new Map();

  /** What is known of a request's end: an outcome and a reason. */
  of(request) {
    return this.#known.get(request);
  }

  /** Listens for as long as the page is there; what ended before, it asks for. */
  listen() {
    const stream = new EventSource("/v1/stream");
    stream.addEventListener("watching", () => void this.#readEnded());
    stream.addEventListener("lagged", () => void this.#readEnded());
    stream.addEventListener("ended", ({ data }) => this.#take([JSON.parse(data)]));
  }

  async #readEnded() {
    const response = await fetch(`/v1/routing-requests?state=ended&limit=${ENDED_BEFORE}`);
    if (response.ok) this.#take((await response.json()).requests);
  }

  #take(requests) {
    for (const { request, outcome, reason } of requests) this.#known.set(request, { outcome, reason });
    this.dispatchEvent(new Event("change"));
  }
}
