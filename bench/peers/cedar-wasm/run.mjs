// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { measure, readArguments, readSeries, say } from '../measure.mjs';
import { open, version } from './engine.mjs';

const { budget, cases } = readArguments();
// The compiler of WebAssembly takes its time; what it makes in it is not what is measured.
if (cases.length) {
  const engine = open(cases[0]);
  await measure(engine.decide, readSeries(cases[0])[0].requests.map(engine.prepare), 2 * budget);
}
for (const dir of cases) {
  const start = process.hrtime.bigint(), engine = open(dir);
  const load_ms = Number(process.hrtime.bigint() - start) / 1e6;
  for (const { series, requests } of readSeries(dir)) {
    const result = await measure(engine.decide, requests.map(engine.prepare), budget);
    say({ peer: 'cedar-wasm', version, mode: 'stateful', case: path.basename(dir), series, load_ms, ...result });
  }
}
