#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on a Debian 12, and says what and why.  Nothing is done a second time.
#
#   tools/install.sh run       what ./run needs: to build, and to serve the sample
#   tools/install.sh check     in addition what the tests need
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:?run or check}

# package : the command or file that shows it is there : why
packages() {
    cat <<'TABLE'
gcc            | cmd:gcc                                | compiles
libc6-dev      | file:/usr/include/stdio.h              | the C library's headers
pkg-config     | cmd:pkg-config                         | finds libraries
meson          | cmd:meson                              | describes the build
ninja-build    | cmd:ninja                              | runs the build
nginx          | file:/usr/sbin/nginx                   | the server that Forbid works in
nginx-dev      | file:/usr/share/nginx/src/conf_flags   | its headers
liblmdb-dev    | file:/usr/include/lmdb.h               | the embedded store
libssl-dev     | file:/usr/include/openssl/evp.h        | signatures
libcurl4-openssl-dev | file:/usr/include/*/curl/curl.h | `forbid lint --url` makes requests with it
libyaml-dev    | file:/usr/include/yaml.h               | files of tests and OpenAPI documents may be YAML
libmaxminddb-dev | file:/usr/include/*/maxminddb.h      | location data is read with it
nodejs         | cmd:node                               | the sample API
npm            | cmd:npm                                | brings the location data
TABLE
    [ "$purpose" = check ] && cat <<'TABLE'
clang          | cmd:clang                              | the second compiler
g++            | cmd:g++                                | the C interface is compiled as C++ too
binutils       | cmd:nm                                 | the exported symbols are compared
libcmocka-dev  | file:/usr/include/cmocka.h             | unit tests
curl           | cmd:curl                               | a client in the end-to-end tests
chromium       | cmd:chromium                           | another
groff-base     | cmd:groff                              | manual pages are checked
util-linux     | cmd:setpriv                            | permission tests run as nobody
TABLE
    return 0
}

present() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null ;;
    file:*) compgen -G "${1#file:}" >/dev/null ;;   # a pattern: multiarch folders
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else echo "install: root or sudo is needed for: $*" >&2; exit 1
    fi
}

# Debian starts a service when it installs one; a second nginx on port 80 is not what was asked for.
without_services() {
    local policy=/usr/sbin/policy-rc.d ours=0 status=0
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
        ours=1
    fi
    as_root "$@" || status=$?
    [ $ours = 0 ] || as_root rm -f $policy
    return $status
}

missing=()
while IFS='|' read -r name probe why; do
    name=${name// /} probe=${probe// /}
    if ! present "$probe"; then
        missing+=("$name")
        printf 'install: %-18s %s\n' "$name" "${why# }" >&2
    fi
done < <(packages)

if [ ${#missing[@]} -gt 0 ]; then
    . /etc/os-release
    if ! command -v apt-get >/dev/null; then
        echo "install: this is ${PRETTY_NAME:-not Debian}: install these by hand: ${missing[*]}" >&2
        exit 1
    fi
    log=$(mktemp)
    echo "install: by apt-get, without starting any service" >&2
    if ! { as_root apt-get update -q &&
           without_services env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
           >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "install: apt-get failed (whole log: $log)" >&2
        exit 1
    fi
    rm -f "$log"
fi

# Packages of npm: the location data; for the tests, the official engine as oracle and a large API.
omit=(--omit=dev)
[ "$purpose" = check ] && omit=()
stamp=node_modules/.forbid-$purpose
if [ ! -e "$stamp" ] || [ package.json -nt "$stamp" ]; then
    echo "install: by npm, into node_modules: location data$([ "$purpose" = check ] && echo ', the oracle, an API of 1,000 routes')" >&2
    npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error "${omit[@]}" >&2
    touch "$stamp"
    # The development set holds the other one.
    [ "$purpose" = run ] || touch node_modules/.forbid-run
fi
