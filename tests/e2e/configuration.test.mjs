// SPDX-License-Identifier: Apache-2.0
// What `nginx -t` says: faults of policies at their place, and configurations that would undo the
// decision.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeDirectory, test as check } from './lib/gateway.mjs';
import { audience, issuer } from './lib/tokens.mjs';

const sound = `forbid on; forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=${audience};`;
const proxied = 'location / { proxy_pass http://127.0.0.1:1; }';
const zone = (kind) => `${kind}_cache_path temp/cache-${kind} keys_zone=${kind}zone:1m;`;

const refused = (name, options, ...patterns) => test(`refused: ${name}`, () => {
  const { ok, text } = check(options);
  assert.equal(ok, false, text);
  for (const pattern of patterns) assert.match(text, pattern);
});
const accepted = (name, options, ...patterns) => test(`accepted: ${name}`, () => {
  const { ok, text } = check(options);
  assert.equal(ok, true, text);
  for (const pattern of patterns) assert.match(text, pattern);
});

accepted('everything at the server', { server: `${sound} ${proxied}` });
accepted('everything at http', { http: sound, server: proxied });
accepted('everything in a location', { server: `location / { ${sound} }` });
accepted('all directives', { server: `${sound} forbid_store store; forbid_disclose detail anonymous=reason; forbid_unmatched 403; forbid_geo off; location /a { forbid shadow; forbid_unmatched pass; forbid_store off; forbid_disclose none; }` });
accepted('a level that says nothing else but off', { http: sound, server: 'location /a { forbid off; satisfy any; }' });
accepted('nothing of Forbid at all', { server: 'satisfy any; location / { return 200; }' });

refused('on, and no policies', { server: `forbid on; ${proxied}` }, /no forbid_policies is given/);
refused('shadow, and no policies', { server: 'location /a { forbid shadow; }' }, /location "\/a", but no forbid_policies/);
refused('a mode that is none', { server: 'forbid yes;' }, /invalid value "yes"/);
refused('an answer that is none', { server: 'forbid_unmatched 500;' }, /invalid value "500"/);
accepted('whom refusals are for', { server: `${sound} forbid_cors https://app.example http://localhost:8080 credentials max_age=60; forbid_resource https://api.example/v1; forbid_login /login?to=$forbid_return; location /a { forbid_cors *; } location /b { forbid_cors off; forbid_resource off; forbid_login off; forbid_pages off; }` });
refused('an origin with a path', { server: 'forbid_cors https://app.example/;' }, /`https:\/\/app.example\/` is no origin/);
refused('credentials for everybody', { server: 'forbid_cors * credentials;' }, /`\*` stands for every origin, without credentials/);
refused('pages that are not there', { server: 'forbid_pages nowhere;' }, /nowhere: No such file/);
refused('a resource without a scheme', { server: 'forbid_resource api.example;' }, /is no URI of this API/);
refused('a login that is no URI', { server: 'forbid_login login;' }, /takes a URI or a path/);
refused('a login twice', { server: 'forbid_login /a; forbid_login /b;' }, /is duplicate/);
refused('a level that is none', { server: 'forbid_disclose all;' }, /"forbid_disclose" takes none, reason, detail or policy/);
refused('a level of others that is none', { server: 'forbid_disclose none strangers=all;' }, /anonymous=/);
refused('policies twice on one level', { server: 'forbid_policies policies; forbid_policies policies;' }, /"forbid_policies" is duplicate/);
refused('a directory that is not there', { server: 'forbid_policies nowhere;' }, /nowhere/, /cannot be used/);
refused('a location database that is not there', { server: 'forbid_geo nowhere.mmdb;' }, /nowhere\.mmdb" cannot be used/);
refused('an issuer without audience', { server: `forbid_issuer ${issuer} jwks=keys.json;` }, /audience/);
refused('an issuer without keys', { server: `forbid_issuer ${issuer} audience=a;` }, /jwks/);
refused('an issuer whose keys are not there', { server: `forbid_issuer ${issuer} audience=a jwks=none.json;` }, /none\.json/);
refused('an issuer with a word that is none', { server: `forbid_issuer ${issuer} audience=a jwks=keys.json audence=b;` }, /audence/);
refused('an issuer of principals that the schema lacks', { server: `forbid on; forbid_policies policies; forbid_issuer ${issuer} jwks=keys.json audience=a principal=Usr; ${proxied}` }, /Usr/, /site\.unknown_type/);
accepted('an issuer whose tokens are bound to keys', { server: `${sound.replace('jwks=', 'dpop=required realm=staff jwks=')} forbid_retry_after 1d; ${proxied}` });
refused('an issuer with proofs that are neither', { server: `forbid_issuer ${issuer} audience=a jwks=keys.json dpop=on;` }, /dpop=accepted or dpop=required/);
refused('an issuer with a realm that no challenge can carry', { server: `forbid_issuer ${issuer} audience=a jwks=keys.json 'realm=a"b';` }, /realm=TEXT/);
refused('a wait of no time', { server: 'forbid_retry_after 0;' }, /takes a time from 1s to 1d/);
refused('a wait of two days', { server: 'forbid_retry_after 2d;' }, /takes a time from 1s to 1d/);
refused('two issuers of one type without prefixes', { server: `forbid_issuer ${issuer} jwks=keys.json audience=a; forbid_issuer https://other.example jwks=keys.json audience=a;` }, /prefix/);

const stores = (n) => Array.from({ length: n }, (_, i) => `location /${i} { forbid_store store${i}; } location /again${i} { forbid_store store${i}; }`).join(' ');
accepted('eight stores', { server: `${sound} ${stores(8)}` });
refused('nine stores', { server: `${sound} ${stores(9)}` }, /store8": there may be 8 stores/);

refused('satisfy any', { server: `${sound} satisfy any; ${proxied}` }, /satisfy any/);
refused('satisfy any in a location below', { server: `${sound} location /a { satisfy any; }` }, /location "\/a"/);
accepted('a store with a map of its own', { server: `${sound} forbid_store store map=256m;` });
for (const words of ['store map=', 'store map=1k', 'store map=x', 'store size=1g', 'off map=1g']) {
  refused(`forbid_store ${words}`, { server: `${sound} forbid_store ${words};` }, /"forbid_store" takes/);
}
refused('satisfy any in shadow', { server: `${sound} forbid_store off; location /a { forbid shadow; satisfy any; }` }, /satisfy any/);

for (const kind of ['proxy', 'fastcgi', 'uwsgi', 'scgi']) {
  const pass = `${kind}_pass ${kind === 'proxy' ? 'http://' : ''}127.0.0.1:1;`;
  const cache = `${kind}_cache ${kind}zone;`;
  refused(`${kind}_cache by its usual key`, { http: zone(kind), server: `${sound} location / { ${cache} ${kind === 'proxy' ? '' : `${kind}_cache_key $request_uri;`} ${pass} }` }, new RegExp(`${kind}_cache in location "/"`), /forbid_principal/);
  refused(`${kind}_cache inherited from http`, { http: `${zone(kind)} ${cache} ${kind}_cache_key $request_uri;`, server: `${sound} location / { ${pass} }` }, new RegExp(`${kind}_cache in location`));
  accepted(`${kind}_cache with the principal in its key`, { http: zone(kind), server: `${sound} location / { ${cache} ${kind}_cache_key $request_uri$forbid_principal; ${pass} }` });
  accepted(`${kind}_cache with a key from above`, { http: `${zone(kind)} ${kind}_cache_key "\${forbid_principal}$request_uri";`, server: `${sound} location / { ${cache} ${pass} }` });
  accepted(`${kind}_cache where nothing is decided`, { http: zone(kind), server: `${sound} location / { forbid off; ${cache} ${kind}_cache_key $request_uri; ${pass} }` });
  accepted(`${kind}_cache off`, { http: `${zone(kind)} ${cache} ${kind}_cache_key $request_uri;`, server: `${sound} location / { ${kind}_cache off; ${pass} }` });
}
refused('a key with another variable whose name begins alike', { http: `${zone('proxy')} map $uri $forbid_principal_x { default 1; }`, server: `${sound} location / { proxy_cache proxyzone; proxy_cache_key $uri$forbid_principal_x; proxy_pass http://127.0.0.1:1; }` }, /proxy_cache/);

test('faults of the policies: each with file, line, column and caret', () => {
  const dir = makeDirectory();
  try {
    writeFileSync(`${dir}/policies/zz.cedar`, 'permit (principal, action, resource)\nwhen { principal.name == };\nforbid (principle, action, resource);\n');
    const { ok, text } = check({ dir, server: `${sound} ${proxied}` });
    assert.equal(ok, false);
    assert.match(text, /zz\.cedar:2:26: error/);
    assert.match(text, /zz\.cedar:3:9: error/);
    assert.match(text, /\^/);
    assert.match(text, /2 errors/);
  } finally { rmSync(dir, { recursive: true }); }
});

test('nothing is written and no store is opened', () => {
  const dir = makeDirectory();
  try {
    mkdirSync(`${dir}/store`);
    const before = readdirSync(dir, { recursive: true }).sort();
    const { ok, text } = check({ dir, server: `${sound} forbid_store store; ${proxied}` });
    assert.equal(ok, true, text);
    const after = readdirSync(dir, { recursive: true }).filter((name) => !/^(nginx\.conf|nginx\.pid|logs\/.*|temp\/.*)$/.test(name)).sort();
    assert.deepEqual(after, before.filter((name) => !/^(logs|temp)\/./.test(name)));
    assert.equal(existsSync(`${dir}/store/data.mdb`), false);
  } finally { rmSync(dir, { recursive: true }); }
});
