// SPDX-License-Identifier: Apache-2.0
// Carries out the examples of a page that need the command alone (tests/e2e/lib/page.mjs says how they are written),
// in the directory that it is called in.
//
//   node page.mjs PAGE.md          (`forbid` is in PATH)
import { carryOut } from '../e2e/lib/page.mjs';

const { ran, differ } = await carryOut(process.argv[2], process.cwd());
for (const { line, command, got } of differ) console.log(`line ${line}: $ ${command}\n${got}`);
console.log(`${ran > 8 ? 'the commands of the page ran' : `only ${ran} commands`}, ${differ.length} differ`);
process.exit(differ.length || ran <= 8 ? 1 : 0);
