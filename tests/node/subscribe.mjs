// Logs in to the emulator and subscribes, with the public Node client of the Pub/Sub API as it is, and prints
// what came, as one line of JSON: the first events from the earliest on, then those behind the first one's
// replay id.
//
// Usage: NODE_EXTRA_CA_CERTS=authority.pem node subscribe.mjs ADDRESS CONSUMER_KEY USERNAME TOPIC COUNT
//
// The login goes over Node's own TLS, which trusts the emulator's authority by that variable. The client's gRPC
// trusts the authorities that the client brings along and no others; for that it has a setting of its own.

import { readFileSync } from 'node:fs';
import PubSubApiClient from 'salesforce-pubsub-api-client';

const [loginUrl, clientId, username, topic, count] = process.argv.slice(2);
const privateKey = readFileSync(new URL('../../fixtures/keys/sample-private-key.pem', import.meta.url));

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Reads so many events, beginning as `begin` does. */
async function read(wanted, begin) {
    const client = new PubSubApiClient(
        {
            authType: 'oauth-jwt-bearer',
            loginUrl,
            clientId,
            username,
            privateKey,
            pubSubEndpoint: new URL(loginUrl).host,
            rejectUnauthorizedSsl: false
        },
        silent
    );
    await client.connect();
    const events = [];
    await new Promise((done, failed) => {
        begin(client, (_subscription, kind, data) => {
            if (kind === 'event') events.push(data);
            if (kind === 'error') failed(data);
            if (events.length === wanted) done();
        });
    });
    client.close();
    return events;
}

const wanted = Number(count);
const all = await read(wanted, (client, told) => client.subscribeFromEarliestEvent(topic, told, wanted));
const rest = await read(wanted - 1, (client, told) =>
    client.subscribeFromReplayId(topic, told, wanted - 1, all[0].replayId)
);
console.log(JSON.stringify({ all, rest }));
process.exit(0);
