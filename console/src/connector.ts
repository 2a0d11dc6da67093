/**
 * What Salesforce asks of a vendor, answered by the connector. Knows the package and the API; the page's
 * looks and the browser's storage are elsewhere.
 */

import {
  AgentVendorStatusInfo,
  type AgentStatusInfo,
  type AgentWork,
  Constants,
  type ContactsFilter,
  CustomError,
  GenericResult,
  InitResult,
  LogoutResult,
  publishEvent,
  SharedCapabilitiesResult,
  type TelephonyConnector,
  VendorConnector,
} from "scv-connector-base";

import { ApiError, type Api, type Availability, type Session } from "./api";
import { backoff, type World } from "./backoff";
import { contactsResult } from "./contacts";
import type { Outbox } from "./outbox";
import { NoTelephony } from "./telephony";

/** How things stand between this page and the connector. */
export type Standing =
  | { is: "connecting" }
  | { is: "unreachable"; why: string }
  | { is: "connected"; session: Session }
  | { is: "signed-out"; loginUrl: string | null };

export interface ConnectorPorts {
  api: Api;
  outbox: Outbox;
  world: World;
  /** Who the page was opened for, where no token says it. */
  rep: string | null;
  forgetToken(): void;
  stands(standing: Standing): void;
  notice(text: string): void;
}

/** Room for the line with the log-in link, in pixels. */
const LOGIN_FRAME_HEIGHT = 160;

/** How long Salesforce is kept waiting for an answer to `init`; after that the page itself is shown. */
const INIT_WITHIN = 8_000;

/** How often a call that the rep waits for is tried. */
const TRIES = 3;

/** A rep's status, as the package spells it, and what it means to a router. */
const AVAILABILITY: ReadonlyMap<string, Availability> = new Map<string, Availability>([
  [Constants.AGENT_STATUS.ONLINE.toLowerCase(), "AVAILABLE"],
  [Constants.AGENT_STATUS.ACW.toLowerCase(), "BUSY"],
  [Constants.AGENT_STATUS.OFFLINE.toLowerCase(), "OFFLINE"],
]);

type StatusFields = ConstructorParameters<typeof AgentVendorStatusInfo>[0];

export class PartnerConnector extends VendorConnector {
  /** Whether Salesforce has set the connector up. */
  started = false;
  private session: Session | null = null;
  /** Whether Salesforce was told to show the page, and is to be told when it need not any more. */
  private shown = false;
  private attempt: Promise<void> | null = null;
  /** The status that Salesforce set last; nothing is known of one before that. */
  private status = new AgentVendorStatusInfo({} as StatusFields);

  constructor(private readonly ports: ConnectorPorts) {
    super();
  }

  override async init(_config: unknown): Promise<InitResult> {
    this.started = true;
    if (this.session === null) await Promise.race([this.connect(), this.ports.world.wait(INIT_WITHIN)]);
    this.shown = this.session === null;
    return new InitResult({ showLogin: this.shown, loginFrameHeight: LOGIN_FRAME_HEIGHT });
  }

  /** Finds out who is signed in; tries until there is an answer. */
  connect(): Promise<void> {
    this.attempt ??= this.tryToConnect().finally(() => (this.attempt = null));
    return this.attempt;
  }

  override async getTelephonyConnector(): Promise<TelephonyConnector> {
    return new NoTelephony();
  }

  override async getSharedCapabilities(): Promise<SharedCapabilitiesResult> {
    return new SharedCapabilitiesResult({
      // The package's own log, which this would let the rep download, holds the names of contacts.
      debugEnabled: false,
      hasContactSearch: true,
      hasAgentAvailability: true,
      hasQueueWaitTime: true,
      hasTransferToOmniFlow: true,
      hasPendingStatusChange: false,
      hasSFDCPendingState: false,
      hasAutoAcceptEnabled: false,
    });
  }

  override async getContacts(filter: ContactsFilter, workItemId: string): Promise<never> {
    try {
      const answer = await this.persistently(() => this.ports.api.contacts(filter ?? {}, workItemId));
      const { result, refused } = contactsResult(answer);
      if (refused > 0) this.ports.notice(`${refused} contacts could not be read and are not shown.`);
      // The package types the answer as that for phone contacts, and takes this class.
      return result as never;
    } catch (error) {
      const message = error instanceof Error ? error.message : "the page has failed";
      throw new CustomError({ labelName: "CanNotGetContacts", namespace: "byoc", message });
    }
  }

  override onAgentWorkEvent({ workItemId, workId, workEvent }: AgentWork): void {
    // Without its ids it is about nothing, and the connector would refuse it.
    if (!workItemId || !workId || !workEvent) return;
    this.ports.outbox.add({ workItemId, workId, workEvent: String(workEvent) });
  }

  /** A component's message, which the package hands on without waiting for anything: none is for us. */
  override handleMessage(_message: unknown): void {}

  /** The package would have the browser save its log, which holds the names of contacts. */
  override downloadLogs(_logs: unknown): void {
    this.ports.notice("The browser keeps no logs. See the connector's own log.");
  }

  /** The package types the answer as another class than the one that it takes. */
  override async getAgentStatus(): Promise<AgentStatusInfo> {
    return this.status as unknown as AgentStatusInfo;
  }

  override async setAgentStatus(agentStatus: unknown, info: unknown, _enqueue: boolean): Promise<GenericResult> {
    const availability = AVAILABILITY.get(String(agentStatus).toLowerCase());
    if (availability === undefined) {
      throw Object.assign(new Error(`there is no status ${String(agentStatus)}`), {
        type: Constants.SHARED_ERROR_TYPE.INVALID_AGENT_STATUS,
      });
    }
    const userId = this.session?.rep ? null : this.ports.rep;
    await this.persistently(() => this.ports.api.presence(availability, userId));
    this.status = new AgentVendorStatusInfo(statusFields(String(agentStatus), availability, info));
    return new GenericResult({ success: true });
  }

  override async logout(): Promise<LogoutResult> {
    this.ports.forgetToken();
    this.signOut(null);
    return new LogoutResult({ success: true, loginFrameHeight: LOGIN_FRAME_HEIGHT });
  }

  /** The connector does not take the token any more: Salesforce is to show the page, so that the rep logs in. */
  refused(error: ApiError): void {
    if (this.session === null) return;
    this.signOut(error.loginUrl);
    if (!this.started) return;
    this.shown = true;
    const payload = new LogoutResult({ success: true, loginFrameHeight: LOGIN_FRAME_HEIGHT });
    void publishEvent({ eventType: "LOGOUT_RESULT", payload, registerLog: false });
  }

  private signOut(loginUrl: string | null): void {
    this.session = null;
    this.ports.outbox.stop();
    this.ports.stands({ is: "signed-out", loginUrl });
  }

  private async tryToConnect(): Promise<void> {
    const { api, world, stands } = this.ports;
    if (this.session === null) stands({ is: "connecting" });
    for (let failed = 1; ; failed += 1) {
      try {
        this.connected(await api.session());
        return;
      } catch (error) {
        const why = error instanceof ApiError ? error : new ApiError("the page has failed", null);
        if (why.status === 401) return this.signOut(why.loginUrl);
        stands({ is: "unreachable", why: why.message });
        await world.wait(backoff(failed, world.random(), why.retryAfter));
      }
    }
  }

  private connected(session: Session): void {
    this.session = session;
    this.ports.stands({ is: "connected", session });
    this.ports.outbox.start([session.org, session.channel, session.rep ?? this.ports.rep ?? ""].join("/"));
    if (!this.shown) return;
    this.shown = false;
    const payload = new GenericResult({ success: true });
    void publishEvent({ eventType: "LOGIN_RESULT", payload, registerLog: false });
  }

  /** A call that the rep waits for: a few tries, not long. */
  private async persistently<T>(call: () => Promise<T>): Promise<T> {
    const { world } = this.ports;
    for (let failed = 1; ; failed += 1) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 401) this.refused(error);
        if (!error.passes || failed === TRIES) throw error;
        await world.wait(backoff(failed, world.random(), null));
      }
    }
  }
}

/** A status as `getAgentStatus` tells it; Salesforce's own name and id of it, where it gave them. */
function statusFields(agentStatus: string, statusType: Availability, info: unknown): StatusFields {
  const { statusId, statusName } = (info ?? {}) as { statusId?: unknown; statusName?: unknown };
  const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  return { statusId: text(statusId), statusType, statusName: text(statusName) ?? agentStatus } as StatusFields;
}
