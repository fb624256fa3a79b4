// SPDX-License-Identifier: Apache-2.0
// Which peers there are, what each needs, how it is built, and how far it goes: `links` is the largest count
// of links that it can be asked about within the time of a run, in a whole one and in a quick one.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const at = (name) => path.join(here, 'peers', name);
const hasCommand = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
function hasPackage(name) {
  try { createRequire(import.meta.url).resolve(name); return true; } catch { return false; }
}

const cargo = (name) => ({
  needs: 'cargo', present: () => hasCommand('cargo'),
  build: (out) => ['cargo', ['build', '--release', '--quiet', '--target-dir', path.join(out, name)], at(name)],
  command: (out) => [path.join(out, name, 'release', `bench-${name}`)],
});
const go = (folder) => ({
  needs: 'go', present: () => hasCommand('go'),
  build: (out) => ['go', ['build', '-p', '2', '-o', path.join(out, `bench-${folder}`), `./${folder}`], at('go')],
  command: (out) => [path.join(out, `bench-${folder}`)],
});
const node = (name, packageName) => ({
  needs: `npm's ${packageName}`, present: () => hasPackage(packageName),
  build: () => null,
  command: () => ['node', path.join(at(name), 'run.mjs')],
});

// The package is 100 MB, so that it comes into the build directory and no earlier.
const cerbos = {
  needs: 'npm', present: () => hasCommand('npm'),
  build(out) {
    const dir = path.join(out, 'cerbos');
    mkdirSync(dir, { recursive: true });
    copyFileSync(path.join(at('cerbos'), 'package.json'), path.join(dir, 'package.json'));
    if (existsSync(path.join(dir, 'node_modules', 'cerbos'))) return null;
    return ['npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], dir];
  },
  command: (out) => ['node', path.join(at('cerbos'), 'run.mjs'), path.join(out, 'cerbos', 'node_modules')],
};

export const peers = [
  { name: 'cedar-rust', title: 'Cedar (Rust)', links: { whole: 100000, quick: 1000 }, ...cargo('cedar-rust') },
  { name: 'cedar-wasm', title: 'Cedar (WebAssembly)', links: { whole: 1000, quick: 10 }, ...node('cedar-wasm', '@cedar-policy/cedar-wasm/nodejs') },
  { name: 'cedar-go', title: 'Cedar (Go)', links: { whole: 100000, quick: 1000 }, ...go('cedar') },
  { name: 'opa', title: 'OPA', links: { whole: 100000, quick: 1000 }, ...go('opa') },
  // To it the static policies of github and gdrive are what the template links are.
  { name: 'casbin', title: 'Casbin', links: { whole: 100000, quick: 1000 }, without: ['github', 'gdrive'], ...go('casbin') },
  // It has nothing like a template link.
  { name: 'cerbos', title: 'Cerbos (HTTP)', links: { whole: 0, quick: 0 }, without: ['github-templates', 'gdrive-templates'], ...cerbos },
];

// Builds what can be built.  Gives those that can be asked, and why the others cannot.
export function preparePeers(build, wanted) {
  const out = path.resolve(build, 'peers'), ready = [], missing = [];
  mkdirSync(out, { recursive: true });
  for (const peer of peers.filter(({ name }) => wanted === 'all' || wanted.split(',').includes(name))) {
    if (!peer.present()) { missing.push(`${peer.name}: ${peer.needs} is not there`); continue; }
    const [program, words, cwd] = peer.build(out) ?? [];
    if (program) {
      console.error(`bench: builds ${peer.name}`);
      const done = spawnSync(program, words, { cwd, encoding: 'utf8' });
      if (done.status !== 0) {
        // A build that cannot fetch is no fault of a run; one that breaks is seen here.
        missing.push(`${peer.name}: ${program} failed: ${(done.stderr ?? String(done.error)).trim().split('\n').slice(-3).join(' ')}`);
        continue;
      }
    }
    const command = peer.command(out);
    if (path.isAbsolute(command[0]) && !existsSync(command[0])) { missing.push(`${peer.name}: ${command[0]} was not built`); continue; }
    ready.push({ ...peer, command });
  }
  return { ready, missing };
}
