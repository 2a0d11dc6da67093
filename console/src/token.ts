/**
 * The session token: how it gets to the page, and where it stays.
 *
 * It comes in the fragment of the page's address (`#token=…`), which no server and no log sees, and is taken
 * out of the address at once. It stays in the session storage: a reload keeps it, closing the tab ends it.
 */

const KEY = "byoc-connector.token";
/** What the log-in window says to the page that opened it. */
const HANDED_OVER = "byoc-connector.token";

export class Token {
  private value: string | null = null;

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null) {
    this.tryStorage((it) => (this.value = it.getItem(KEY)));
  }

  get(): string | null {
    return this.value;
  }

  set(token: string): void {
    this.value = token;
    this.tryStorage((it) => it.setItem(KEY, token));
  }

  forget(): void {
    this.value = null;
    this.tryStorage((it) => it.removeItem(KEY));
  }

  /** A browser may keep third-party pages from storing: then the token lives as long as the page. */
  private tryStorage(work: (storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) => void): void {
    try {
      if (this.storage !== null) work(this.storage);
    } catch {
      // See above.
    }
  }
}

/** The token in an address's fragment, and the address without it. */
export function takenFrom(address: string): { token: string | null; rest: string } {
  const url = new URL(address);
  const fragment = new URLSearchParams(url.hash.slice(1));
  const token = fragment.get("token");
  if (token === null) return { token: null, rest: address };
  fragment.delete("token");
  url.hash = fragment.toString();
  return { token: token === "" ? null : token, rest: url.href };
}

/** Where to log in so as to come back to this page; null where the address is none that may be followed. */
export function loginAddress(loginUrl: string | null, page: string): string | null {
  if (loginUrl === null || !URL.canParse(loginUrl, page)) return null;
  const url = new URL(loginUrl, page);
  if (!["https:", "http:"].includes(url.protocol)) return null;
  const back = new URL(page);
  back.hash = "";
  url.searchParams.set("return", back.href);
  return url.href;
}

/**
 * In the window that the log-in was opened in: gives the token to the page that opened it. The identity
 * provider's page will not be framed, and the two windows may not share any storage.
 */
export function handOver(token: string, self: Window): boolean {
  const opener = self.opener as Window | null;
  if (opener === null || self.parent !== self) return false;
  opener.postMessage({ type: HANDED_OVER, token }, self.location.origin);
  self.close();
  return true;
}

/** The token that a message hands over, where it is one of ours. */
export function handedOver(message: MessageEvent<unknown>, origin: string): string | null {
  const data = message.data;
  if (message.origin !== origin || typeof data !== "object" || data === null) return null;
  const { type, token } = data as { type?: unknown; token?: unknown };
  return type === HANDED_OVER && typeof token === "string" && token !== "" ? token : null;
}
