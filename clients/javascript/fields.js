// SPDX-License-Identifier: Apache-2.0
// The grammar of the fields that advice is taken from: challenges (RFC 9110 sections 11.3, 11.6.1), dates
// (section 5.6.7), Retry-After (section 10.2.3).  Lenient where servers are wrong, as src/http is.

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;

class Text {
  constructor(text) { this.text = text; this.at = 0; }
  get rest() { return this.text.slice(this.at); }
  get over() { return this.at >= this.text.length; }
  get next() { return this.text[this.at]; }
  take(pattern) {
    const found = pattern.exec(this.rest);
    if (!found) return undefined;
    this.at += found[0].length;
    return found[0];
  }
}

// Does a parameter begin here?  A token68 may end in `=` as well, but nothing follows that.
const atParam = (text) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=[ \t]*[^,= \t]/.test(text);

function takeParam(text) {
  const name = text.take(TOKEN);
  if (name === undefined) return undefined;
  text.take(/^[ \t]*/);
  if (text.take(/^=/) === undefined) return undefined;
  text.take(/^[ \t]*/);
  if (text.next === '"') {
    const quoted = text.take(/^"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"/);
    return quoted === undefined ? undefined : { name: name.toLowerCase(), value: quoted.slice(1, -1) };
  }
  const value = text.take(TOKEN);
  return value === undefined ? undefined : { name: name.toLowerCase(), value };
}

// Reads parameters into `params` up to the next scheme; false where something is neither.
function takeParams(text, params) {
  let count = 0;
  for (;;) {
    const before = text.at;
    text.take(/^[ \t,]*/);
    if (text.over || !atParam(text.rest)) return true;
    const param = takeParam(text);
    if (!param) { text.at = before; return false; }
    text.take(/^[ \t]*/);
    if (!text.over && text.next !== ',' && !atParam(text.rest)) { text.at = before; return false; }
    if (++count > 16) return false;
    if (!params.has(param.name)) params.set(param.name, param.value);
  }
}

// The challenges of one field, or of several that were joined with commas (as fetch does): [{scheme, params}].
// What stands behind a fault is left out; the challenge that it is in counts as far as it was read.
export function readChallenges(value) {
  const challenges = [];
  const text = new Text(value);
  for (;;) {
    text.take(/^[ \t,]*/);
    const scheme = text.over ? undefined : text.take(TOKEN);
    if (scheme === undefined) return challenges;
    const challenge = { scheme, params: new Map() };
    if (!text.over && !/^[ \t,]/.test(text.rest)) {
      challenges.push(challenge);
      return challenges;
    }
    challenges.push(challenge);
    text.take(/^[ \t]*/);
    if (text.over || text.next === ',') continue;
    if (!atParam(text.rest)) {
      text.take(/^[^, \t]+/);
      text.take(/^[ \t]*/);
      if (!text.over && text.next !== ',') return challenges;
    } else if (!takeParams(text, challenge.params)) {
      return challenges;
    }
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// Seconds since 1970, or undefined.
export function readDate(value, now) {
  let found = /^[^,]*, (\d\d) (...) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/.exec(value);
  let [day, month, year, hour, minute, second] = found ? found.slice(1) : [];
  if (!found && (found = /^[^,]*, (\d\d)-(...)-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/.exec(value))) {
    [day, month, year, hour, minute, second] = found.slice(1);
    const thisYear = now > 0 ? Math.floor(now / 31556952) + 1970 : 1970;
    year = Number(year) + Math.floor(thisYear / 100) * 100;
    if (year > thisYear + 50) year -= 100;
  }
  if (!found && (found = /^... (...) (?: (\d)|(\d\d)) (\d\d):(\d\d):(\d\d) (\d{4})$/.exec(value))) {
    [month, , , hour, minute, second, year] = found.slice(1);
    day = found[2] ?? found[3];
  }
  const index = MONTHS.indexOf(month);
  if (!found || index < 0 || Number(day) < 1 || Number(day) > 31 || hour > 23 || minute > 59 || second > 60 || year < 1601) return undefined;
  return Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second)) / 1000;
}

// Seconds from now, or undefined.
export function readRetryAfter(value, now) {
  const text = (value ?? '').trim();
  if (/^\d+$/.test(text)) return Number(text) <= 0xffffffff ? Number(text) : undefined;
  const date = readDate(text, now);
  return date === undefined ? undefined : Math.max(0, date - now);
}
