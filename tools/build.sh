#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Configures a build directory and builds it; warnings are errors.  Options given to a directory that
# is there already take effect if they differ.
# usage: tools/build.sh DIR [meson options]
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?the build directory}
shift
if [ ! -f "$dir/build.ninja" ]; then
    meson setup "$dir" --werror "$@"
elif [ $# -gt 0 ]; then
    meson configure "$dir" "$@"
fi
ninja -C "$dir"
