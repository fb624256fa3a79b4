// SPDX-License-Identifier: Apache-2.0
// Which operators decide: a case counts for an operator when another value in the place of one of its
// results gives another answer.
import { allPlaces, bool, long, operator } from './expr.mjs';
import { render } from './world.mjs';

export const operators = ['==', '!=', '<', '<=', '>', '>=', '&&', '||', '!', '+', '-', '*', 'neg', 'if', 'in', 'has', 'like', 'is', 'is in', 'attr', 'set', 'rec',
  '.contains', '.containsAll', '.containsAny', '.isEmpty', '.hasTag', '.getTag', 'ip', '.isIpv4', '.isIpv6', '.isLoopback', '.isMulticast', '.isInRange',
  'decimal', '.lessThan', '.lessThanOrEqual', '.greaterThan', '.greaterThanOrEqual', 'datetime', '.offset', '.durationSince', '.toDate', '.toTime',
  'duration', '.toMilliseconds', '.toSeconds', '.toMinutes', '.toHours', '.toDays'];

const fn = (f, text) => ({ k: 'fn', f, args: [{ k: 'str', v: text, t: 'String' }] });

// Other expressions of the same type: one that differs from whatever the value is, and one for where there is none.
function others(e) {
  switch (e.t) {
    case 'Bool': return [{ k: 'not', a: { k: 'if', c: e, a: bool(true), b: bool(false), t: 'Bool' }, t: 'Bool' }, bool(true)];
    case 'Long': return [{ k: 'bin', op: '+', a: e, b: long(1), t: 'Long' }, long(424242)];
    case 'String': return [{ k: 'str', v: '\u0001', t: 'String' }];
    case 'ipaddr': return [fn('ip', '9.9.9.9'), fn('ip', 'fe80::9')];
    case 'decimal': return [fn('decimal', '-77777.7'), fn('decimal', '77777.7')];
    case 'datetime': return [fn('datetime', '0001-01-01'), fn('datetime', '9000-01-01')];
    case 'duration': return [fn('duration', '-77777d'), fn('duration', '77777d')];
    default:
      if (e.t?.entity) return [{ k: 'uid', type: 'Nobody', id: 'nobody' }];
      if (e.t?.set) return [{ k: 'set', items: [] }, { k: 'set', items: [long(424242)] }];
      return [{ k: 'rec', fields: [] }];
  }
}

export class Counter {
  constructor() { this.decided = new Map(operators.map((name) => [name, 0])); }

  // `answers`: what was said to the world as it is.
  async count(world, answers, driver, rng) {
    const found = new Map();
    for (const policy of world.policies)
      for (const condition of policy.conditions)
        for (const place of allPlaces(condition, 'body')) {
          const name = operator(place[0][place[1]]);
          if (name !== null) found.set(name, [...(found.get(name) ?? []), place]);
        }
    await Promise.all([...found].map(([name, list]) => this.one(world, answers, driver, name, rng.pick(list))));
  }

  async one(world, answers, driver, name, [container, key]) {
    const e = container[key];
    const asked = others(e).map((other) => {
      container[key] = other;
      const text = render({ ...world, style: { seed: 0, fancy: 0 }, options: { ...world.options, schema: world.options.schema } });
      container[key] = e;
      return driver.ask(text);
    });
    const changed = new Set();
    for (const { answers: now } of await Promise.all(asked))
      answers.forEach((was, i) => { if (!was.error && now?.[i] && JSON.stringify(now[i]) !== JSON.stringify(was)) changed.add(i); });
    this.decided.set(name, this.decided.get(name) + changed.size);
  }

  table() {
    const rows = [...this.decided].map(([name, count]) => `${name.padEnd(20)} ${String(count).padStart(8)}`);
    const lines = [];
    for (let i = 0; i < rows.length; i += 3) lines.push(`  ${rows.slice(i, i + 3).join('   ')}`);
    return lines.join('\n');
  }

  least() { return [...this.decided].sort((a, b) => a[1] - b[1])[0]; }
}
