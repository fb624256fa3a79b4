// SPDX-License-Identifier: Apache-2.0
// What a client may do about an answer.  The same rules as src/refusal/advise.c and advise_signs.c: both are held
// to the cases in tests/refusal/advise.  RFC 9110 sections 15.5 and 15.6, RFC 6750 section 3.1, RFC 9470 section 4,
// RFC 9449 section 9, RFC 6585, RFC 7725.
import { readChallenges, readRetryAfter } from './fields.js';
import { signalOfWord } from './signals.js';

export const WAITS_MAX = 4;
const WAIT_DEFAULT = 60;
const BODY_MAX = 256 * 1024;

const words = (text) => (text ?? '').split(' ').filter((word) => word !== '');

// --- What the answer says --------------------------------------------------------------------------------

export function isLoginPage(answer) {
  return /^text\/html/i.test(answer.field('content-type')) && /type=(?:"password"|'password'|password)/i.test(answer.body.slice(0, BODY_MAX));
}

const LOGIN = /(?:^|[/._\-?:])(?:login|signin|sign-in|sign_in|log-in|sso|saml|auth|authorize|oauth|oauth2|openid-connect|session)(?=$|[/._\-?;#])/i;
export function isLoginTarget(location) {
  const query = location.indexOf('?');
  const path = query < 0 ? location : location.slice(0, query);
  return LOGIN.test(path) || (query >= 0 && /response_type=/i.test(location.slice(query)) && /client_id=/i.test(location.slice(query)));
}

function takeWord(signs, word) {
  if (word === '' || word.length > 64 || word.includes(' ')) return;
  const signal = signalOfWord.get(word.toLowerCase());
  if (!signs.word || (!signs.signal && signal)) {
    signs.word = word;
    signs.signal = signal;
  }
}

function readMembers(object, signs, depth) {
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'string') {
      if (['reason', 'error', 'code', 'status', '__type'].includes(key)) takeWord(signs, value);
      else if (['detail', 'error_description', 'message'].includes(key)) signs.detail ||= value;
      else if (['required_scope', 'scope'].includes(key)) signs.scope ||= value;
    } else if (value !== null && typeof value === 'object' && depth < 2 && ['error', 'errors', 'details'].includes(key)) {
      for (const inner of Array.isArray(value) ? value : [value]) {
        if (inner !== null && typeof inner === 'object' && !Array.isArray(inner)) readMembers(inner, signs, depth + 1);
      }
    }
  }
}

function readBody(answer, signs) {
  const type = answer.field('content-type').split(';')[0].trim();
  if (answer.body === '' || answer.body.length > BODY_MAX || !/^application\/json$|.\+json$|application\/x-amz-json/i.test(type)) return;
  try {
    const body = JSON.parse(answer.body);
    if (body !== null && typeof body === 'object' && !Array.isArray(body)) readMembers(body, signs, 0);
  } catch {
    // What is not JSON as a whole says nothing.
  }
}

function signalOfError(error) {
  if (error === 'invalid_request') return 'request';
  const signal = signalOfWord.get((error ?? '').toLowerCase());
  return signal === 'missing' ? 'token' : signal;
}

// Among several challenges the one of the client's own scheme, and of those the one that says most.
function takeChallenge(signs, challenge, client) {
  const fits = !['bearer', 'dpop', 'basic'].includes(client.credentials) || challenge.scheme.toLowerCase() === client.credentials;
  const signal = signalOfError(challenge.params.get('error'));
  const better = !signs.challenged || (fits && !signs.schemeFits) || (fits === signs.schemeFits && signal && !signs.standard);
  signs.challenged = true;
  if (!better) return;
  signs.schemeFits = fits;
  signs.challenge = challenge;
  signs.standard = Boolean(signal);
  if (signal) signs.signal = signal;
}

function readSigns(answer, client) {
  const signs = { signal: undefined, standard: false, challenged: false, schemeFits: false, word: '', detail: '', scope: '' };
  readBody(answer, signs);
  const amazon = answer.field('x-amzn-errortype');
  if (amazon !== '') takeWord(signs, amazon.split(':')[0]);
  for (const value of answer.all(answer.status === 407 ? 'proxy-authenticate' : 'www-authenticate')) {
    for (const challenge of readChallenges(value)) takeChallenge(signs, challenge, client);
  }
  return signs;
}

// --- The rules ------------------------------------------------------------------------------------------

const GRPC = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 405, 500, 503, 500, 401];
const IDEMPOTENT = ['', 'GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];

// In a field, or for grpc-web in a frame of trailers that is the whole body: 0x80 (which is no UTF-8), four bytes of length,
// and lines; as text the same in base64.
function grpcStatus(answer) {
  const type = answer.field('content-type');
  if (!/^application\/grpc/i.test(type)) return '';
  const said = answer.field('grpc-status');
  if (said !== '' || !/^application\/grpc-web/i.test(type)) return said;
  const text = /^application\/grpc-web-text/i.test(type);
  if (text && !/^gAAA[A-Za-z0-9+/]{4}cnBjLXN0YXR1czog[A-Za-z0-9+/]{4}/.test(answer.body)) return '';
  const body = text ? atob(answer.body.slice(0, 28)) : answer.body;
  return /^[\u0080\ufffd][^]{4}grpc-status: (\d+)(?:\r|$)/.exec(body)?.[1] ?? '';
}

class Work {
  constructor(answer, client) {
    this.answer = answer;
    this.client = client;
    this.signs = readSigns(answer, client);
    this.advice = {};
    const grpc = grpcStatus(answer);
    this.status = answer.status === 200 && /^\d+$/.test(grpc) && Number(grpc) <= 16
      ? GRPC[Number(grpc)] : answer.status;
  }

  say(cure, why, sure) { Object.assign(this.advice, { cure, why, sure: Boolean(sure) }); }
  tried(cure) { return this.client.tried.includes(cure); }
  param(name) { return this.signs.challenge?.params.get(name) ?? ''; }

  // Refresh, then sign in anew, then nothing.
  renew(why, sure) {
    if (this.client.canRefresh && !this.tried('refresh') && !this.tried('authenticate')) this.say('refresh', why, sure);
    else this.authenticate(why, sure);
  }

  authenticate(why, sure) {
    if (this.tried('authenticate')) this.say('give_up', 'new_refused', sure);
    else this.say('authenticate', why, sure);
  }

  // What was named, then what is held: a client that asked for the named alone would lose the rest.
  joinedScope(named) {
    return named === '' ? '' : [named, ...words(this.client.scopes).filter((word) => !words(named).includes(word))].join(' ');
  }

  askScope(sure) {
    const named = this.param('scope') || this.signs.scope;
    if (this.client.credentials === 'none') {
      this.authenticate('no_credentials', sure);
      this.advice.scope = named;
      return;
    }
    this.advice.scope = this.joinedScope(named);
    const held = this.client.scopes !== undefined && named !== '' && words(named).every((word) => words(this.client.scopes).includes(word));
    if (this.tried('request_scope')) this.say('give_up', 'scope_tried', sure);
    else if (held) this.say('give_up', 'scope_held', sure);
    else this.say('request_scope', 'scope', sure);
  }

  stepUp(sure) {
    const { client, advice } = this;
    advice.acrValues = this.param('acr_values');
    const maxAge = this.param('max_age');
    if (/^\d+$/.test(maxAge) && Number(maxAge) <= 0x7fffffff) advice.maxAge = Number(maxAge);
    advice.scope = this.joinedScope(this.param('scope'));
    const strong = advice.acrValues === '' || (client.acr && words(advice.acrValues).includes(client.acr));
    const fresh = advice.maxAge === undefined || (client.authTime !== undefined && client.now >= client.authTime && client.now - client.authTime <= advice.maxAge);
    const said = advice.acrValues !== '' || advice.maxAge !== undefined;
    if (this.tried('step_up')) this.say('give_up', 'step_up_tried', sure);
    else if (said && strong && fresh && advice.scope === '') this.say('give_up', 'step_up_held', sure);
    else this.say('step_up', 'step_up', sure);
  }

  withNonce(sure) {
    this.advice.nonce = this.answer.field('dpop-nonce');
    if (this.advice.nonce === '') this.say('give_up', 'nonce_missing', sure);
    else if (this.tried('retry_nonce')) this.say('give_up', 'nonce_tried', sure);
    else this.say('retry_nonce', 'nonce', sure);
  }

  // A large number is a time, a small one a delay: both are in use, and no delay is 30 years long.
  resetOfLimit() {
    for (const name of ['ratelimit-reset', 'x-ratelimit-reset', 'x-rate-limit-reset']) {
      const value = this.answer.field(name);
      if (/^\d+$/.test(value) && Number(value) <= 0x7fffffff) return Number(value) < 1e9 ? Number(value) : Math.max(0, Number(value) - this.client.now);
    }
    return undefined;
  }

  namedWait() { return readRetryAfter(this.answer.field('retry-after'), this.client.now) ?? this.resetOfLimit(); }

  waitFor(seconds, why, sure) {
    const { waits, waited, waitMax } = this.client;
    const most = waitMax || WAIT_DEFAULT;
    this.advice.wait = seconds;
    if (waits >= WAITS_MAX || seconds > most || waited > most - seconds) this.say('give_up', 'waited', sure);
    else this.say('wait', why, sure);
  }

  waitNamed(why) {
    const seconds = this.namedWait();
    if (seconds !== undefined) this.waitFor(seconds, why, true);
    else this.waitFor(2 ** Math.min(this.client.waits, WAITS_MAX), 'unknown_wait', false);
  }

  // The request may have reached the API: only what may be done twice (RFC 9110 section 9.2.2).
  waitIfIdempotent() {
    if (IDEMPOTENT.includes(this.client.method)) this.waitNamed('busy');
    else this.say('give_up', 'unsafe', true);
  }

  // What a challenge or a word settles, whichever of 400, 401, 403 it came with.
  bySignal() {
    const sure = this.signs.standard;
    switch (this.signs.signal) {
      case 'nonce': this.withNonce(sure || this.status === 400); return true;
      case 'weak': this.stepUp(sure); return true;
      case 'scope': this.askScope(sure); return true;
      case 'proof': this.say('fix_request', 'proof', sure); return true;
      case 'request': this.say('fix_request', 'invalid_request', sure); return true;
      case 'csrf': this.say('fix_request', 'csrf', sure); return true;
      case 'rate': this.waitNamed('rate'); return true;
      case 'busy': this.waitNamed('busy'); return true;
      case 'missing': this.authenticate('no_credentials', sure); return true;
      case 'token':
        if (this.client.credentials === 'none') this.authenticate('no_credentials', sure);
        else this.renew('invalid_token', sure);
        return true;
      default: return false;
    }
  }

  on401() {
    const { challenged, schemeFits, signal } = this.signs;
    if (challenged && !schemeFits && signal !== 'nonce') this.authenticate('scheme', true);
    else if (this.bySignal()) return;
    else if (this.client.credentials === 'none') this.authenticate('no_credentials', challenged);
    else this.renew('credentials_refused', challenged);
  }

  on403() {
    const { answer, client, signs } = this;
    if (this.bySignal()) return;
    const later = readRetryAfter(answer.field('retry-after'), client.now), reset = this.resetOfLimit();
    if (signs.signal === 'account') this.say('give_up', 'account', true);
    else if (signs.signal === 'certificate') this.say('give_up', 'certificate', true);
    else if (answer.field('cf-mitigated').toLowerCase() === 'challenge') this.say('give_up', 'people_only', false);
    else if (later !== undefined) this.waitFor(later, 'not_yet', true);
    else if (answer.field('x-ratelimit-remaining') === '0' && reset !== undefined) this.waitFor(reset, 'rate', false);
    else if (client.credentials === 'none' && !client.strict && !this.tried('authenticate')) this.say('authenticate', signs.challenged ? 'no_credentials' : 'maybe_credentials', false);
    else if (!client.wantsHtml && isLoginPage(answer)) this.authenticate('login_page', false);
    else this.say('give_up', 'forbidden', true);
  }

  onSuccess() {
    if (!this.client.wantsHtml && isLoginPage(this.answer)) this.authenticate('login_page', false);
    else this.say('proceed', 'accepted', true);
  }

  onRedirect() {
    this.advice.link = this.answer.field('location');
    if (!this.client.wantsHtml && isLoginTarget(this.advice.link)) this.authenticate('login_redirect', false);
    else this.say('proceed', 'redirect', true);
  }

  onClientError() {
    switch (this.status) {
      case 401: return this.on401();
      case 403: return this.on403();
      case 402: return this.say('give_up', 'payment', true);
      case 404: case 410: return this.say('give_up', 'not_found', true);
      case 405:
        this.advice.allow = this.answer.field('allow');
        return this.say('fix_request', 'method', true);
      case 407: return this.authenticate('proxy', true);
      case 408: return this.waitIfIdempotent();
      case 409: case 412: case 428: return this.say('fix_request', 'conflict', true);
      case 413: {
        const seconds = this.namedWait();
        return seconds !== undefined ? this.waitFor(seconds, 'busy', true) : this.say('fix_request', 'invalid_request', true);
      }
      case 419: return this.say('fix_request', 'csrf', false);
      case 425: return this.waitNamed('busy');
      case 429: return this.waitNamed('rate');
      case 440: return this.authenticate('no_credentials', false);
      case 451:
        this.advice.link = this.answer.all('link').map((value) => /<([^>]*)>[^]*blocked-by/i.exec(value)?.[1]).find(Boolean) ?? '';
        return this.say('give_up', 'legal', true);
      case 495: case 496: return this.say('give_up', 'certificate', false);
      case 498: return this.renew('invalid_token', false);
      default: return this.bySignal() || this.say('fix_request', 'invalid_request', true);
    }
  }

  onServerError() {
    if (this.status === 503 || this.status === 529) this.waitNamed('busy');
    else if (this.status === 511) this.say('give_up', 'network', true);
    else if (this.status === 502 || this.status === 504 || this.namedWait() !== undefined) this.waitIfIdempotent();
    else this.say('give_up', 'server', true);
  }
}

// `answer`: {status, fields: [[name, value], …] or Headers, body}.  `client`: see index.d.ts.
export function advise(answer, client = {}) {
  const fields = [...(answer.fields ?? [])].map(([name, value]) => [name.toLowerCase(), value.trim()]);
  const seen = {
    status: answer.status,
    body: answer.body ?? '',
    field: (name) => fields.find(([n]) => n === name)?.[1] ?? '',
    all: (name) => fields.filter(([n]) => n === name).map(([, value]) => value),
  };
  const work = new Work(seen, { credentials: 'none', method: '', tried: [], waits: 0, waited: 0, now: Math.floor(Date.now() / 1000), ...client });
  const { signs, advice } = work;
  advice.reason = signs.word;
  advice.detail = signs.detail;
  if (signs.challenged) Object.assign(advice, { scheme: signs.challenge.scheme, realm: work.param('realm'), resourceMetadata: work.param('resource_metadata') });
  switch (Math.floor(work.status / 100)) {
    case 1: case 2: work.onSuccess(); break;
    case 3: work.onRedirect(); break;
    case 4: work.onClientError(); break;
    case 5: work.onServerError(); break;
    default: work.say('give_up', 'unknown', true);
  }
  return Object.fromEntries(Object.entries(advice).filter(([, value]) => value !== '' && value !== undefined));
}
