#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the two headers that nginx-dev lacks (ngx_auto_config.h, ngx_auto_headers.h): they are what
# nginx's own configure finds on this machine, and a module must be built with the same answers as
# the nginx that loads it.  configure writes into its working directory, so it runs in a directory of
# links.
# usage: tools/nginx-headers.sh OUTDIR
set -euo pipefail
out=$(realpath "${1:?the output directory}")
source=${NGINX_SOURCE:-/usr/share/nginx/src}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$source/auto" "$source/src" "$source/configure" "$work/"
[ ! -e "$source/debian" ] || ln -s "$source/debian" "$work/"
# conf_flags sets NGX_CONF_FLAGS, the options of the packaged binary.
. "$source/conf_flags"
cd "$work"
if ! ./configure "${NGX_CONF_FLAGS[@]}" --builddir="$work/objs" >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    exit 1
fi
cp objs/ngx_auto_config.h objs/ngx_auto_headers.h "$out/"
