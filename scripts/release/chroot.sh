#!/usr/bin/env bash
# chroot.sh [DIR]: installs the packages of `npm run release -- --dry-run` in a bare Debian 12 where only Node and npm were copied in,
# as somebody new would. Needs root and debootstrap. Keeps the bare system in DIR (default: the cache) for the next time.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=${NODE_TENSORRT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/node-tensorrt}
base=${1:-$cache/bookworm}
[ -e "$base/complete" ] || {
  debootstrap --variant=minbase bookworm "$base" http://deb.debian.org/debian >&2
  touch "$base/complete"
}
top=$(mktemp -d)
registry=
trap '[ -z "$registry" ] || kill "$registry"; umount "$top/proc" 2>/dev/null; rm -rf --one-file-system "$top"' EXIT
cp -a "$base/." "$top"

node=$(readlink -f "$(command -v node)")
npm=$(dirname "$(readlink -f "$(command -v npm)")")/..
install -D "$node" "$top/usr/local/bin/node"
mkdir -p "$top/usr/local/lib/npm" "$top/project" "$top/etc/ssl/certs"
cp -r "$npm/." "$top/usr/local/lib/npm"
printf '#!/bin/sh\nexec node /usr/local/lib/npm/bin/%s-cli.js "$@"\n' npm >"$top/usr/local/bin/npm"
printf '#!/bin/sh\nexec node /usr/local/lib/npm/bin/%s-cli.js "$@"\n' npx >"$top/usr/local/bin/npx"
chmod +x "$top/usr/local/bin/npm" "$top/usr/local/bin/npx"
cp scripts/release/smoke.mjs "$top/project"
cp /etc/resolv.conf /etc/hosts "$top/etc"
cp /etc/ssl/certs/ca-certificates.crt "$top/etc/ssl/certs"
mount -t proc proc "$top/proc"

node scripts/release/registry.mjs .release/*.tgz >"$top/origin" &
registry=$!
until [ -s "$top/origin" ]; do sleep 0.1; done

proxies=$(env | grep -iE '^(https?_proxy|no_proxy|all_proxy)=' || true)
# shellcheck disable=SC2086
env -i $proxies HOME=/root PATH=/usr/local/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
  "$(command -v chroot)" "$top" bash -euc '
    cd /project
    for missing in c++ g++ cmake make python3; do ! command -v $missing || exit 1; done
    echo "$(. /etc/os-release; echo "$PRETTY_NAME"), Node $(node --version), load $(cut -d" " -f1 /proc/loadavg)"
    TIMEFORMAT="  %1R s, of which %1U s and %1S s of a processor"
    echo "npm install"; time npm install --registry "$(cat /origin)" --no-audit --no-fund --loglevel=error node-tensorrt
    echo "first check"; time node smoke.mjs check
    echo "npx node-tensorrt install"; time npx node-tensorrt install
    echo "first plan"; time node smoke.mjs plan'
