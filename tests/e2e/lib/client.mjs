// SPDX-License-Identifier: Apache-2.0
// HTTP clients that say exactly what the test says, and nothing more.
import net from 'node:net';
import http2 from 'node:http2';

// A connection on which raw bytes are sent and whole responses are read, one after the other.
export class Connection {
  constructor(port) {
    this.pending = Buffer.alloc(0);
    this.ended = false;
    this.waiting = [];
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => { this.pending = Buffer.concat([this.pending, chunk]); this.#wake(); });
    for (const event of ['end', 'error', 'close']) {
      this.socket.on(event, () => { this.ended = true; this.#wake(); });
    }
  }

  #wake() { for (const resolve of this.waiting.splice(0)) resolve(); }

  #more(timeout) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no bytes within ${timeout} ms`)), timeout);
      this.waiting.push(() => { clearTimeout(timer); resolve(); });
    });
  }

  send(bytes) { this.socket.write(bytes, 'latin1'); return this; }

  // The next response: {status, line, fields, get(name), body, informational: [...]}.  `head`: it has no body.
  async response({ head = false, timeout = 10000 } = {}) {
    const informational = [];
    for (;;) {
      let end;
      while ((end = this.pending.indexOf('\r\n\r\n')) < 0) {
        if (this.ended) throw new Error(`connection ended: ${JSON.stringify(this.pending.toString('latin1').slice(0, 300))}`);
        await this.#more(timeout);
      }
      const [line, ...lines] = this.pending.subarray(0, end).toString('latin1').split('\r\n');
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1]);
      if (!status) throw new Error(`not a response: ${JSON.stringify(line.slice(0, 200))}`);
      this.pending = this.pending.subarray(end + 4);
      if (status < 200) { informational.push(status); continue; }
      const fields = lines.map((text) => { const at = text.indexOf(':'); return [text.slice(0, at).toLowerCase(), text.slice(at + 1).trim()]; });
      const result = { status, line, fields, informational, get: (name) => fields.find(([key]) => key === name)?.[1], all: (name) => fields.filter(([key]) => key === name).map(([, value]) => value) };
      result.body = head || status === 204 || status === 304 ? '' : await this.#body(result, timeout);
      return result;
    }
  }

  async #body(result, timeout) {
    if (/chunked/i.test(result.get('transfer-encoding') ?? '')) {
      let text = '';
      for (;;) {
        let end;
        while ((end = this.pending.indexOf('\r\n')) < 0) await this.#more(timeout);
        const size = parseInt(this.pending.subarray(0, end).toString('latin1'), 16);
        while (this.pending.length < end + 2 + size + 2) await this.#more(timeout);
        text += this.pending.subarray(end + 2, end + 2 + size).toString('utf8');
        this.pending = this.pending.subarray(end + 2 + size + 2);
        if (size === 0) return text;
      }
    }
    const length = result.get('content-length');
    while (length === undefined ? !this.ended : this.pending.length < Number(length)) {
      if (this.ended) throw new Error('connection ended within the body');
      await this.#more(timeout);
    }
    const size = length === undefined ? this.pending.length : Number(length);
    const text = this.pending.subarray(0, size).toString('utf8');
    this.pending = this.pending.subarray(size);
    return text;
  }

  // Resolves when the peer closes; false after `timeout` ms.
  async closed(timeout = 5000) {
    const until = Date.now() + timeout;
    while (!this.ended && Date.now() < until) {
      await Promise.race([this.#more(timeout).catch(() => {}), new Promise((r) => setTimeout(r, 50))]);
    }
    return this.ended;
  }

  close() { this.socket.destroy(); }
}

// The bytes of a request.  `headers`: an object, or a list of pairs where names repeat.
export function format(method, target, headers = {}, body = '', version = '1.1') {
  const list = Array.isArray(headers) ? headers : Object.entries(headers);
  const names = list.map(([name]) => name.toLowerCase());
  let text = `${method} ${target} HTTP/${version}\r\n`;
  if (!names.includes('host') && version !== '1.0') text += 'Host: api.example\r\n';
  if (body !== '' && !names.includes('content-length') && !names.includes('transfer-encoding')) {
    text += `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n`;
  }
  for (const [name, value] of list) text += `${name}: ${value}\r\n`;
  return `${text}\r\n${body}`;
}

// One request on a connection of its own.
export async function request(port, method, target, headers = {}, { body = '', version = '1.1', timeout } = {}) {
  const connection = new Connection(port);
  try {
    connection.send(format(method, target, headers, body, version));
    const result = await connection.response({ head: method === 'HEAD', timeout });
    result.json = () => JSON.parse(result.body);
    return result;
  } finally {
    connection.close();
  }
}

// Bytes as they are; the answer as they are, until the peer closes or `quiet` ms pass without any.
export async function raw(port, bytes, quiet = 300) {
  const connection = new Connection(port);
  connection.send(bytes);
  let before = -1;
  while (!connection.ended && before !== connection.pending.length) {
    before = connection.pending.length;
    await new Promise((resolve) => setTimeout(resolve, quiet));
  }
  connection.close();
  return connection.pending.toString('latin1');
}

// HTTP/2 in clear text.  session.request(headers, body) → {status, headers, body, continued}.
export async function h2(port) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  return {
    request(method, path, headers = {}, { body, expect = false } = {}) {
      return new Promise((resolve, reject) => {
        const stream = session.request({ ':method': method, ':path': path, ':authority': 'api.example', ...headers }, { endStream: body === undefined });
        const result = { continued: false, body: '' };
        stream.setEncoding('utf8');
        stream.on('continue', () => { result.continued = true; });
        stream.on('response', (fields) => { result.headers = fields; result.status = fields[':status']; });
        stream.on('data', (chunk) => { result.body += chunk; });
        stream.on('end', () => resolve(result));
        stream.on('error', (error) => (result.status ? resolve(result) : reject(error)));
        stream.setTimeout(10000, () => reject(new Error('no answer within 10 s')));
        if (body !== undefined && !expect) stream.end(body);
      });
    },
    close: () => session.destroy(),
  };
}
