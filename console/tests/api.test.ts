import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, ApiError, retryAfter } from "../src/api";
import { backoff } from "../src/backoff";

const HOST = "https://connector.example.com";
const PAGE = `${HOST}/connector?rep=005`;

interface Sent {
  url: string;
  init: RequestInit;
}

function api(answer: () => Response | Promise<Response>, token: string | null = null, page = PAGE): { sent: Sent[]; api: Api } {
  const sent: Sent[] = [];
  const send = (async (input: URL, init: RequestInit) => {
    sent.push({ url: String(input), init });
    return answer();
  }) as typeof fetch;
  return { sent, api: new Api(page, () => token, send) };
}

async function failure(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(() => null, (it: unknown) => it);
  assert.ok(error instanceof ApiError, String(error));
  return error;
}

test("a call goes to the API on the page's host, with the token and no cookies", async () => {
  const { sent, api: it } = api(() => new Response("{}", { status: 202 }), "a.b.c");
  await it.agentWork({ workItemId: "0Mw", workId: "0Bz", workEvent: "ACCEPTED" });
  assert.equal(sent[0]?.url, `${HOST}/v1/agent-work`);
  const { method, body, credentials, headers } = sent[0]?.init ?? {};
  assert.deepEqual([method, credentials], ["POST", "omit"]);
  assert.equal((headers as Record<string, string>)["Authorization"], "Bearer a.b.c");
  assert.deepEqual(JSON.parse(String(body)), { workItemId: "0Mw", workId: "0Bz", workEvent: "ACCEPTED" });
});

test("which org and channel is meant is said as the page's address says it", async () => {
  const page = `${HOST}/connector?org=00D&rep=005&channel=a%20b`;
  const { sent, api: it } = api(() => new Response("{}"), null, page);
  await it.session();
  assert.equal(sent[0]?.url, `${HOST}/v1/session?org=00D&channel=a+b`);
});

test("who is meant is said only where no token says it", async () => {
  const { sent, api: it } = api(() => new Response("{}", { status: 202 }));
  await it.presence("BUSY", "005");
  await it.presence("BUSY", null);
  const bodies = sent.map(({ init }) => JSON.parse(String(init.body)) as unknown);
  assert.deepEqual(bodies, [{ availability: "BUSY", userId: "005" }, { availability: "BUSY" }]);
  assert.equal("Authorization" in (sent[0]?.init.headers ?? {}), false);
});

test("an error says what the connector said", async () => {
  const body = JSON.stringify({ error: "the token is over", field: null, hint: "log in", loginUrl: "https://id.example.com" });
  const error = await failure(api(() => new Response(body, { status: 401 })).api.session());
  assert.deepEqual([error.message, error.status, error.loginUrl, error.passes], ["the token is over", 401, "https://id.example.com", false]);
});

test("an answer that is no JSON, and none at all, are told apart from one another", async () => {
  const page = await failure(api(() => new Response("<html>", { status: 502, headers: { "Retry-After": "3" } })).api.session());
  assert.deepEqual([page.status, page.retryAfter, page.passes], [502, 3000, true]);
  const none = await failure(api(() => Promise.reject(new TypeError("Failed to fetch"))).api.session());
  assert.deepEqual([none.status, none.message, none.passes], [null, "the connector does not answer", true]);
});

test("which statuses pass", () => {
  const passes = [400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 503].filter((it) => new ApiError("", it).passes);
  assert.deepEqual(passes, [408, 425, 429, 500, 503]);
});

test("Retry-After is read in seconds and as a date", () => {
  const now = Date.parse("2026-11-20T10:00:00Z");
  const cases: [string | null, number | null][] = [
    ["2", 2000],
    ["Fri, 20 Nov 2026 10:00:05 GMT", 5000],
    ["Fri, 20 Nov 2026 09:00:00 GMT", 0],
    ["-1", 0],
    ["soon", null],
    ["", null],
    [null, null],
  ];
  for (const [header, wanted] of cases) assert.equal(retryAfter(header, now), wanted, String(header));
});

test("waits double up to a bound, are spread, and never undercut what is asked for", () => {
  assert.deepEqual([1, 2, 3, 20].map((failed) => backoff(failed, 0, null)), [250, 500, 1000, 7500]);
  assert.equal(backoff(1, 0.5, null), 375);
  assert.equal(backoff(1, 0, 4000), 4000);
  assert.equal(backoff(1, 0, 3_600_000), 60_000);
});
