// SPDX-License-Identifier: Apache-2.0
// Trees to tokens to text.  A token is a string, or {string} for a literal that the joiner escapes.
//
// Expressions: {k:'bool',v} {k:'long',v:'digits'} {k:'str',v} {k:'uid',type,id} {k:'var',v}
//   {k:'not',a} {k:'neg',a} {k:'bin',op,a,b} {k:'call',m,a,args} {k:'fn',f,args} {k:'if',c,a,b}
//   {k:'attr',a,n} {k:'has',a,path} {k:'like',a,p:[string|null]} {k:'is',a,type,in?} {k:'set',items} {k:'rec',fields:[[name,e]]}
import { Rng } from './rng.mjs';

const isIdent = (name) => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name);
const reserved = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar']);
export const bare = (name) => isIdent(name) && !reserved.has(name);

const path = (name) => name.split('::').flatMap((part, i) => (i ? ['::', part] : [part]));
export const uidTokens = ({ type, id }) => [...path(type), '::', { string: id }];
const listTokens = (parts, open, close, extra) => [open, ...parts.flatMap((part, i) => (i ? [',', ...part] : part)), ...(extra && parts.length ? [','] : []), close];

// How tightly each form binds; an operand below what its place asks for gets parentheses.
const IF = 0, OR = 1, AND = 2, REL = 3, ADD = 4, MUL = 5, UNARY = 6, MEMBER = 7;
const levels = { '||': OR, '&&': AND, '+': ADD, '-': ADD, '*': MUL };

function level(e) {
  switch (e.k) {
    case 'if': return IF;
    case 'bin': return levels[e.op] ?? REL;
    case 'has': case 'like': case 'is': return REL;
    case 'not': case 'neg': return UNARY;
    case 'long': return e.v.startsWith('-') ? UNARY : MEMBER;
    default: return MEMBER;
  }
}

export class Printer {
  // `fancy` is how often a choice of spelling is taken that is not the plain one.
  constructor(rng, fancy) {
    this.rng = rng;
    this.fancy = fancy;
  }

  odd(p) { return this.fancy > 0 && this.rng.chance(this.fancy * p); }

  at(e, least) {
    const tokens = this.expr(e);
    return level(e) < least || this.odd(0.1) ? ['(', ...tokens, ')'] : tokens;
  }

  list(items, open, close) { return listTokens(items.map((e) => this.at(e, IF)), open, close, this.odd(0.1)); }

  unary(e, sign) {
    // At most four signs may follow each other, and a sign before a negative literal would read as one more.
    let run = 1;
    for (let at = e.a; at.k === e.k; at = at.a) run++;
    if (e.a.k === 'long' && !this.odd(0.3)) return [sign, '(', ...this.expr(e.a), ')'];
    return [sign, ...(e.a.k === e.k && run <= 4 && e.a.k !== 'long' ? this.expr(e.a) : this.at(e.a, MEMBER))];
  }

  binary(e) {
    const at = level(e);
    if (at === REL) return [...this.at(e.a, ADD), e.op, ...this.at(e.b, ADD)];
    return [...this.at(e.a, at), e.op, ...this.at(e.b, at + 1)];
  }

  attr(e) {
    const of = this.at(e.a, MEMBER);
    return bare(e.n) && !this.odd(0.2) ? [...of, '.', e.n] : [...of, '[', { string: e.n }, ']'];
  }

  has(e) {
    const of = this.at(e.a, ADD);
    if (e.path.length === 1 && (!bare(e.path[0]) || this.odd(0.2))) return [...of, 'has', { string: e.path[0] }];
    return [...of, 'has', ...e.path.flatMap((name, i) => (i ? ['.', name] : [name]))];
  }

  expr(e) {
    switch (e.k) {
      case 'bool': return [e.v ? 'true' : 'false'];
      case 'long': return e.v.startsWith('-') ? ['-', e.v.slice(1)] : [this.odd(0.05) ? `00${e.v}` : e.v];
      case 'str': return [{ string: e.v }];
      case 'uid': return uidTokens(e);
      case 'var': return [e.v];
      case 'not': return this.unary(e, '!');
      case 'neg': return this.unary(e, '-');
      case 'bin': return this.binary(e);
      case 'call': return [...this.at(e.a, MEMBER), '.', e.m, ...this.list(e.args, '(', ')')];
      case 'fn': return [e.f, ...this.list(e.args, '(', ')')];
      case 'if': return ['if', ...this.at(e.c, IF), 'then', ...this.at(e.a, IF), 'else', ...this.at(e.b, IF)];
      case 'attr': return this.attr(e);
      case 'has': return this.has(e);
      case 'like': return [...this.at(e.a, ADD), 'like', { pattern: e.p }];
      case 'is': return [...this.at(e.a, ADD), 'is', ...path(e.type), ...(e.in ? ['in', ...this.at(e.in, ADD)] : [])];
      case 'set': return this.list(e.items, '[', ']');
      case 'rec': return listTokens(e.fields.map(([name, value]) =>
        [bare(name) && !this.odd(0.3) ? name : { string: name }, ':', ...this.at(value, IF)]), '{', '}', this.odd(0.1));
      default: throw new Error(`what is ${e.k}?`);
    }
  }

  // {op:'any'|'=='|'in'|'is'|'isin'|'list', uid?, slot?, type?, uids?}
  scope(name, s) {
    const entity = s.slot ? [`?${name}`] : s.uid ? (this.odd(0.1) ? ['(', ...uidTokens(s.uid), ')'] : uidTokens(s.uid)) : [];
    switch (s.op) {
      case 'any': return [name];
      case '==': case 'in': return [name, s.op, ...entity];
      case 'is': return [name, 'is', ...path(s.type)];
      case 'isin': return [name, 'is', ...path(s.type), 'in', ...entity];
      default: return [name, 'in', ...listTokens(s.uids.map(uidTokens), '[', ']', this.odd(0.1))];
    }
  }

  // {effect, annotations:[[key,value|null]], principal, action, resource, conditions:[{unless,body}]}
  policy(p) {
    const out = p.annotations.flatMap(([key, value]) => ['@', key, ...(value === null ? [] : ['(', { string: value }, ')'])]);
    out.push(p.effect, '(', ...this.scope('principal', p.principal), ',', ...this.scope('action', p.action), ',',
      ...this.scope('resource', p.resource), ...(this.odd(0.1) ? [','] : []), ')');
    for (const { unless, body } of p.conditions) out.push(unless ? 'unless' : 'when', '{', ...this.at(body, IF), '}');
    return [...out, ';'];
  }
}

// --- Joining ---------------------------------------------------------------------------------------

function escapeChar(c, odd, next) {
  const code = c.codePointAt(0);
  if (c === '"' || c === '\\') return `\\${c}`;
  if (c === '\r') return '\\r';
  if (c === '\0') return odd(0.5) ? '\\0' : '\\u{0}';
  if (c === '\n' && !odd(0.3)) return '\\n';
  if (c === '\t' && odd(0.5)) return '\\t';
  if (c === "'" && odd(0.5)) return "\\'";
  if (code < 0x80 && odd(0.05)) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (odd(0.05)) return `\\u{${code.toString(16)}}`;
  return c;
}

const literal = (text, odd) => [...text].map((c) => escapeChar(c, odd)).join('');

function tokenText(token, odd) {
  if (typeof token === 'string') return token;
  if (token.pattern) return `"${token.pattern.map((part) => (part === null ? '*' : literal(part, odd).replace(/\*/g, '\\*'))).join('')}"`;
  return `"${literal(token.string, odd)}"`;
}

const wordy = (a, b) => /[_a-zA-Z0-9?]$/.test(a) && /^[_a-zA-Z0-9]/.test(b);
const spaces = ['  ', '\n', '\t', '\r\n', ' // a note\n', '\u00a0', '\u2028', ' //\n\n', '//"\r\n'];

// Tokens to text, with odd spacing and escapes if `fancy`.
export function join(tokens, rng, fancy) {
  const odd = (p) => fancy > 0 && rng.chance(fancy * p);
  let out = '', last = '';
  for (const token of tokens) {
    const text = tokenText(token, odd);
    let space = out === '' ? '' : ' ';
    if (fancy > 0) {
      if (odd(0.1)) space = rng.pick(spaces);
      else if (out !== '' && rng.chance(0.4) && !wordy(last, text)) space = '';
    } else if (!wordy(last, text) && (/[(:.[@]$/.test(last) || /^[),;.:\]]/.test(text) || last === '!' || (text === '(' && /^\w+$/.test(last)))) {
      space = '';
    }
    // Signs and colons that would grow together into another token.
    if (space === '' && /[<>=!&|/:]$/.test(last) && /^[=&|/:]/.test(text)) space = ' ';
    out += space + text;
    last = text;
  }
  return out;
}

export function printPolicies(policies, style) {
  return policies.map((policy, i) => {
    const rng = new Rng(style.seed, i);
    return join(new Printer(rng, style.fancy).policy(policy), rng, style.fancy);
  });
}
