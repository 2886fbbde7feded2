#!/bin/bash
# tools/train-classifier.sh DATA WORK: makes src/injection/classifier.bin anew. DATA/train has the labelled texts
# (docs/CLASSIFIER.md, "Rows"); WORK (about 3 GiB) takes the packages that are only read, never installed.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 2 ] || {
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2
}
data=$1
work=$(mkdir -p "$2" && cd "$2" && pwd)
build=${BARTIZAN_BUILD:-build}
packages=(anarchism apache2-doc aptitude-doc-{cs,es,fi,fr,it,nl} bible-kjv-text debian-faq{,-de,-fr,-it,-ja,-ko,-nl,-pt,-ru,-zh-cn}
    debian-handbook debian-reference-{de,en,es,id,pt} developers-reference{,-de,-fr,-ja} dict-{devil,foldoc,jargon} doc-debian elpa-org
    exim4-doc-html fortunes{,-bg,-br,-cs,-de,-eo,-es,-ga,-it,-min,-pl,-ru,-zh} freedroidrpg-data git-doc gtypist installation-guide-amd64
    klavaro krb5-doc linux-doc lynx manpages-{cs,da,de,el,es,fi,fr,hu,id,it,ja,nl,pl,pt-br,ro,ru,sv,tr,uk,vi,zh} mutt nethack-common
    nodejs-doc open-adventure perl-doc postgresql-doc-15 python3.11-doc r-doc-html samba-common sqlite3-doc tuxtype-data vim-runtime
    wesnoth-1.16-data wordnet-base)
mkdir -p "$work/debs" "$work/root"
for package in "${packages[@]}"; do
    (cd "$work/debs" && { compgen -G "${package}_*" >/dev/null || apt-get download -qq "$package" || echo "left out: $package" >&2; })
done
for deb in "$work"/debs/*.deb; do
    dpkg -x "$deb" "$work/root"
done
ninja -C "$build" tools/train-classifier
python3 tools/train-corpus.py / "$work/root" >"$work/corpus.jsonl"
python3 tools/train-mix.py "$data" "$work/corpus.jsonl" "$work/rows"
"$build/tools/train-classifier" train "$work/classifier.bin" "$work/rows/mix.jsonl"
cp "$work/classifier.bin" src/injection/classifier.bin
