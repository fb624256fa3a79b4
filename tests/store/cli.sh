#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `forbid account` and `forbid entity` as people and scripts use them.  TAP.
# usage: cli.sh path/to/forbid
forbid=$1
dir=$(mktemp -d /tmp/fb-cli-XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
store=$dir/store
count=0

# check NAME STATUS PATTERN COMMAND...: runs it; its status and its output (both streams) must fit.
check() {
    name=$1 want=$2 pattern=$3
    shift 3
    count=$((count + 1))
    got=$("$@" 2>&1 <"${input:-/dev/null}")
    status=$?
    if [ "$status" -eq "$want" ] && printf '%s\n' "$got" | grep -q -e "$pattern"; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        echo "# status $status, expected $want; output without '$pattern':"
        printf '%s\n' "$got" | sed 's/^/# /'
    fi
}

account() { verb=$1; shift; "$forbid" account "$verb" --store "$store" "$@"; }
entity() { verb=$1; shift; "$forbid" entity "$verb" --store "$store" "$@"; }

check 'help teaches' 0 'tombstone' "$forbid" account --help
check 'no store: said, and how to make one' 1 'no store at .*forbid account add' account suspend 'User::"alice"'
check 'reading makes none' 1 'no store at' account list
check 'adding makes one' 0 'made the store' account add 'User::"alice"'
check 'which store' 1 'Give its directory by --store' "$forbid" account list
check 'suspends with a reason' 0 '^suspended User::"alice" .* by "ops": "ticket 812"' \
    account suspend 'User::"alice"' --reason 'ticket 812' --by ops
check 'add does not lift a suspension' 1 'User::"alice": the account is suspended; `restore`' account add 'User::"alice"'
check 'shows JSON' 0 '"state":"suspended","known":true,"reason":"ticket 812"' account show 'User::"alice"' --json
check 'never named: active' 0 '"id":"bob"},"state":"active","known":false' account show 'User::"bob"' --json
check 'restores' 0 '^active ' account restore 'User::"alice"'
check 'disables another type' 0 '^disabled  Robot::"r2"' account disable 'Robot::"r2"'
check 'deletes' 0 '^deleted ' account delete 'User::"alice"'
check 'a tombstone cannot be suspended' 1 '`add` brings it back' account suspend 'User::"alice"'
check 'several together or not at all' 1 'User::"alice"' account disable 'User::"carol"' 'User::"alice"'
check 'and carol was not touched' 0 'never named' account show 'User::"carol"'
check 'add after delete' 0 '^active ' account add 'User::"alice"'
check 'lists by state' 0 '^disabled  Robot' account list --state disabled
check 'lists by type, as JSON' 0 '"type":"Robot"' account list --type Robot --json
check 'an empty list is an array' 0 '^\[\]$' account list --state deleted --json
check 'a state that is none' 1 'one of active, suspended' account list --state gone
check 'a verb that is none' 1 "did you mean 'suspend'?" account suspnd 'User::"a"'
check 'a uid that is none' 1 "'User::\"alice\"'" account show alice

input=$dir/one.json
echo '{"uid":{"type":"User","id":"alice"},"attrs":{"age":30},"parents":[{"type":"Role","id":"admin"}]}' >"$input"
check 'puts one object from stdin' 0 '^put 1$' entity put
unset input
printf '%s' '[{"uid":{"type":"User","id":"bob"},"attrs":{},"parents":[]},
 {"uid":{"type":"Role","id":"admin"},"attrs":{},"parents":[{"type":"Role","id":"staff"}],"tags":{"t":"x"}}]' >"$dir/two.json"
check 'puts an array from a file' 0 '"put":2' entity put --json "$dir/two.json"
check 'gets what was put' 0 '"age":30' entity get 'User::"alice"'
check 'gets tags' 0 '"tags":{"t":"x"}' entity get 'Role::"admin"'
check 'says what is not there' 1 'there is no User::"zoe"' entity get 'User::"zoe"'
check 'lists in order' 0 '^Role::"admin"$' entity list
check 'pages' 0 '^User::"bob"$' entity list --type User --after 'User::"alice"' --limit 1
check 'a prefix wants a type' 1 'give --type' entity list --prefix a
printf '%s' '{"uid":{"type":"Role","id":"staff"},"attrs":{},"parents":[{"type":"User","id":"alice"}]}' >"$dir/cycle.json"
check 'names a cycle' 1 'Role::"staff" in User::"alice" in Role::"admin" in Role::"staff"' entity put "$dir/cycle.json"
printf '%s' '[{"uid":{"type":"User","id":"x"},"attrs":{"a":1.5},"parents":[]}]' >"$dir/bad.json"
check 'points at a fault' 1 'bad.json:1:' entity put "$dir/bad.json"
echo 'entity Role; entity User in [Role] { age: Long };' >"$dir/s.cedarschema"
printf '%s' '[{"uid":{"type":"User","id":"x"},"attrs":{"age":"old"},"parents":[]}]' >"$dir/misfit.json"
check 'holds entities against a schema' 1 'age' entity put "$dir/misfit.json" --schema "$dir/s.cedarschema"
check 'and puts none of them' 1 'there is no' entity get 'User::"x"'
check 'a file that is not there' 1 'No such file' entity put "$dir/none.json"
check 'deletes all or none' 1 'there is no User::"zoe"' entity delete 'User::"bob"' 'User::"zoe"'
check 'bob is still there' 0 '"bob"' entity get 'User::"bob"'
check 'deletes' 0 '^deleted 1$' entity delete 'User::"bob"'
check 'the account outlives the entity' 0 'active ' account show 'User::"alice"'
echo "1..$count"
