#!/bin/bash
# deps.sh [build|test|bench|fuzz]...
# Installs the Debian packages that are missing for a group, and nothing else. Debian 12 and 13.
# nginx is not installed: its packages are fetched and unpacked into build/deps/root, so that the
# system's own nginx service is neither installed nor started nor changed.
# BARTIZAN_BUILD names another build directory.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${BARTIZAN_BUILD:-build}/deps
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

say() { echo "deps: $*"; }
fail() { echo "deps: $*" >&2; exit 2; }

build=(gcc libc6-dev make meson ninja-build pkgconf libsodium-dev libssl-dev libcyaml-dev libyaml-dev
    libsqlite3-dev libcurl4-openssl-dev libmicrohttpd-dev libpcre2-dev zlib1g-dev
    libarchive-dev libbz2-dev liblzma-dev libzstd-dev liblz4-dev
    libvectorscan-dev libutf8proc-dev libseccomp-dev bubblewrap
    libhdf5-dev libseccomp-dev
    ca-certificates curl openssl)
test=(clang git libcmocka-dev libjansson-dev python3 python3-jinja2 python3-packaging faketime shellcheck mandoc pmccabe procps strace swtpm tpm2-tools minisign)
bench=(python3 util-linux)
fuzz=(clang libcmocka-dev libjansson-dev)

command -v apt-get >/dev/null || fail "this needs Debian 12 or 13 (no apt-get here)"

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        say "root is needed to install packages: sudo $*"
        sudo "$@"
    else
        fail "packages are missing and there is no sudo; as root: $*"
    fi
}

updated=no
update_lists() {
    [ "$updated" = no ] || return 0
    updated=yes
    say "refreshing apt's package lists"
    as_root apt-get -q=2 update || say "some package lists could not be refreshed"
}

known() { # apt can install it, itself or as a virtual package
    [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

install_missing() {
    local missing=() p have
    have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for p in "$@"; do
        [[ $'\n'$have$'\n' == *$'\n'"$p installed"$'\n'* ]] || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    for p in "${missing[@]}"; do
        known "$p" || update_lists
    done
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install \
        "${missing[@]}" >/dev/null && return 0
    update_lists # an old list names packages that the mirror no longer has
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends install \
        "${missing[@]}" >/dev/null || fail "apt-get could not install: ${missing[*]}"
}

candidate() { # "Version: " of the candidate, read without a pipe that could hide a failure
    local policy
    policy=$(apt-cache policy "$1")
    sed -n 's/^  Candidate: \([^(]*\)$/\1/p' <<<"$policy"
}

fetch() { # into the current directory
    apt-get -q=2 -o APT::Sandbox::User=root download "$@" >/dev/null
}

# nginx and its headers, of one version, private to the build directory.
nginx() {
    local v t
    v=$(candidate nginx)
    if [ -z "$v" ] || [ "$v" != "$(candidate nginx-dev)" ]; then
        update_lists
        v=$(candidate nginx)
    fi
    [ -n "$v" ] || fail "apt knows no nginx package"
    if [ "$(cat "$deps/nginx.version" 2>/dev/null)" = "$v" ] && [ -x "$deps/root/usr/sbin/nginx" ]; then
        return 0
    fi
    say "unpacking nginx $v into $deps/root (not installed)"
    mkdir -p "$deps"
    t=$(mktemp -d "$deps/fetch.XXXXXX")
    (cd "$t" && fetch "nginx=$v" "nginx-dev=$v") || {
        update_lists
        v=$(candidate nginx)
        (cd "$t" && fetch "nginx=$v" "nginx-dev=$v") || { rm -rf "$t"; fail "cannot fetch nginx $v"; }
    }
    rm -rf "$deps/root" "$deps/nginx.version"
    mkdir "$t/root"
    for p in "$t"/*.deb; do
        dpkg-deb -x "$p" "$t/root"
    done
    "$t/root/usr/sbin/nginx" -v 2>/dev/null || fail "the unpacked nginx does not start"
    mv "$t/root" "$deps/root"
    rm -rf "$t"
    echo "$v" >"$deps/nginx.version"
}

# Node.js 18 (Debian 12) or newer, with npm: what comes first in PATH is used if it is new enough,
# otherwise Debian's is installed. tests/clients runs on 18 and 20.
node() {
    local major
    major=$(command node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" -ge 18 ] && command -v npm >/dev/null; then
        return 0
    fi
    install_missing nodejs npm
}

# The sanitizer and fuzzer run-time of whichever clang the distribution means by "clang".
clang_runtime() {
    local v
    v=$(clang -dumpversion)
    install_missing "libclang-rt-${v%%.*}-dev"
}

[ $# -gt 0 ] || set -- build
for group in "$@"; do
    case $group in
    build)
        install_missing "${build[@]}"
        nginx
        ;;
    test)
        install_missing "${test[@]}"
        node
        ;;
    bench) install_missing "${bench[@]}" ;;
    fuzz)
        install_missing "${fuzz[@]}"
        clang_runtime
        ;;
    *) fail "unknown group $group (build, test, bench, fuzz)" ;;
    esac
done
