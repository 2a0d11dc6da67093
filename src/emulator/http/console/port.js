/**
 * Speaks to the connector page as Salesforce does: SETUP_CONNECTOR with a message port, and from then on
 * messages over the port (npm package scv-connector-base, baseConnector.js).
 */

/** The package listens only to these, and more like them. */
const SALESFORCE = /\.(lightning\.force|salesforce)\.com$/;

/** The origin that is named where this page is on a host that the package would not listen to. */
const STAND_IN_ORIGIN = "https://emulator.lightning.force.com";

/** How long the connector page may take. */
const ANSWER_WITHIN = 20_000;

export class ConnectorPort extends EventTarget {
  #frame;
  #port = null;
  #asked = Promise.resolve();
  #answered = null;

  constructor(frame) {
    super();
    this.#frame = frame;
    frame.addEventListener("load", () => this.#setUp());
  }

  /** Loads the connector page; also when it reloads by itself it is set up again. */
  open(address) {
    this.#tell("Loading");
    this.#frame.src = address;
  }

  /** Who can be picked, as the connector page says. One question at a time: answers name no question. */
  getContacts(filter, workItemId) {
    const asked = this.#asked.then(() => this.#ask({ type: "GET_CONTACTS", filter, workItemId }));
    this.#asked = asked.catch(() => {});
    return asked;
  }

  agentWork({ workItemId, workId, workEvent }) {
    this.#send({ type: "AGENT_WORK_EVENT", agentWork: { workItemId, workId, workEvent } });
  }

  setAgentStatus(agentStatus) {
    this.#send({ type: "SET_AGENT_STATUS", agentStatus, statusInfo: { statusName: agentStatus } });
  }

  #setUp() {
    const channel = new MessageChannel();
    this.#port?.close();
    this.#port = channel.port1;
    this.#port.onmessage = ({ data }) => this.#heard(data);
    const data = { type: "SETUP_CONNECTOR", connectorConfig: { orgDomainName: location.hostname } };
    const page = this.#frame.contentWindow;
    const target = new URL(this.#frame.src, location.href).origin;
    if (target !== location.origin || SALESFORCE.test(location.hostname)) {
      page.postMessage(data, target, [channel.port2]);
    } else {
      const origin = STAND_IN_ORIGIN;
      page.dispatchEvent(new page.MessageEvent("message", { data, origin, ports: [channel.port2], source: window }));
    }
    this.#tell("Setting up");
  }

  #send(message) {
    this.#port?.postMessage(message);
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      const slow = setTimeout(() => this.#answered?.(new Error("the connector page does not answer")), ANSWER_WITHIN);
      this.#answered = (answer) => {
        clearTimeout(slow);
        this.#answered = null;
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      if (this.#port === null) this.#answered(new Error("the connector page is not there yet"));
      else this.#send(message);
    });
  }

  #heard({ type, payload }) {
    if (type === "CONNECTOR_READY") {
      this.capabilities = payload.capabilities;
      this.#tell("Ready");
    }
    if (type !== "TELEPHONY_EVENT_DISPATCHED") return;
    const { telephonyEventType: event, telephonyEventPayload: said } = payload;
    switch (event) {
      case "GET_CONTACTS_RESULT":
        return this.#answered?.(said);
      case "SHOW_LOGIN":
      case "LOGOUT_RESULT":
        return this.#tell("Log in", said.loginFrameHeight);
      case "ERROR": {
        const error = new Error(said.customError?.message ?? said.message);
        if (this.#answered) this.#answered(error);
        else this.dispatchEvent(new CustomEvent("failed", { detail: error.message }));
      }
    }
  }

  #tell(state, height) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, height } }));
  }
}
