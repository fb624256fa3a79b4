// SPDX-License-Identifier: Apache-2.0
// The examples of the pages that need a server: lib/page.mjs says how they are written.  A page that has a file
// `nginx.conf` gets a real nginx with it; ports, the module's path and what only this machine needs are put in here.
// A page that asks localhost:8403 gets the sample, as ./run starts it.  (The pages that need the command alone are
// tests/cli/docs.case's.)
//
// FB_SHOW=1 prints what came out where it differs; FB_PAGE=NAME takes one page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { build, freePort, makeDirectory, root, sanitized, startGateway } from './lib/gateway.mjs';
import { carryOut, examples, fits } from './lib/page.mjs';

const asRoot = process.getuid() === 0;
const pages = ['README.md', 'ARCHITECTURE.md', ...['docs', 'docs/decisions'].flatMap((dir) => readdirSync(path.join(root, dir))
  .filter((name) => name.endsWith('.md')).map((name) => `${dir}/${name}`))];
const wanted = pages.filter((page) => !process.env.FB_PAGE || page.includes(process.env.FB_PAGE));
const withServer = wanted.filter((page) => examples(path.join(root, page)).some(({ file }) => file === 'nginx.conf'));
const withSample = wanted.filter((page) => examples(path.join(root, page)).some(({ steps }) => steps?.some(({ command }) => command.includes('localhost:8403'))));

// A directory with the command in its PATH.
function makePlace() {
  const dir = makeDirectory();
  for (const name of ['policies', 'keys.json']) rmSync(path.join(dir, name), { recursive: true });
  mkdirSync(path.join(dir, '.bin'));
  symlinkSync(path.join(build, 'forbid'), path.join(dir, '.bin/forbid'));
  // On a terminal curl shows no progress of so little.
  writeFileSync(path.join(dir, '.curlrc'), 'silent\n');
  return { dir, env: { PATH: `${dir}/.bin:${process.env.PATH}`, HOME: dir, TMPDIR: dir, TZ: 'UTC', LC_ALL: 'C.UTF-8', ASAN_OPTIONS: 'detect_leaks=0' } };
}

function holds({ ran, differ }, least) {
  const told = differ.map(({ line, command, got }) => `line ${line}: $ ${command}\n${got}`);
  if (process.env.FB_SHOW) for (const text of told) console.log(text);
  assert.deepEqual(told, []);
  assert.ok(ran >= least, `only ${ran} commands`);
}

// Ports of a page are those of a reader's machine; here each becomes a free one.
async function portsOf(page) {
  const ports = new Map();
  for (const [, port] of readFileSync(page, 'utf8').matchAll(/\b(?:localhost:|listen )(\d+)\b/g)) {
    if (!ports.has(port)) ports.set(port, await freePort());
  }
  return ports;
}

// Who the workers are: with a sanitizer the whole nginx is `nobody`; without root they are who runs this.
const group = (text) => text.replaceAll('--group www-data', !asRoot ? '' : sanitized ? '--group nogroup' : '--group www-data');

function onThisMachine(text, dir) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/temp/${name};`).join(' ');
  return `daemon off; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/logs/error.log info;\n`
    + (sanitized || !asRoot ? text.replace(/^user .*\n/m, '') : text)
      .replace(/load_module \S+;/, `load_module ${build}/ngx_http_forbid_module.so;`)
      .replace(/^http \{$/m, `http { ${temporary} access_log off;`);
}

test('what came out otherwise is seen', () => {
  const answer = 'HTTP/1.1 401 Unauthorized\r\nServer: x\r\nVary: Accept\r\nLink: <a>\r\n\r\n{"a":"b"}';
  for (const [output, text, expected] of [
    [['a', '…', 'd'], 'a\nb\nc\nd\n', true], [['a', '…', 'd'], 'a\nb\nc\n', false], [['a…c'], 'abbc\n', true], [['a'], 'a', true], [['a.'], 'ab\n', false], [[], 'a\n', false],
    [['HTTP/1.1 401 Unauthorized', 'Vary: Accept', '', '{"a":"…"}', ''], answer, true], [['HTTP/1.1 401 Unauthorized'], answer, true],
    [['HTTP/1.1 403 Forbidden'], answer, false], [['HTTP/1.1 401 Unauthorized', 'Link: <a>', 'Vary: Accept'], answer, false],
    [['HTTP/1.1 401 Unauthorized', 'Link: <b>'], answer, false], [['HTTP/1.1 401 Unauthorized', '', '{"a":"c"}'], answer, false], [['HTTP/1.1 401 Unauthorized', '', '{"a":"b"}', 'more'], answer, false],
  ]) assert.equal(fits(output, text), expected, JSON.stringify([output, text]));
});

test('there are pages with examples that need a server', () => assert.ok(process.env.FB_PAGE || (withServer.length > 0 && withSample.length > 0)));

for (const page of withServer) {
  test(`${page}: its examples do what it says`, async () => {
    const file = path.join(root, page), { dir, env } = makePlace(), ports = await portsOf(file);
    const rewrite = (text) => group(text).replace(/\blocalhost:(\d+)\b/g, (whole, port) => `127.0.0.1:${ports.get(port)}`)
      .replace(/\blisten (\d+)\b/g, (whole, port) => `listen 127.0.0.1:${ports.get(port)}`);
    let gateway;
    const made = async (name) => {
      if (name !== 'nginx.conf') return;
      const text = readFileSync(path.join(dir, name), 'utf8');
      gateway = await startGateway({ dir, port: Number(/listen 127.0.0.1:(\d+)/.exec(text)[1]), text: onThisMachine(text, dir) });
    };
    try {
      holds(await carryOut(file, dir, { env, rewrite, made }), 6);
    } finally {
      if (gateway) await gateway.stop();
      else rmSync(dir, { recursive: true, force: true });
    }
  });
}

for (const page of withSample) {
  // (`forbid serve` does not preload a sanitizer into nginx.)
  test(`${page}: its examples do what it says of the sample`, { skip: sanitized && 'the sample runs without sanitizers' }, async () => {
    const { dir, env } = makePlace();
    const sample = spawn(process.execPath, [path.join(root, 'examples/users-api/sample.mjs'), build], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = new Promise((done) => sample.once('exit', done));
    try {
      const said = await new Promise((resolve, reject) => {
        let text = '';
        sample.stdout.on('data', (chunk) => { text += chunk; if (text.includes('stops it.')) resolve(text); });
        sample.once('exit', (code) => reject(new Error(`the sample ended with ${code}\n${text}`)));
      });
      env.MEMBER = /DELETE .* Bearer (\S+)'/.exec(said)[1];
      const [, port] = /127\.0\.0\.1:(\d+)/.exec(said);
      holds(await carryOut(path.join(root, page), dir, { env, rewrite: (text) => text.replaceAll('localhost:8403', `127.0.0.1:${port}`) }), 2);
    } finally {
      sample.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

// GitHub's way of making anchors of headings.
const anchors = (text) => [...text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)]
  .map(([, title]) => title.toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-'));

test('every link within the pages leads somewhere', () => {
  const lost = [];
  for (const page of wanted) {
    const text = readFileSync(path.join(root, page), 'utf8').replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [name, anchor] = link.split('#');
      const file = name ? path.join(root, path.dirname(page), name) : path.join(root, page);
      if (!existsSync(file)) lost.push(`${page}: ${link}`);
      else if (anchor && !anchors(readFileSync(file, 'utf8')).includes(anchor)) lost.push(`${page}: ${link}: no such heading`);
    }
  }
  assert.deepEqual(lost, []);
});
