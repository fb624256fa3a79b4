// SPDX-License-Identifier: Apache-2.0
// Writes src/cedar/unicode.def: which scripts each character is used in (Unicode's Script_Extensions,
// augmented as UTS 39 section 5.1 says), from the Unicode that this Node has, and which characters the
// General Security Profile allows in identifiers, as the official engine answers for each.
//
//   node tools/unicode_tables.mjs > src/cedar/unicode.def
import { createRequire } from 'node:module';
const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs');

// Every property value of Script that this Node knows, found by trying the names that Unicode gives.
const NAMES = `Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali
Beria_Erfe Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham
Cherokee Chorasmian Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan
Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi
Gurmukhi Gurung_Khema Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inscriptional_Pahlavi
Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki
Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic
Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi
Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham
Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian
Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang
Runic Samaritan Saurashtra Sharada Shavian Siddham Sidetic SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese
Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Tai_Yo Takri Tamil Tangsa Tangut Telugu Thaana
Thai Tibetan Tifinagh Tirhuta Todhri Tolong_Siki Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi
Zanabazar_Square`.split(/\s+/);
const AUGMENTS = { Han: ['Hanb', 'Jpan', 'Kore'], Hiragana: ['Jpan'], Katakana: ['Jpan'], Hangul: ['Kore'], Bopomofo: ['Hanb'] };
const scripts = NAMES.map((name) => [name, new RegExp(`^\\p{scx=${name}}$`, 'u')]);
const bits = [...NAMES, 'Hanb', 'Jpan', 'Kore'];
const anywhere = /^[\p{scx=Common}\p{scx=Inherited}]$/u;

const characters = [];
for (let cp = 0; cp < 0x110000; cp++) if (cp < 0xd800 || cp > 0xdfff) characters.push(cp);

function scriptsOf(cp) {
  const text = String.fromCodePoint(cp);
  if (anywhere.test(text)) return 'ALL';
  if (cp >= 0x40000 && cp < 0xe0000) return '';
  const own = scripts.filter(([, pattern]) => pattern.test(text)).map(([name]) => name);
  return [...new Set([...own, ...own.flatMap((name) => AUGMENTS[name] ?? [])])].join(' ');
}

function allowedCharacters() {
  const schema = 'entity U; action a appliesTo {principal: U, resource: U};';
  const allowed = [];
  for (let i = 0; i < characters.length; i += 4000) {
    const part = characters.slice(i, i + 4000);
    const keys = part.map((cp, at) => `"\\u{${cp.toString(16)}}#${at}":1`).join(',');
    const staticPolicies = `permit(principal, action, resource) when { {${keys}} == {} };`;
    const answer = cedar.validate({ schema, policies: { staticPolicies }, validationSettings: { mode: 'strict' } });
    const refused = new Set(answer.validationWarnings.map((warning) => warning.error.message)
      .filter((message) => /General Security Profile/.test(message)).map((message) => Number(/#(\d+)/.exec(message)[1])));
    part.forEach((cp, at) => refused.has(at) || allowed.push(cp));
  }
  return allowed;
}

const wrap = (items) => {
  const lines = [''];
  for (const item of items) {
    if (lines.at(-1).length + item.length > 110) lines.push('');
    lines[lines.length - 1] += item + ' ';
  }
  return lines.map((line) => line.trimEnd()).join('\n');
};
const hex = (n) => '0x' + n.toString(16);

const sets = new Map([['ALL', 0], ['', 1]]);
const ranges = [];
for (const cp of characters) {
  const key = scriptsOf(cp);
  if (!sets.has(key)) sets.set(key, sets.size);
  if (ranges.at(-1)?.[1] !== sets.get(key)) ranges.push([cp, sets.get(key)]);
}
const words = (key) => [0, 1, 2].map((word) => {
  if (key === 'ALL') return '~UINT64_C(0)';
  const value = key.split(' ').filter(Boolean).map((name) => bits.indexOf(name)).filter((bit) => bit >> 6 === word)
    .reduce((sum, bit) => sum | (1n << BigInt(bit & 63)), 0n);
  return `UINT64_C(${hex(value)})`;
});
const runs = [];
for (const cp of allowedCharacters()) {
  if (runs.at(-1)?.[1] === cp - 1) runs.at(-1)[1] = cp;
  else runs.push([cp, cp]);
}
console.log('/* SPDX-License-Identifier: Apache-2.0 AND Unicode-3.0 */');
console.log(`/* Made by tools/unicode_tables.mjs from Unicode ${process.versions.unicode}.  Do not edit. */`);
console.log('/* UNICODE_SET(scripts as bits): 0 is any, 1 is none */');
console.log([...sets.keys()].map((key) => `UNICODE_SET(${words(key).join(', ')})`).join('\n'));
console.log('/* UNICODE_FROM(first character, set): up to the next one */');
console.log(wrap(ranges.map(([cp, set]) => `UNICODE_FROM(${hex(cp)}, ${set})`)));
console.log('/* UNICODE_ALLOWED(first, last): allowed in identifiers */');
console.log(wrap(runs.map(([first, last]) => `UNICODE_ALLOWED(${hex(first)}, ${hex(last)})`)));
