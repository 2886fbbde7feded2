#!/bin/bash
# build-nginx-module.sh BUILD_DIR NGINX_SRC
#
# Builds BUILD_DIR/ngx_http_bartizan_module.so against the distribution's own nginx. NGINX_SRC is the directory that
# the package nginx-dev ships (/usr/share/nginx/src, or the same in an unpacked package): headers, configure, and
# conf_flags with the flags of the packaged binary. It is copied and configured once, into BUILD_DIR/nginx-headers;
# a changed NGINX_SRC (a package update) is noticed by its version and flags. BUILD_DIR is a meson build directory.
set -eu -o pipefail

[ $# -eq 2 ] || { echo "usage: $0 BUILD_DIR NGINX_SRC" >&2; exit 2; }
build=$(realpath "$1")
src=$(realpath "$2")
[ -f "$build/build.ninja" ] || { echo "$0: $build is no meson build directory" >&2; exit 2; }
if ! [ -x "$src/configure" ] || ! [ -f "$src/src/core/nginx.h" ]; then
    echo "$0: $src is no nginx source tree (is the package nginx-dev unpacked?)" >&2
    exit 2
fi

headers=$build/nginx-headers
stamp=$(cat "$src/src/core/nginx.h" "$src/conf_flags" 2>/dev/null | sha256sum)

if [ "$(cat "$headers/.stamp" 2>/dev/null || true)" != "$stamp" ]; then
    rm -rf "$headers" "$headers.tmp"
    cp -r "$src" "$headers.tmp"
    flags=(--with-compat --with-http_ssl_module --with-http_v2_module --with-threads)
    if [ -f "$src/conf_flags" ]; then
        NGX_CONF_FLAGS=()
        # shellcheck disable=SC1091
        . "$src/conf_flags"
        flags=("${NGX_CONF_FLAGS[@]}")
    fi
    log=$build/nginx-configure.log
    (cd "$headers.tmp" && ./configure "${flags[@]}") >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        echo "$0: nginx's configure failed; the packages libpcre2-dev, zlib1g-dev and libssl-dev are needed" >&2
        exit 1
    }
    echo "$stamp" >"$headers.tmp/.stamp"
    mv "$headers.tmp" "$headers"
fi

# The option only changes when it must: a reconfiguration costs seconds.
if [ "$(meson introspect --buildoptions "$build" |
    python3 -c 'import json,sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "nginx_src"))')" \
    != "$headers" ]; then
    meson configure "$build" -Dnginx_src="$headers" >/dev/null
fi
ninja -C "$build" ngx_http_bartizan_module.so
