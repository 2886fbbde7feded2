#!/usr/bin/env python3
"""Benign texts for the injection classifier, from what a Debian system carries.

    train-corpus.py ROOT... > corpus.jsonl       ROOT: / or folders that packages were unpacked into

Manuals in many languages, documentation, mail archives and news, fortunes, headers, source code, licences, changelogs,
interface texts of translations, dictionaries, dialogues of games. Some packages are held out whole: they are measured
as text that training never saw. docs/CLASSIFIER.md names them, sizes and licences. Deterministic for the same files.
"""
import bz2
import gzip
import hashlib
import html
import json
import os
import random
import re
import struct
import sys
import zlib

# Per source: how many pieces at most, and the weight that all its rows together may have.
CAPS = {
    "manual-en": 3000, "manual-other": 6000, "doc": 4000, "changelog": 1200, "licence": 800, "html": 3000,
    "fortune": 3500, "header": 1500, "python": 2500, "script": 1500, "javascript": 800, "c": 1200, "interface-en": 5000,
    "interface-other": 9000, "wordnet": 4000, "dictionary": 1500, "dialogue": 5000, "config": 1000, "pydoc": 2500,
}
HELD_OUT = re.compile(
    r"/(git|git-man|postgresql[^/]*|sqlite3?[^/]*|nethack[^/]*|installation-guide[^/]*|openssl|openssh[^/]*|vim[^/]*"
    r"|krb5[^/]*|apache2[^/]*|r-base[^/]*|statsmodels|scipy|brasil|kids|perl-doc|people|literature|tuxtype|cmake[^/]*)(/|\.|$)")
SKIP = re.compile(r"garak|prompt-?inject|jailbreak|red-?team|llm", re.I)


def read(path, limit=400_000):
    try:
        if path.endswith(".gz") or path.endswith(".dz"):
            with gzip.open(path) as f:
                data = f.read(limit)
        elif path.endswith(".bz2"):
            with bz2.open(path) as f:
                data = f.read(limit)
        else:
            with open(path, "rb") as f:
                data = f.read(limit)
    except OSError:
        return ""
    except EOFError:
        return ""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        if e.start > len(data) - 4:
            return data[:e.start].decode("utf-8")
        if len(data) and sum(b > 126 for b in data) < len(data) / 8:
            return data.decode("latin-1")
        return ""


def troff(text):
    out = []
    for line in text.split("\n"):
        if line.startswith((".\\\"", "'\\\"", ".if", ".ie", ".el", ".de", ".ds", ".nr", "..")):
            continue
        if line.startswith("."):
            m = re.match(r"\.(SH|SS|TP|B|I|BR|IR|RB|RI|BI|IB|Nm|Nd|Sh|Ss|Ar|Fl|Pa|Cm|Dq|Ql|Xr|It)\b ?(.*)", line)
            line = m.group(2).replace('"', "") if m else ""
        line = re.sub(r"\\f(\[[A-Z]*\]|\(..|.)", "", line)
        line = re.sub(r"\\\*\(..|\\s[-+]?\d", "", line)
        line = re.sub(r"\\\((..)", lambda m: {"aq": "'", "cq": "'", "lq": '"', "rq": '"', "oq": "`", "em": "-",
                                              "en": "-", "bu": "*", "co": "(c)"}.get(m.group(1), " "), line)
        line = line.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\").replace("\\ ", " ").replace("\\(aq", "'")
        out.append(re.sub(r"\\[%|^/,:]", "", line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out))


def unhtml(text):
    text = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", " ", text)
    text = re.sub(r"(?i)<(p|br|li|tr|h\d|div|pre)\b[^>]*>", "\n", text)
    text = html.unescape(re.sub(r"(?s)<[^>]*>", "", text))
    return re.sub(r"\n\s*\n+", "\n\n", re.sub(r"[ \t]+", " ", text)).strip()


def messages(path):
    """Pairs of a .mo file."""
    try:
        with open(path, "rb") as f:
            b = f.read()
        magic = struct.unpack("<I", b[:4])[0]
        order = "<" if magic == 0x950412DE else ">"
        _, n, o, t = struct.unpack(order + "4I", b[4:20])
        for i in range(n):
            ln, off = struct.unpack_from(order + "2I", b, o + 8 * i)
            lt, oft = struct.unpack_from(order + "2I", b, t + 8 * i)
            yield b[off:off + ln].decode("utf-8"), b[oft:oft + lt].decode("utf-8")
    except (OSError, struct.error, UnicodeDecodeError):
        return


class Collector:
    def __init__(self):
        self.rnd = random.Random(7)
        self.have = {}  # source -> list of (text, held, document, lang)
        self.seen = set()

    def add(self, source, text, held=False, document=True, lang="en"):
        text = text.strip()
        if len(text) < 12 or SKIP.search(text) or "\ufffd" in text or "\0" in text:
            return
        digest = hashlib.blake2b(" ".join(text.lower().split()).encode("utf-8", "replace"), digest_size=8).digest()
        if digest in self.seen:
            return
        self.seen.add(digest)
        self.have.setdefault((source, held), []).append((text, document, lang))

    def pieces(self, source, text, held=False, document=True, lang="en", most=6):
        """Cuts a document at blank lines into pieces of very different lengths."""
        paragraphs = [p for p in re.split(r"\n\s*\n", text) if len(p.strip()) > 20]
        if not paragraphs:
            return
        for _ in range(most):
            size = int(60 * 2 ** (self.rnd.random() * 6))  # 60 to 3840 characters
            i = self.rnd.randrange(len(paragraphs))
            piece = ""
            while i < len(paragraphs) and len(piece) < size:
                piece += paragraphs[i] + "\n\n"
                i += 1
            self.add(source, piece[:max(size, 200)], held, document, lang)


def language_of(path):
    m = re.search(r"/(?:man|locale)/([a-z]{2}(?:_[A-Z]{2})?)(?:[.@][^/]*)?/", path)
    return m.group(1) if m else "en"


def collect_file(c, path, name):
    held = HELD_OUT.search(path) is not None or (name.endswith(".mo") and zlib.crc32(name.encode()) % 8 == 0)
    low = name.lower()
    if "/man/" in path and re.search(r"\.\d[a-z]*(\.gz)?$", low):
        lang = language_of(path)
        c.pieces("manual-en" if lang == "en" else "manual-other", troff(read(path)), held, True, lang, 3)
    elif "/fortunes/" in path and not low.endswith((".dat", ".u8")):
        for f in re.split(r"\n%+\n", read(path, 2_000_000)):
            if len(f) < 3000:
                c.add("fortune", f, held, False, "multi")
    elif low.endswith(".mo") and "/LC_MESSAGES/" in path:
        lang = language_of(path)
        game = "wesnoth" in path or "freedroid" in path
        found = [(a, b) for a, b in messages(path) if len(b) >= 16]
        c.rnd.shuffle(found)
        for a, b in found[:120 if game else 12]:
            b = re.sub(r"<[^>]*>", "", b.split("\0")[-1].replace("_", "").replace("&", ""))
            c.add("dialogue" if game else "interface-other", b, held, False, lang)
            if game and len(a) >= 16 or c.rnd.random() < 0.3:
                c.add("dialogue" if game else "interface-en", re.sub(r"<[^>]*>", "", a.split("\4")[-1].split("\0")[0]), held, False)
    elif low.startswith("copyright") or low in ("copying", "licence", "license", "license.txt", "license.md"):
        c.pieces("licence", read(path), held, most=2)
    elif "changelog" in low or low.startswith("news") or low.startswith("changes"):
        c.pieces("changelog", read(path), held, most=2)
    elif low.endswith((".html", ".htm", ".html.gz")):
        m = re.search(r"[./]([a-z]{2}(?:-[a-z]{2})?)\.html", path)
        c.pieces("html", unhtml(read(path)), held, True, m.group(1) if m else "en", 3)
    elif low.endswith(".h"):
        c.pieces("header", read(path, 60_000), held, most=1)
    elif low.endswith(".py"):
        text = read(path, 80_000)
        c.pieces("python", text, held, most=2)
        for d in re.findall(r'"""(.{80,1500}?)"""', text, re.S)[:3]:
            c.add("pydoc", d, held)
    elif low.endswith((".sh", ".pl", ".pm", ".awk", ".tcl")):
        c.pieces("script", read(path, 60_000), held, most=2)
    elif low.endswith((".js", ".mjs", ".ts")):
        text = read(path, 60_000)
        if text and max(map(len, text.split("\n"))) < 400:
            c.pieces("javascript", text, held, most=1)
    elif low.endswith((".c", ".cc", ".rs", ".go")):
        c.pieces("c", read(path, 60_000), held, most=1)
    elif low.endswith((".conf", ".cfg", ".ini", ".yaml", ".yml", ".toml", ".json", ".service", ".xml")):
        c.pieces("config", read(path, 40_000), held, most=1)
    elif low.endswith((".txt", ".txt.gz", ".md", ".rst", ".org")) or low.startswith(("readme", "faq", "todo", "howto", "authors")):
        c.pieces("doc", read(path), held, most=3)


def collect_special(c, root):
    for kind in ("noun", "verb", "adj", "adv"):
        for line in read(f"{root}/usr/share/wordnet/data.{kind}", 20_000_000).split("\n"):
            if "|" in line and c.rnd.random() < 0.06:
                c.add("wordnet", line.split("|", 1)[1], False, False)
    for name in ("jargon", "foldoc", "devil"):
        for d in re.split(r"\n(?=\S)", read(f"{root}/usr/share/dictd/{name}.dict.dz", 8_000_000)):
            if 40 < len(d) < 3000:
                c.add("dictionary", re.sub(r"\s+", " ", d), name == "devil", False)


def main():
    c = Collector()
    for root in sys.argv[1:]:
        root = root.rstrip("/")
        for top in ("usr/share", "usr/include", "usr/lib", "etc"):
            for folder, folders, files in os.walk(f"{root}/{top}"):
                folders[:] = sorted(f for f in folders if not os.path.islink(f"{folder}/{f}") and f not in
                                    ("package-lists", "zoneinfo", "node_modules", "google-cloud-sdk", "fonts", "icons", "terminfo"))
                names = sorted(files)
                if len(names) > 60:
                    names = c.rnd.sample(names, 60 if "man3" not in folder else 30)
                for name in names:
                    path = f"{folder}/{name}"
                    if os.path.isfile(path) and not os.path.islink(path) and not SKIP.search(path):
                        collect_file(c, path, name)
        collect_special(c, root)
    for (source, held), rows in sorted(c.have.items()):
        c.rnd.shuffle(rows)
        for text, document, lang in rows[:CAPS[source] // (3 if held else 1)]:
            valid = hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] % 10 == 0
            print(json.dumps({"text": text, "label": 0, "source": "deb-" + source, "lang": lang,
                              "split": "held" if held else "valid" if valid else "train", "document": int(document)},
                             ensure_ascii=True))


if __name__ == "__main__":
    main()
