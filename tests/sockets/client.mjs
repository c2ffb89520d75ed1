// Uses a server by the client of graphql-ws: a change, a query, and a live query that sees the change, the same again after the
// server has closed the socket, and a token that is not good. It says what it does, a line each, and waits at "close" until it
// was closed.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);

const ask = (client, query, variables) =>
  new Promise((resolve, reject) => {
    let answer;
    client.subscribe({ query, variables }, { next: (value) => (answer = value), error: reject, complete: () => resolve(answer) });
  });

const say = (name, value) => console.log(`${name} ${JSON.stringify(value)}`);

let closed;
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  lazy: false,
  connectionParams: { Authorization: `Bearer ${token}` },
  retryWait: async () => {},
  on: { closed: (event) => closed(event.code), ping: (received) => received && say('ping', null) },
});
const firstClose = new Promise((resolve) => (closed = resolve));

const live = client.iterate({ query: 'subscription { notes { id } }' });
const seen = async () => say('live', (await live.next()).value);
await seen();
say('mutation', await ask(client, 'mutation($id: ID!) { insertNote(doc: {id: $id, owner: "ann"}) { id owner } }', { id: 'a' }));
await seen();
say('query', await ask(client, '{ notes { id } }'));
try {
  await ask(client, '{ nope }');
} catch (errors) {
  say('error', errors[0].message);
}
say('close', null);
say('closed', await firstClose);
say('again', await ask(client, '{ notes { id text } }'));
await seen();
await live.return();
client.dispose();

const stranger = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: { token: token + 'x' } });
try {
  await ask(stranger, '{ notes { id } }');
} catch (event) {
  say('refused', [event.code, event.reason]);
}
