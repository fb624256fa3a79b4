// SPDX-License-Identifier: Apache-2.0
// Every row of the refusal rule, and every sentence below its table, through a real nginx: one test for each, named
// for it.  rows.def lists them all, with those that other files show; tools/lint/rows holds the two together.
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { decided, freePort, makeDirectory, startGateway } from './lib/gateway.mjs';
import { Connection, format } from './lib/client.mjs';
import { account, forbid, put } from './lib/store.mjs';
import { audience, bearer, expired, forged, issuer, token } from './lib/tokens.mjs';
import { startUpstream } from './lib/upstream.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const origin = 'https://app.example';
let upstream, gateway, broken, smallPort, guestPort;
before(async () => {
  upstream = await startUpstream();
  const dir = makeDirectory();
  rmSync(`${dir}/policies`, { recursive: true });
  cpSync(path.join(here, 'rows'), `${dir}/policies`, { recursive: true });
  [smallPort, guestPort] = [await freePort(), await freePort()];
  const store = `${dir}/store`;
  put(store, [{ uid: { type: 'Place', id: 'x' }, attrs: {}, parents: [] }]);
  for (const [verb, name] of [['suspend', 'sam'], ['disable', 'dora'], ['delete', 'dell']]) account(store, verb, `User::"${name}"`);
  const settings = `forbid_store ${store}; forbid_cors ${origin}; forbid_resource https://api.example; forbid_retry_after 7s;`;
  const common = decided(upstream, settings);
  gateway = await startGateway({
    dir,
    http: 'limit_req_zone $forbid_principal zone=principals:1m rate=1r/m;',
    servers: (port) => `
      server { listen 127.0.0.1:${port}; ${common.replace('location / {', 'location = /limited { limit_req zone=principals; limit_req_status 429; proxy_pass http://127.0.0.1:' + upstream.port + '/; } location / {')} }
      server { listen 127.0.0.1:${smallPort}; client_max_body_size 1k; client_header_buffer_size 1k; large_client_header_buffers 2 1k; ${common} }
      server { listen 127.0.0.1:${guestPort}; ${common.replace(/forbid_issuer [^;]*;/, '')} }`,
  });
  const lost = makeDirectory();
  broken = await startGateway({ dir: lost, server: decided(upstream, `forbid_store ${lost}/none; forbid_cors ${origin}; forbid_retry_after 2m;`) });
});
after(async () => {
  await gateway?.stop();
  await broken?.stop();
  await upstream.stop();
});

// What every refusal has (REFUSALS §1.1, above its table), and what the row says.
function holds(answer, { status, error, reason, challenge, ...fields }) {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.get('cache-control'), 'no-store');
  assert.match(answer.get('x-request-id'), /^[0-9a-f]{32}$/);
  assert.match(answer.get('vary'), /Accept, Origin/);
  assert.equal(answer.get('access-control-allow-origin'), origin);
  assert.match(answer.get('access-control-expose-headers'), /WWW-Authenticate, Retry-After/);
  assert.deepEqual(answer.all('www-authenticate'), challenge ?? [], 'challenges');
  assert.equal(Number(answer.get('content-length')), Buffer.byteLength(answer.body));
  assert.equal(answer.get('content-type'), 'application/json');
  if (error) assert.equal(JSON.parse(answer.body).error, error);
  assert.equal(JSON.parse(answer.body).reason, reason);
  for (const [name, value] of Object.entries(fields)) assert.equal(answer.get(name), value, name);
}
const metadata = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource"';
const bearerChallenge = (more = '') => [`Bearer realm="api"${more}, ${metadata}`];

async function refused(method, target, headers, expected, more) {
  const before = upstream.seen.length;
  const list = Array.isArray(headers) ? headers : Object.entries(headers);
  const answer = await gateway.request(method, target, [['Origin', origin], ...list], more);
  holds(answer, expected);
  assert.equal(upstream.seen.length, before, 'nothing reaches the upstream');
  return answer;
}
async function forwarded(method, target, headers, more) {
  const before = upstream.seen.length;
  const answer = await gateway.request(method, target, headers, more);
  assert.equal(answer.status, 200, answer.body);
  assert.equal(upstream.seen.length, before + 1);
  return upstream.seen.at(-1);
}
async function exchange(port, bytes, options) {
  const connection = new Connection(port);
  connection.send(bytes);
  try { return await connection.response(options); } finally { connection.close(); }
}
const alice = (claims) => bearer('alice', { claims });
const bob = (claims) => bearer('bob', { claims });
const now = () => Math.floor(Date.now() / 1000);
const unauthorized = (more = {}) => ({ status: 401, error: 'unauthorized', challenge: bearerChallenge(), ...more });

// What differs from one answer to the next all the same.
const told = (answer) => answer.fields.filter(([name]) => !['date', 'x-request-id', 'x-worker'].includes(name));

// --- The rows, as REFUSALS §1.1 numbers them --------------------------------------------------------------------

test('row 1: no credentials', () => refused('GET', '/docs/1', {}, unauthorized()));

test('row 2: a scheme that is not accepted', () => refused('GET', '/docs/1', { authorization: 'Basic Ym9iOmJvYg==' }, unauthorized()));

test('row 3: malformed credentials', async () => {
  const challenge = bearerChallenge(', error="invalid_request"');
  const bad = { status: 400, error: 'invalid_request', challenge };
  await refused('GET', '/docs/1', { authorization: 'Bearer' }, bad);
  await refused('GET', '/docs/1', { authorization: 'Bearer a b' }, bad);
  await refused('GET', '/docs/1?access_token=x', bob(), bad);
  await refused('GET', '/docs/1', [['Authorization', `Bearer ${token('bob')}`], ['Authorization', 'Bearer x']], bad);
});

test('row 4: a bad token', async () => {
  const challenge = bearerChallenge(', error="invalid_token"');
  const tokens = [forged('bob'), bob({ iss: 'https://other.example' }), bob({ aud: 'other' }), bob({ nbf: now() + 600 }),
    { authorization: 'Bearer x.y.z' }, bearer('bob', { header: { alg: 'none' } })];
  const answers = [];
  for (const bad of tokens) answers.push(await refused('GET', '/docs/1', bad, unauthorized({ challenge })));
  assert.equal(new Set(answers.map((a) => a.body)).size, 1, 'which check failed is not told');
  await refused('GET', '/docs/1', expired('bob'), unauthorized({ challenge: bearerChallenge(', error="invalid_token", error_description="The access token has expired"') }));
});

test('row 5: too small a scope', async () => {
  const answer = await refused('GET', '/reports/1', bob({ scope: 'offline' }), {
    status: 403, error: 'forbidden', reason: 'insufficient_scope',
    challenge: bearerChallenge(', error="insufficient_scope", scope="reports offline"'),
  });
  assert.equal(JSON.parse(answer.body).scope, 'reports offline');
  await forwarded('GET', '/reports/1', bob({ scope: 'reports offline' }));
});

test('row 6: too weak or too old a sign-in', async () => {
  await refused('POST', '/transfers', bob({ scope: 'pay', acr: 'urn:example:pwd', auth_time: now() - 3000 }), {
    status: 401, error: 'unauthorized', reason: 'insufficient_user_authentication',
    challenge: bearerChallenge(', error="insufficient_user_authentication", acr_values="urn:example:mfa", max_age="300"'),
  });
  // With the scope in the same challenge, so that one authorization request cures both.
  await refused('POST', '/transfers', bob(), {
    status: 401, error: 'unauthorized', reason: 'insufficient_user_authentication',
    challenge: bearerChallenge(', error="insufficient_user_authentication", scope="pay", acr_values="urn:example:mfa", max_age="300"'),
  });
  await forwarded('POST', '/transfers', bob({ scope: 'pay', acr: 'urn:example:mfa', auth_time: now() - 60 }));
});

test('row 7: a role is missing', () => refused('DELETE', '/docs/1', bob(), { status: 403, error: 'forbidden', reason: 'insufficient_role' }));

test('row 8: not the owner', () => refused('PUT', '/docs/1', bob(), { status: 403, error: 'forbidden', reason: 'not_owner' }));

test('row 9: the policies deny', () => refused('GET', '/elsewhere', bob(), { status: 403, error: 'forbidden', reason: 'first_of_two' }));

test('row 10: an account that is suspended, disabled, unknown', async () => {
  await refused('GET', '/docs/1', bearer('sam'), { status: 403, error: 'forbidden', reason: 'account_suspended' });
  await refused('GET', '/docs/1', bearer('dora'), { status: 403, error: 'forbidden', reason: 'account_disabled' });
  await refused('GET', '/docs/1', bearer('nobody'), { status: 403, error: 'forbidden', reason: 'account_unknown' });
});

test('row 10b: a deleted account, whose tokens still verify', () =>
  refused('GET', '/docs/1', bearer('dell'), { status: 403, error: 'forbidden', reason: 'account_deleted' }));

test('row 11: a rule on the network', async () => {
  await refused('GET', '/local', bob(), { status: 403, error: 'forbidden', reason: 'location_not_allowed' });
  await refused('GET', '/local', {}, { status: 403, error: 'forbidden' });
});

test('row 12: a legal demand', async () => {
  for (const who of [{}, bob()]) {
    await refused('GET', '/articles/gone', who, {
      status: 451, error: 'unavailable_for_legal_reasons', reason: who.authorization && 'legal_restriction', link: '<https://blocked.example/by>; rel="blocked-by"',
    });
  }
});

test('row 14: too many requests, by nginx’s own limit_req', async () => {
  const first = await gateway.request('GET', '/limited', bob());
  assert.notEqual(first.status, 429);
  const limited = { status: 429, error: 'too_many_requests', 'retry-after': '7' };
  await refused('GET', '/limited', bob(), limited);
  await refused('POST', '/limited', bob(), limited, { body: 'x'.repeat(100) });
  const page = await gateway.request('GET', '/limited', { ...bob(), accept: 'text/html' });
  assert.equal(page.status, 429);
  assert.match(page.body, /^<!doctype html>/);
  // Each principal by itself, and who is nobody is not counted by this key.
  assert.notEqual((await gateway.request('GET', '/limited', alice())).status, 429);
  for (let i = 0; i < 3; i++) assert.notEqual((await gateway.request('GET', '/limited')).status, 429);
});

test('row 15: outside of a time window', () =>
  refused('GET', '/museum', bob(), { status: 403, error: 'forbidden', reason: 'outside_time_window' }));

test('row 16: a malformed request', async () => {
  for (const target of ['/docs//1', '/docs/../docs/1', '/docs/a%2fb', '/docs/%ff']) await refused('GET', target, bob(), { status: 400, error: 'invalid_request', reason: JSON.parse((await gateway.request('GET', target, bob())).body).reason });
  await refused('GET', '/query?size=1&size=2', bob(), { status: 400, error: 'invalid_request', reason: 'invalid_parameter' });
  holds(await exchange(gateway.port, format('GET', '/docs/1', [['Host', 'a'], ['Origin', origin], ['Host', 'b']])), { status: 400, error: 'invalid_request' });
});

test('row 17: a method that nobody may use', async () => {
  for (const who of [{}, bob(), alice(), bearer('sam'), forged('bob')]) {
    await refused('PATCH', '/docs/1', who, { status: 405, error: 'method_not_allowed', allow: 'DELETE, GET, HEAD, PUT' });
  }
});

test('row 17b: a method that this client may not use', async () => {
  const answer = await refused('DELETE', '/docs/1', bob(), { status: 403, error: 'forbidden', reason: 'insufficient_role' });
  assert.equal(answer.get('allow'), undefined);
});

test('row 20: the challenge of a 401 and of insufficient_scope points at the metadata, which scripts may read', async () => {
  const where = '/.well-known/oauth-protected-resource';
  const document = await gateway.request('GET', where, { origin });
  assert.equal(document.status, 200);
  assert.equal(document.json().resource, 'https://api.example');
  assert.deepEqual(document.json().authorization_servers, [issuer]);
  assert.equal(document.get('access-control-allow-origin'), '*');
  const asks = { origin: 'https://anybody.example', 'access-control-request-method': 'GET', 'access-control-request-headers': 'mcp-protocol-version' };
  const preflight = await gateway.request('OPTIONS', where, asks);
  assert.equal(preflight.status, 204);
  assert.equal(preflight.get('access-control-allow-origin'), '*');
  assert.equal(preflight.get('access-control-allow-methods'), 'GET, HEAD');
  assert.equal(preflight.get('access-control-allow-headers'), 'mcp-protocol-version');
  // By another method it is a path like any other.
  await refused('DELETE', where, {}, { status: 404, error: 'not_found' });
  await refused('OPTIONS', where, {}, { status: 404, error: 'not_found' });
});

test('row 21: Forbid itself cannot decide', async () => {
  const before = upstream.seen.length;
  for (const who of [{}, bob()]) {
    const answer = await broken.request('GET', '/docs/1', { origin, ...who });
    holds(answer, { status: 503, error: 'authorization_unavailable', reason: who.authorization && 'authorization_unavailable', 'retry-after': '120' });
  }
  assert.equal(upstream.seen.length, before);
});

test('row 23: a body, a target, fields too large', async () => {
  const long = 'x'.repeat(3000);
  const fields = [['Host', 'h'], ['Origin', origin]];
  holds(await exchange(smallPort, format('POST', '/docs', fields, long)), { status: 413, error: 'content_too_large' });
  holds(await exchange(smallPort, format('GET', '/docs', [...fields, ['X', long]])), { status: 431, error: 'request_header_fields_too_large' });
  // nginx ends at the request line: it knows no field, so no origin.
  const answer = await exchange(smallPort, format('GET', `/${long}`, fields));
  assert.equal(answer.status, 414);
  assert.equal(answer.get('access-control-allow-origin'), undefined);
  assert.equal(JSON.parse(answer.body).error, 'uri_too_long');
});

// --- The rows of DESIGN §2 that the above leave out --------------------------------------------------------------

test('rule 0: a preflight of a known route needs no credentials', async () => {
  const asks = { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' };
  const answers = [];
  for (const more of [{}, bob(), forged('bob')]) answers.push(await gateway.request('OPTIONS', '/docs/1', { ...asks, ...more }));
  for (const answer of answers) {
    assert.equal(answer.status, 204);
    assert.equal(answer.get('access-control-allow-methods'), 'DELETE, GET, HEAD, PUT');
    assert.equal(answer.get('access-control-allow-headers'), 'authorization');
    assert.equal(answer.get('access-control-allow-origin'), origin);
  }
});

test('rule 2: no route', async () => {
  await refused('GET', '/nowhere', {}, { status: 404, error: 'not_found' });
  await refused('GET', '/nowhere', bob(), { status: 404, error: 'not_found' });
});

test('rule 3: allowed requests are forwarded', async () => {
  await forwarded('GET', '/docs/1', bob());
  await forwarded('GET', '/health', {});
});

test('rule 7: what does not exist', () => refused('GET', '/docs/none', bob(), { status: 404, error: 'not_found', reason: 'resource_not_found' }));

// --- Could --------------------------------------------------------------------------------------------------------

test('could: for a stranger, over every principal that the action accepts', async () => {
  await refused('DELETE', '/docs/1', {}, unauthorized());
  await refused('GET', '/local', forged('bob'), { status: 403, error: 'forbidden' });
});

test('could: for a principal, over scope, acr and authTime together', () =>
  refused('POST', '/transfers', bob({ scope: 'other', acr: 'urn:example:pwd' }), {
    status: 401, error: 'unauthorized', reason: 'insufficient_user_authentication',
    challenge: bearerChallenge(', error="insufficient_user_authentication", scope="pay", acr_values="urn:example:mfa", max_age="300"'),
  }));

test('could: claims that describe the account are the account’s', () =>
  refused('DELETE', '/docs/1', bob({ roles: [] }), { status: 403, error: 'forbidden', reason: 'insufficient_role' }));

// --- Cures --------------------------------------------------------------------------------------------------------

test('cures: a smallest set of scopes, what the token has and needs among them', async () => {
  const challenge = bearerChallenge(', error="insufficient_scope", scope="reports offline"');
  for (const scope of ['reports', 'offline', 'reports other', '']) {
    await refused('GET', '/reports/1', bob({ scope }), { status: 403, error: 'forbidden', reason: 'insufficient_scope', challenge });
  }
});

test('cures: of a resource that does not exist, what could be allowed on one', () =>
  refused('GET', '/docs/none/notes', bob(), {
    status: 403, error: 'forbidden', reason: 'insufficient_scope', challenge: bearerChallenge(', error="insufficient_scope", scope="notes"'),
  }));

test('cures: what cannot be named is left out, and forbid check warns', async () => {
  await refused('GET', '/computed/1', bob(), {
    status: 401, error: 'unauthorized', reason: 'insufficient_user_authentication',
    challenge: bearerChallenge(', error="insufficient_user_authentication"'),
  });
  assert.match(forbid(['check', path.join(here, 'rows'), '--json']), /rule\.unnamed_cure/);
});

test('cures: @acr on a permit vouches', () =>
  refused('POST', '/vault', bob(), {
    status: 401, error: 'unauthorized', reason: 'insufficient_user_authentication',
    challenge: bearerChallenge(', error="insufficient_user_authentication", acr_values="urn:example:key"'),
  }));

test('cures: a clause that another token could meet is not the reason of a 403', () =>
  refused('GET', '/docs/1/notes', bob(), { status: 403, error: 'forbidden', reason: 'not_owner' }));

// --- Erring forbids, types ------------------------------------------------------------------------------------------

test('erring: an allow in which a forbid erred is refused, and logged as a fault', async () => {
  await refused('GET', '/counters/full', bob(), { status: 403, error: 'forbidden', reason: 'policy_error' });
  assert.match(gateway.errors(), /cannot decide: the forbid "overflowing" erred/);
});

test('erring: with the resource unknown, a forbid that can only err or hold blocks no stranger from a 401', () =>
  refused('GET', '/counters/full', {}, unauthorized()));

test('types: a principal type that the action does not accept', () =>
  refused('GET', '/robots', bob(), { status: 403, error: 'forbidden', reason: 'principal_type' }));

test('types: the anonymous client is nobody there', () => refused('GET', '/robots', {}, unauthorized()));

// --- Existence --------------------------------------------------------------------------------------------------------

test('existence: the upstream’s own 404 passes', async () => {
  const answer = await gateway.request('GET', '/places/none?status=404', bob());
  assert.equal(answer.status, 404);
  assert.equal(answer.json().method, 'GET', 'the upstream’s body');
});

test('existence: what a stranger is told does not depend on the store', async () => {
  for (const [method, suffix] of [['GET', ''], ['PUT', ''], ['DELETE', ''], ['GET', '/notes']]) {
    const seen = [];
    for (const id of ['1', 'none', 'full']) {
      const answer = await refused(method, `/docs/${id}${suffix}`, {}, unauthorized());
      seen.push(JSON.stringify([answer.body, told(answer)]));
    }
    assert.equal(new Set(seen).size, 1);
  }
});

test('existence: absent is 404 to who could be allowed on some, else as if it were there', async () => {
  await refused('GET', '/docs/none', bob(), { status: 404, error: 'not_found', reason: 'resource_not_found' });
  await refused('DELETE', '/docs/none', bob(), { status: 403, error: 'forbidden', reason: 'insufficient_role' });
  await refused('DELETE', '/docs/none', alice(), { status: 404, error: 'not_found', reason: 'resource_not_found' });
});

// --- Accounts -----------------------------------------------------------------------------------------------------------

test('accounts: refused on every route, whether or not the resource exists, by every method', async () => {
  const suspended = { status: 403, error: 'forbidden', reason: 'account_suspended' };
  for (const [method, target] of [['GET', '/docs/1'], ['GET', '/docs/none'], ['DELETE', '/docs/1'], ['POST', '/transfers'], ['GET', '/local'], ['GET', '/health']]) {
    await refused(method, target, bearer('sam'), suspended);
  }
});

test('accounts: an action that is open to them', async () => {
  await forwarded('GET', '/bill', bearer('sam'));
  await refused('GET', '/bill', bearer('dora'), { status: 403, error: 'forbidden', reason: 'account_disabled' });
});

test('accounts: one that nothing holds', () => refused('GET', '/docs/1', bearer('ghost'), { status: 403, error: 'forbidden', reason: 'account_unknown' }));

// --- Credentials ----------------------------------------------------------------------------------------------------------

test('credentials: present and bad is not none', () =>
  refused('GET', '/health', forged('bob'), unauthorized({ challenge: bearerChallenge(', error="invalid_token"') })));

test('credentials: an action for the anonymous alone reads none', async () => {
  await forwarded('POST', '/token', expired('bob'));
  await forwarded('POST', '/token', { authorization: 'Bearer' });
});

test('credentials: a scheme that is not accepted counts as none where the anonymous is accepted', () =>
  forwarded('POST', '/health', { authorization: 'HMAC c2lnbmF0dXJl' }));

test('credentials: where none is accepted there is no 401, for it would have no challenge', async () => {
  const answer = await exchange(guestPort, format('GET', '/docs/1', { Origin: origin }));
  holds(answer, { status: 403, error: 'forbidden' });
});

// --- Forms ------------------------------------------------------------------------------------------------------------------

test('forms: gRPC is a POST, and a GET with its type is refused by its status', async () => {
  const type = { 'content-type': 'application/grpc' };
  await refused('GET', '/docs/1', type, unauthorized());
  await refused('DELETE', '/docs/1', type, unauthorized());
  const call = await gateway.request('POST', '/transfers', type);
  assert.equal(call.status, 200);
  assert.equal(call.get('grpc-status'), '16');
});

test('forms: grpc-web has its trailers in the body, as bytes or as text', async () => {
  const read = (frame) => {
    assert.equal(frame[0], 0x80);
    assert.equal(frame.readUInt32BE(1), frame.length - 5);
    return frame.subarray(5).toString('latin1');
  };
  for (const [suffix, decode] of [['', (body) => Buffer.from(body, 'latin1')], ['-text', (body) => Buffer.from(body, 'base64')]]) {
    for (const [target, fields, lines] of [
      ['/transfers', {}, 'grpc-status: 16\r\ngrpc-message: unauthorized\r\n'],
      ['/quiet', bob(), 'grpc-status: 7\r\ngrpc-message: forbidden\r\n'],
      ['/nowhere', bob(), 'grpc-status: 5\r\ngrpc-message: not_found\r\n'],
    ]) {
      const response = await fetch(`http://127.0.0.1:${gateway.port}${target}`, { method: 'POST', headers: { ...fields, 'content-type': `application/grpc-web${suffix}+proto` } });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), `application/grpc-web${suffix}`);
      assert.equal(response.headers.get('grpc-status'), null);
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.equal(Number(response.headers.get('content-length')), bytes.length);
      assert.equal(read(decode(suffix === '' ? bytes.toString('latin1') : bytes.toString())), lines);
    }
  }
});

test('forms: HEAD has the fields of GET, Content-Length too, for each kind of refusal', async () => {
  for (const [target, who] of [['/docs/1', {}], ['/docs/none', bob()], ['/reports/1', bob()], ['/nowhere', {}], ['/articles/gone', {}], ['/docs//1', {}]]) {
    for (const accept of ['application/json', 'application/problem+json', 'text/html', 'text/plain']) {
      const [get, head] = [await gateway.request('GET', target, { accept, ...who }), await gateway.request('HEAD', target, { accept, ...who })];
      assert.deepEqual([head.status, told(head)], [get.status, told(get)]);
      assert.ok(Number(head.get('content-length')) > 0);
    }
  }
});

test('forms: a refused WebSocket and a refused stream of events never begin', async () => {
  await refused('GET', '/docs/1', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }, unauthorized());
  await refused('GET', '/docs/1', { Accept: 'text/event-stream' }, unauthorized());
});

test('forms: Expect: 100-continue is refused before the body', async () => {
  const answer = await exchange(gateway.port, format('POST', '/transfers', { Host: 'h', Expect: '100-continue', 'Content-Length': '1000000' }));
  assert.equal(answer.status, 401);
  assert.deepEqual(answer.informational, []);
  assert.equal(answer.get('connection'), 'close');
});

test('disclosure: an action’s own level', () => refused('POST', '/quiet', bob(), { status: 403, error: 'forbidden' }));

test('reasons: the nearest permit, ties by the order of the source', () =>
  refused('GET', '/elsewhere', bob(), { status: 403, error: 'forbidden', reason: 'first_of_two' }));
