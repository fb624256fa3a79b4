// SPDX-License-Identifier: Apache-2.0
// A real browser, spoken to over its debugging pipe (messages of JSON that end in NUL), so that nothing but
// Chromium itself is needed.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export function findBrowser() {
  try {
    return execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

export async function startBrowser() {
  const profile = mkdtempSync(path.join(os.tmpdir(), 'forbid-browser-'));
  const child = spawn(findBrowser(), ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-extensions',
    '--disable-background-networking', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'],
  { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const waiting = new Map(), listeners = [];
  let text = '', count = 0;
  child.stdio[4].setEncoding('utf8').on('data', (chunk) => {
    const messages = (text + chunk).split('\0');
    text = messages.pop();
    for (const message of messages.map((m) => JSON.parse(m))) {
      const waiter = waiting.get(message.id);
      waiting.delete(message.id);
      if (!waiter) for (const listener of listeners) listener(message);
      else if (message.error) waiter.reject(new Error(message.error.message));
      else waiter.resolve(message.result);
    }
  });
  const send = (method, params = {}, sessionId) => new Promise((resolve, reject) => {
    const id = ++count;
    waiting.set(id, { resolve, reject });
    child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const page = (method, params) => send(method, params, sessionId);
  await page('Page.enable');
  await page('Network.enable');
  return {
    // Goes there, as somebody who types the address: {status, headers, type}.
    async open(url) {
      const seen = [];
      const note = (message) => { if (message.method === 'Network.responseReceived' && message.params.type === 'Document') seen.push(message.params.response); };
      const loaded = new Promise((done) => { listeners.push((m) => { if (m.method === 'Page.loadEventFired') done(); }); });
      listeners.push(note);
      await page('Page.navigate', { url });
      // The event may pass before it is listened to, on a machine that has much to do: then the page says that it is there.
      const there = (async () => {
        for (let tries = 0; tries < 60; tries++) {
          await new Promise((done) => setTimeout(done, 500));
          const { result } = await page('Runtime.evaluate', { expression: '[document.readyState, location.href].join(" ")', returnByValue: true }).catch(() => ({ result: {} }));
          if (result.value?.startsWith('complete ') && !result.value.endsWith('about:blank')) return;
        }
        throw new Error(`${url} was not there within 30 s`);
      })();
      there.catch(() => {});
      await Promise.race([loaded, there]);
      listeners.length = 0;
      const response = seen.at(-1);
      return response && { status: response.status, type: response.mimeType, headers: response.headers };
    },
    // The value of an expression in the page; promises are awaited.
    async run(expression) {
      const { result, exceptionDetails } = await page('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    colours: (scheme) => page('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] }),
    async picture() { return Buffer.from((await page('Page.captureScreenshot')).data, 'base64'); },
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      const kill = setTimeout(() => child.kill('SIGKILL'), 10000);
      send('Browser.close').catch(() => {});
      await ended;
      clearTimeout(kill);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
