#!/usr/bin/env python3
"""Writes pickles opcode by opcode, and ones that pickle itself writes; never loads any.

    make_pickles.py bad DIR     each runs a harmless marker when it is loaded, or is broken
    make_pickles.py good DIR    each is what Python's own types look like, in all protocols
    make_pickles.py seeds DIR   a small choice of both, for the fuzzer

The payload is os.getpid or a call with the word "mark": nothing happens if one is loaded by mistake.
"""
import argparse, array, base64, bz2, collections, datetime, decimal, fractions, functools, gzip, io, ipaddress, itertools
import lzma, operator, os, pathlib, pickle, random, re, string, struct, sys, types, uuid, zlib


def short(text):
    data = text.encode()
    return b"\x8c" + bytes([len(data)]) + data


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def stack(module, name):
    return short(module) + short(name) + b"\x93"


MARK_ARGS = b"(S'mark'\nt"
TARGETS = [
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("subprocess", "check_output"),
    ("builtins", "eval"), ("builtins", "exec"), ("__builtin__", "eval"), ("builtins", "__import__"), ("runpy", "run_path"),
    ("importlib", "import_module"), ("pty", "spawn"), ("code", "InteractiveInterpreter"), ("pickle", "loads"), ("marshal", "loads"),
    ("ctypes", "CDLL"), ("socket", "create_connection"), ("shutil", "rmtree"), ("builtins", "open"), ("webbrowser", "open"),
    ("torch.hub", "load"), ("numpy.f2py.crackfortran", "myeval"), ("pip._internal", "main"), ("timeit", "timeit"),
    ("multiprocessing.util", "spawnv_passfds"), ("asyncio", "create_subprocess_shell"), ("cProfile", "run"), ("pdb", "run"),
    ("torch.utils.collect_env", "run"), ("functools", "reduce"), ("operator", "setitem"), ("types", "FunctionType"),
]


def calls(module, name):
    """Every way to import and call one function."""
    g, s = glob(module, name), stack(module, name)
    proto = lambda n, body: b"\x80" + bytes([n]) + body
    yield "global-reduce-0", g + MARK_ARGS + b"R."
    yield "global-reduce-2", proto(2, g + b"X\x04\0\0\0mark\x85R.")
    yield "stack-reduce-4", proto(4, s + short("mark") + b"\x85R.")
    yield "stack-reduce-5", proto(5, s + short("mark") + b"\x85R.")
    yield "inst", b"(S'mark'\ni" + module.encode() + b"\n" + name.encode() + b"\n."
    yield "obj", b"(" + g + b"S'mark'\no."
    yield "newobj", proto(2, g + b")\x81.")
    yield "newobj-ex", proto(4, s + b")}\x92.")
    yield "memo", proto(4, short(module) + b"\x940" + short(name) + b"\x940h\0h\1\x93" + short("mark") + b"\x85R.")
    yield "escaped", b"V" + "".join("\\u%04x" % ord(c) for c in module).encode() + b"\nV" + name.encode() + b"\n\x93" + MARK_ARGS + b"R."
    yield "frame", proto(4, b"\x95" + struct.pack("<Q", len(s) + 8) + s + short("mark") + b"\x85R.")
    yield "second", proto(4, b"N.") + proto(4, s + short("mark") + b"\x85R.")
    yield "garbage", proto(4, s + short("mark") + b"\x85R\xff\xfe")
    yield "cut", proto(4, s + short("mark") + b"\x85R")
    yield "padded", proto(4, b"N0" * 3000 + s + short("mark") + b"\x85R.")
    yield "dropped", proto(4, s + short("mark") + b"\x85R0}.")
    yield "in-list", proto(4, b"](K\1" + s + short("mark") + b"\x85Re.")
    yield "path", proto(4, stack("sklearn", module + "." + name) + short("mark") + b"\x85R.")


def bad():
    for module, name in TARGETS:
        for how, data in calls(module, name):
            yield f"{module}.{name}-{how}", data
    evil = b"\x80\x04" + stack("os", "getpid") + b")R."
    yield "gzip", gzip.compress(evil, mtime=0)
    yield "zlib", zlib.compress(evil)
    yield "bz2", bz2.compress(evil)
    yield "xz", lzma.compress(evil)
    yield "lzma", lzma.compress(evil, format=lzma.FORMAT_ALONE)
    yield "zf", b"ZF" + hex(len(evil)).ljust(19).encode() + zlib.compress(evil)
    yield "twice", gzip.compress(bz2.compress(evil), mtime=0)
    yield "in-bytes", b"\x80\x04}" + short("w") + b"C" + bytes([len(evil)]) + evil + b"s."
    text = base64.b64encode(evil)
    yield "in-base64", b"\x80\x04\x8c" + bytes([len(text)]) + text + b"."
    yield "laughs", b"\x80\x04]Na\x940" + b"".join(b"](" + b"h" + bytes([i]) + (b"h" + bytes([i])) * 9 + b"e\x940" for i in range(12)) + b"N."
    yield "codecs", b"\x80\x04" + stack("_codecs", "decode") + short("bf") + short("rot13") + b"\x86R" + short("getpid") + b"\x93)R."
    yield "registry", b"\x80\x02" + glob("copyreg", "add_extension") + b"(X\2\0\0\0osX\6\0\0\0getpidK\7tR0\x82\7)R."
    yield "setstate", b"\x80\x04" + stack("collections", "OrderedDict") + b")R}" + short("__setstate__") + stack("builtins", "print") + b"sb."
    yield "npy", npy("|O", "(1,)") + evil
    yield "truncated", b"\x80\x04](K\1"
    yield "length", b"\x80\x04\x8e" + b"\xff" * 7 + b"\0"
    yield "npy-short", npy("<f8", "(100,)") + b"\0" * 8
    yield "npy-code", npy("<f8", "(__import__('os').getpid(),)")


def npy(descr, shape):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)).encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head


def good():
    values = {
        "numbers": [1, -1, 2 ** 40, -2 ** 70, 1.5, float("inf"), 1j, True, None, ...],
        "texts": ["", "x", "os.system('x')", "cos\nsystem\n(S'x'\ntR.", "\u1234", "__import__"],
        "bytes": [b"", b"\x00\xff" * 100, bytearray(b"abc")],
        "containers": [[], (), {}, set(), frozenset([1]), {"a": [1, (2, 3)]}, slice(1, 2), range(3)],
        "keys": {"os": 1, "system": 2, "__class__": 3, "__setstate__": 4, "append": 5},
        "dates": [datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc), datetime.date(2020, 1, 1), datetime.timedelta(1)],
        "decimal": [decimal.Decimal("1.5"), fractions.Fraction(1, 3)],
        "collections": [collections.OrderedDict(a=1), collections.Counter("aab"), collections.deque([1]), collections.defaultdict(list), collections.ChainMap({})],
        "paths": [pathlib.PurePosixPath("/a"), pathlib.PureWindowsPath("c:/a")],
        "ids": [uuid.UUID(int=5), ipaddress.ip_address("::1"), ipaddress.ip_network("10.0.0.0/8")],
        "array": array.array("d", [1, 2]),
        "re": re.compile("a+", re.I),
        "space": [types.SimpleNamespace(a=1), argparse.Namespace(b=2)],
        "random": random.Random(1),
        "partial": [functools.partial(int, base=2), operator.itemgetter(1), operator.attrgetter("real"), functools.partial(sorted, key=len)],
        "iterators": [iter([1]), enumerate("a"), zip([1], [2]), map(str, [1]), itertools.count(1), itertools.chain([1], [2])],
        "functions": [len, int, str, dict, sum, ValueError("x"), type(None), str.lower],
        "template": string.Template("$a"),
        "many": [{"id": i, "name": "n%d" % i, "at": (i, i + 1)} for i in range(500)],
    }
    for name, value in values.items():
        for proto in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                yield f"{name}-{proto}", pickle.dumps(value, proto)
            except (TypeError, pickle.PicklingError):
                continue  # this protocol cannot hold it
    yield "npy", npy("<f8", "(2, 3)") + b"\0" * 48
    yield "several", b"".join(pickle.dumps({"n": i}) for i in range(20))
    yield "gzip", gzip.compress(pickle.dumps([1, 2, 3]), mtime=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("bad", "good", "seeds"))
    parser.add_argument("dir")
    args = parser.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    if args.kind == "seeds":
        files = [(n, d) for n, d in list(bad())[:18] + list(bad())[-20:] if len(d) < 4096]
        files += [(n, d) for n, d in good() if n.endswith(("-0", "-2", "-4")) and len(d) < 600]
    else:
        files = bad() if args.kind == "bad" else good()
    for name, data in files:
        with open(os.path.join(args.dir, name), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    sys.exit(main())
