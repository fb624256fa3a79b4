#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Configures a build directory once and builds it; warnings are errors.
# usage: tools/build.sh DIR [meson options]
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?the build directory}
shift
[ -f "$dir/build.ninja" ] || meson setup "$dir" --werror "$@"
ninja -C "$dir"
