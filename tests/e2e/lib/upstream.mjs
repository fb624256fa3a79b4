// SPDX-License-Identifier: Apache-2.0
// The API behind the gateway: says what it was asked, byte for byte, and remembers it.
import { createServer } from 'node:http';

export async function startUpstream() {
  const seen = [];
  const server = createServer({ keepAlive: true }, (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      // The raw list: a field that came twice is there twice.
      const fields = [];
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        fields.push([request.rawHeaders[i], request.rawHeaders[i + 1]]);
      }
      const record = { method: request.method, target: request.url, fields, length: body.length };
      seen.push(record);
      const ask = new URL(request.url, 'http://x').searchParams;
      const extra = ask.has('accel') ? { 'x-accel-redirect': ask.get('accel') } : {};
      // ?field=name:value sets a field of the answer, ?size=N makes its body that long.
      for (const field of ask.getAll('field')) extra[field.slice(0, field.indexOf(':'))] = field.slice(field.indexOf(':') + 1);
      const text = ask.has('size') ? 'x'.repeat(Number(ask.get('size'))) : JSON.stringify(record);
      response.writeHead(Number(ask.get('status') ?? 200), {
        'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...extra,
      });
      response.end(request.method === 'HEAD' ? '' : text);
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  server.keepAliveTimeout = 60000;
  // A test that broke must not be kept waiting by its upstream.
  server.unref();
  server.on('connection', (socket) => socket.unref());
  return {
    port: server.address().port,
    seen,
    stop: () => new Promise((done) => { server.closeAllConnections?.(); server.close(done); }),
  };
}

// All values of a field in what the upstream saw, by its name in any spelling that a CGI would fold.
export function values(record, name) {
  const fold = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, '-');
  return record.fields.filter(([key]) => fold(key) === fold(name)).map(([, value]) => value);
}
