/**
 * The connector's own HTTP API, as far as this page uses it. Knows HTTP and nothing of the package's classes.
 *
 * Nothing from a request or an answer reaches the browser's console.
 */

/** Who is signed in, as `GET /v1/session` says it. */
export interface Session {
  org: string;
  channel: string;
  /** The rep's user id; null where the connector runs without authentication. */
  rep: string | null;
  conferenceSupported: boolean;
}

/** An agent work event, in the package's own terms. */
export interface AgentWorkEvent {
  workItemId: string;
  workId: string;
  workEvent: string;
}

export type Availability = "AVAILABLE" | "BUSY" | "OFFLINE";

/** What became of a call that did not work. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The HTTP status; null where no answer came. */
    readonly status: number | null,
    /** How long the connector asks to wait, in milliseconds. */
    readonly retryAfter: number | null = null,
    /** Where to log in; only a 401 has it. */
    readonly loginUrl: string | null = null,
  ) {
    super(message);
  }

  /** Whether the same call may work a little later. */
  get passes(): boolean {
    return this.status === null || this.status >= 500 || [408, 425, 429].includes(this.status);
  }
}

/** How long an answer is waited for. */
const ANSWER_WITHIN = 10_000;

export class Api {
  private readonly place: string;

  constructor(
    /** The page's own address: the API is on its host. Its query may say which org and channel is meant. */
    private readonly page: string,
    private readonly token: () => string | null,
    private readonly send: typeof fetch = (input, init) => fetch(input, init),
  ) {
    const { searchParams } = new URL(page);
    const named = [...searchParams].filter(([name]) => name === "org" || name === "channel");
    this.place = new URLSearchParams(named).toString();
  }

  async session(): Promise<Session> {
    return (await this.call("GET", "/v1/session")) as Session;
  }

  /** The answer is in the package's terms, but not yet in its classes. */
  contacts(filter: unknown, workItemId: string): Promise<unknown> {
    return this.call("POST", "/v1/contacts", { filter, workItemId });
  }

  async agentWork(event: AgentWorkEvent): Promise<void> {
    await this.call("POST", "/v1/agent-work", event);
  }

  async presence(availability: Availability, userId: string | null): Promise<void> {
    await this.call("POST", "/v1/presence", userId === null ? { availability } : { availability, userId });
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers: Record<string, string> = { Accept: "application/json" };
    const token = this.token();
    if (token !== null) headers["Authorization"] = `Bearer ${token}`;
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit" };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
      // What is under way when the page is left still arrives.
      init.keepalive = true;
    }
    init.signal = AbortSignal.timeout(ANSWER_WITHIN);
    let response: Response;
    let answer: unknown;
    try {
      const url = new URL(path, this.page);
      url.search = this.place;
      response = await this.send(url, init);
      answer = await response.json().catch(() => null);
    } catch {
      throw new ApiError("the connector does not answer", null);
    }
    if (response.ok) return answer;
    throw new ApiError(
      text(answer, "error") ?? `the connector answers ${response.status}`,
      response.status,
      retryAfter(response.headers.get("Retry-After"), Date.now()),
      text(answer, "loginUrl"),
    );
  }
}

function text(answer: unknown, field: string): string | null {
  const value = typeof answer === "object" && answer !== null ? Reflect.get(answer, field) : null;
  return typeof value === "string" ? value : null;
}

/** A `Retry-After` in milliseconds: it is in seconds, or a date. */
export function retryAfter(header: string | null, now: number): number | null {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000;
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
