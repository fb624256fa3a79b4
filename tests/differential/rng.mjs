// SPDX-License-Identifier: Apache-2.0
// Seeded randomness: xorshift128, so that a seed and a number name one world for ever.

export class Rng {
  constructor(seed, stream = 0) {
    // splitmix32 spreads (seed, stream) over the state; xorshift must not start at zero.
    let h = (seed ^ Math.imul(stream + 1, 0x9e3779b9)) >>> 0;
    const next = () => {
      h = (h + 0x9e3779b9) >>> 0;
      let z = h;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    this.s = [next(), next(), next(), next() | 1];
  }

  u32() {
    const s = this.s;
    let t = s[3];
    t ^= t << 11;
    t ^= t >>> 8;
    s[3] = s[2]; s[2] = s[1]; s[1] = s[0];
    t ^= s[0] ^ (s[0] >>> 19);
    s[0] = t >>> 0;
    return s[0];
  }

  below(n) { return this.u32() % n; }
  between(low, high) { return low + this.below(high - low + 1); }
  chance(p) { return this.u32() < p * 4294967296; }
  pick(list) { return list[this.below(list.length)]; }

  // From [[weight, value], …].
  weighted(rows) {
    let at = this.below(rows.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of rows) {
      if (at < weight) return value;
      at -= weight;
    }
    throw new Error('no weights');
  }

  sample(list, n) {
    const rest = [...list], out = [];
    while (out.length < n && rest.length) out.push(rest.splice(this.below(rest.length), 1)[0]);
    return out;
  }
}
