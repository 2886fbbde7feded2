#!/bin/bash
# demo-backend.sh PREFIX                installs
# demo-backend.sh PREFIX serve          runs it on the socket PREFIX/llama.sock, again whenever it dies, until TERM
# Leaves PREFIX/llama-server (a real llama.cpp server) and PREFIX/model.gguf (computed by tiny-gguf).
# The system's own llama-server is used when there is one. Otherwise Debian's packages of it, which
# only its development suites have, are unpacked into PREFIX with the libraries they were built
# against. Neither dpkg's nor apt's state on this machine changes, and root is not needed.
# BARTIZAN_BUILD names another build directory; SUITE another suite than sid.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath -m "${BARTIZAN_BUILD:-$here/build}")
export LC_ALL=C
if [ $# != 1 ] && [ "${2:-} $#" != "serve 2" ]; then
    echo "usage: demo-backend.sh PREFIX [serve]" >&2
    exit 2
fi
umask 077
mkdir -p "$1"
prefix=$(cd "$1" && pwd)

say() { echo "demo: $*"; }
fail() {
    echo "demo: $*" >&2
    echo "demo: start a model server of your own (Ollama, llama.cpp or vLLM) and run ./run again" >&2
    exit 2
}

serve() {
    local child=
    trap 'kill "$child" 2>/dev/null; wait; exit 0' TERM INT HUP
    export GGML_NO_BACKTRACE=1 # on abort it would start a debugger and hang
    while :; do
        rm -f "$prefix/llama.sock"
        setpriv --pdeathsig TERM "$prefix/llama-server" -m "$prefix/model.gguf" --alias tiny \
            --host "$prefix/llama.sock" --offline --no-ui -c 16384 -np 4 --log-verbosity 1 &
        child=$!
        wait "$child" || true
        echo "demo: llama-server ended; it is started again" >&2
        sleep 1
    done
}

# What llama-server needs to run, without the packages' other recommendations.
packages=(llama.cpp-tools libllama0 libggml0 libc6 libgcc-s1 libstdc++6 libgomp1 libssl3t64 libzstd1
    zlib1g)

private_apt() { # apt with lists, status and cache of its own
    local a=$prefix/.apt
    apt-get -q=2 -o Dir::Etc::sourcelist="$a/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State="$a/state" -o Dir::State::lists="$a/lists" \
        -o Dir::State::status="$a/status" -o Dir::Cache="$a/cache" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

mirror() { # the archive this system already uses
    local targets
    # shellcheck disable=SC2016 # apt expands it
    targets=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian')
    head -n 1 <<<"$targets"
}

fetch_packages() {
    local a=$prefix/.apt uri keyring=/usr/share/keyrings/debian-archive-keyring
    uri=$(mirror 2>/dev/null || true)
    [ -n "$uri" ] || fail "apt has no package lists: run 'apt-get update' as root first"
    [ -e "$keyring.gpg" ] && keyring=$keyring.gpg || keyring=$keyring.pgp
    mkdir -p "$a"/{state,lists/partial,cache/archives/partial} "$prefix/debs"
    : >"$a/status"
    echo "deb [signed-by=$keyring] $uri ${SUITE:-sid} main" >"$a/sources.list"
    private_apt update || fail "cannot read the ${SUITE:-sid} package lists of $uri"
    (cd "$prefix/debs" && private_apt download "${packages[@]}" >/dev/null) ||
        fail "cannot fetch ${packages[0]} and its libraries from $uri"
}

unpack() {
    local deb lib loader version
    for deb in "$prefix"/debs/*.deb; do
        dpkg-deb -x "$deb" "$prefix/root"
    done
    version=$(dpkg-deb -f "$prefix"/debs/llama.cpp-tools_*.deb Version)
    lib=$(dirname "$(find "$prefix/root/usr/lib" -name libc.so.6 -print -quit)")
    loader=$(find "$prefix/root" -name 'ld-linux*.so.*' -print -quit)
    if [ ! -d "$lib" ] || [ ! -x "$loader" ]; then
        fail "Debian's packages are laid out in a way this script does not know"
    fi
    # ggml looks for its CPU backends beside the running executable, which is the loader here.
    find "$lib/ggml" -name 'libggml-*.so' -exec ln -sf -t "$(dirname "$(realpath "$loader")")" {} +
    cat >"$prefix/llama-server" <<WRAPPER
#!/bin/sh
# llama.cpp $version
exec "$loader" --library-path "$lib:$lib/llama:$lib/ggml" --argv0 llama-server \\
    "$prefix/root/usr/bin/llama-server" "\$@"
WRAPPER
    chmod 700 "$prefix/llama-server"
    rm -rf "$prefix/.apt" "$prefix/debs"
    say "llama.cpp $version unpacked into $prefix"
}

if [ "${2:-}" = serve ]; then
    serve
fi
if [ ! -x "$prefix/llama-server" ]; then
    if system=$(command -v llama-server); then
        ln -sf "$system" "$prefix/llama-server"
        say "using $system"
    else
        say "fetching Debian's llama-server (12 MB, not installed)"
        fetch_packages
        unpack
    fi
fi
"$prefix/llama-server" --version >/dev/null 2>&1 || fail "$prefix/llama-server does not start"

if [ ! -s "$prefix/model.gguf" ]; then
    [ -x "$build/tools/tiny-gguf" ] || fail "build/tools/tiny-gguf is missing: ./run build makes it"
    "$build/tools/tiny-gguf" "$prefix/model.gguf.tmp" >/dev/null || fail "cannot compute the model"
    mv "$prefix/model.gguf.tmp" "$prefix/model.gguf"
    say "a tiny model was computed (it babbles; it is for trying things out)"
fi
