#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a build's unit tests and counts their single tests (TAP lines, not executables).
# usage: tools/unit.sh DIR
set -uo pipefail
cd "$(dirname "$0")/.."
dir=${1:?the build directory}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
status=0
rm -f "$dir"/meson-logs/testlog-tap.junit.xml
meson test -C "$dir" --no-rebuild --num-processes 2 --timeout-multiplier 4 --print-errorlogs --wrapper "$PWD/tools/tap" || status=$?
python3 - "$dir/meson-logs/testlog-tap.junit.xml" <<'PY' || status=1
import sys, xml.etree.ElementTree as tree
p = f = s = 0
for case in tree.parse(sys.argv[1]).getroot().iter('testcase'):
    tags = {child.tag for child in case}
    name = (case.get('classname') or '') + ' ' + (case.get('name') or '')
    if 'failure' in tags or 'error' in tags:
        f += 1
        print('FAILED', name)
    elif 'skipped' in tags:
        s += 1
        print('SKIPPED', name)
    else:
        p += 1
print('TOTALS', p, f, s)
PY
exit $status
