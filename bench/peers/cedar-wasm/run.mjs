// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { measure, readArguments, readSeries, say } from '../measure.mjs';
import { open, version } from './engine.mjs';

const { budget, cases } = readArguments();
for (const dir of cases) {
  const start = process.hrtime.bigint(), engine = open(dir);
  const load_ms = Number(process.hrtime.bigint() - start) / 1e6;
  for (const { series, requests } of readSeries(dir)) {
    const result = await measure(engine.decide, requests.map(engine.prepare), budget);
    say({ peer: 'cedar-wasm', version, mode: 'stateful', case: path.basename(dir), series, load_ms, ...result });
  }
}
