// Subscribes to the emulator with the public Node client of the Pub/Sub API, and prints what came, as one line
// of JSON: the first events from the earliest on, then those behind the first one's replay id.
//
// Usage: node subscribe.mjs PORT TOKEN ORG TOPIC COUNT
//
// The client speaks TLS alone, and the emulator does not: a pipe in between takes the TLS off. Its certificate
// is signed with the sample key of fixtures/keys, and protects nothing.

import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import PubSubApiClient from 'salesforce-pubsub-api-client';

const [port, accessToken, organizationId, topic, count] = process.argv.slice(2);
const beside = (path) => readFileSync(new URL(path, import.meta.url));

const pipe = tls.createServer(
    {
        cert: beside('localhost-cert.pem'),
        key: beside('../../fixtures/keys/sample-private-key.pem'),
        ALPNProtocols: ['h2']
    },
    (socket) => {
        const plain = net.connect(Number(port), '127.0.0.1');
        socket.on('error', () => plain.destroy());
        plain.on('error', () => socket.destroy());
        socket.pipe(plain).pipe(socket);
    }
);
await new Promise((listening) => pipe.listen(0, '127.0.0.1', listening));

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Reads so many events, beginning as `begin` does. */
async function read(wanted, begin) {
    const client = new PubSubApiClient(
        {
            authType: 'user-supplied',
            accessToken,
            instanceUrl: 'https://acme.my.salesforce.com',
            organizationId,
            pubSubEndpoint: `localhost:${pipe.address().port}`,
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
pipe.close();
process.exit(0);
