/** Turns the connector's answer into the package's own classes. */

import { Contact, ContactsResult } from "scv-connector-base";

type Fields = ConstructorParameters<typeof Contact>[0];

/** What the answer holds, and how many contacts the package would not take. */
export interface Read {
  result: ContactsResult;
  refused: number;
}

/** One contact that cannot be read must not cost the rep the whole list. */
export function contactsResult(answer: unknown): Read {
  const { contacts, contactTypes } = (answer ?? {}) as { contacts?: unknown; contactTypes?: unknown };
  if (!Array.isArray(contacts)) throw new Error("the connector's answer has no contacts");
  const read: Contact[] = [];
  for (const fields of contacts as Record<string, unknown>[]) {
    try {
      const wait = fields["queueWaitTime"];
      // The package takes the wait as text alone.
      const queueWaitTime = typeof wait === "number" ? String(wait) : wait;
      read.push(new Contact({ ...fields, queueWaitTime } as Fields));
    } catch {
      continue;
    }
  }
  const types = Array.isArray(contactTypes) ? (contactTypes as never[]) : [];
  return {
    result: new ContactsResult({ contacts: read, contactTypes: types }),
    refused: contacts.length - read.length,
  };
}
