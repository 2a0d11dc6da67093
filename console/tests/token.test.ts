import assert from "node:assert/strict";
import { test } from "node:test";

import { handedOver, handOver, loginAddress, takenFrom, Token } from "../src/token";
import { FakeStorage } from "./support";

const PAGE = "https://connector.example.com/connector?rep=005";

test("the token is taken out of the address, and the rest of it stays", () => {
  assert.deepEqual(takenFrom(`${PAGE}#token=a.b.c`), { token: "a.b.c", rest: PAGE });
  assert.deepEqual(takenFrom(`${PAGE}#token=a.b.c&x=1`), { token: "a.b.c", rest: `${PAGE}#x=1` });
  assert.deepEqual(takenFrom(`${PAGE}#token=`), { token: null, rest: PAGE });
  assert.deepEqual(takenFrom(`${PAGE}#x=1`), { token: null, rest: `${PAGE}#x=1` });
});

test("a reload keeps the token, a log-out does not", () => {
  const storage = new FakeStorage();
  new Token(storage).set("a.b.c");
  const reloaded = new Token(storage);
  assert.equal(reloaded.get(), "a.b.c");
  reloaded.forget();
  assert.deepEqual([reloaded.get(), new Token(storage).get()], [null, null]);
});

test("without storage the token lives as long as the page", () => {
  const closed = {
    getItem(): never {
      throw new Error("SecurityError");
    },
    setItem(): never {
      throw new Error("SecurityError");
    },
    removeItem(): never {
      throw new Error("SecurityError");
    },
  };
  for (const storage of [null, closed]) {
    const token = new Token(storage);
    token.set("a.b.c");
    assert.equal(token.get(), "a.b.c");
    token.forget();
    assert.equal(token.get(), null);
  }
});

test("the log-in leads back to the page, and only addresses of the web are followed", () => {
  const address = new URL(loginAddress("https://id.example.com/login?app=byoc", `${PAGE}#x`) ?? "");
  assert.deepEqual([address.searchParams.get("app"), address.searchParams.get("return")], ["byoc", PAGE]);
  assert.equal(loginAddress("/login", PAGE)?.startsWith("https://connector.example.com/login?return="), true);
  for (const wrong of [null, "javascript:alert(1)", "data:text/html,x", "https://"]) {
    assert.equal(loginAddress(wrong, PAGE), null, String(wrong));
  }
});

test("a log-in window hands the token to the page of its own origin, and closes", () => {
  const said: unknown[] = [];
  const window = {
    opener: { postMessage: (...all: unknown[]) => said.push(all) },
    location: { origin: "https://connector.example.com" },
    close: () => said.push("closed"),
  };
  const top = Object.assign(window, { parent: window }) as unknown as Window;
  assert.equal(handOver("a.b.c", top), true);
  const message = { type: "byoc-connector.token", token: "a.b.c" };
  assert.deepEqual(said, [[message, "https://connector.example.com"], "closed"]);
  // The page in Salesforce's frame keeps what it gets.
  const framed = Object.assign({}, window, { parent: {} }) as unknown as Window;
  assert.equal(handOver("a.b.c", framed), false);
  assert.equal(handOver("a.b.c", Object.assign({}, window, { opener: null }) as unknown as Window), false);
});

test("a token is taken only from a window of the page's own origin", () => {
  const origin = "https://connector.example.com";
  const message = (from: string, data: unknown): MessageEvent<unknown> => new MessageEvent("message", { origin: from, data });
  const good = { type: "byoc-connector.token", token: "a.b.c" };
  assert.equal(handedOver(message(origin, good), origin), "a.b.c");
  assert.equal(handedOver(message("https://evil.example.com", good), origin), null);
  for (const data of [null, "x", { type: "SETUP_CONNECTOR" }, { ...good, token: 7 }, { ...good, token: "" }]) {
    assert.equal(handedOver(message(origin, data), origin), null);
  }
});
