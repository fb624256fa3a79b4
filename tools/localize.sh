#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A static library whose only visible symbols are those of the public interface: all objects are joined
# into one, and what has hidden visibility becomes local to it.
# usage: tools/localize.sh IN.a OUT.a
set -euo pipefail
in=$1 out=$2
object=$out.o
# -r joins; --whole-archive takes every member, since nothing refers to them yet.
ld -r --whole-archive "$in" -o "$object"
objcopy --localize-hidden "$object"
rm -f "$out"
ar rcsD "$out" "$object"
rm -f "$object"
