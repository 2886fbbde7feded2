"""What `bartizan scan` costs: whole processes, files in the page cache, medians. Makes its own files (4 GB in $TMPDIR), and runs
picklescan, modelscan, fickling and modelaudit on the same ones where they are installed. --quick: a sixteenth of the size."""
import json
import os
import pathlib
import pickle
import random
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BARTIZAN = str(pathlib.Path(os.environ.get("BARTIZAN_BUILD") or ROOT / "build").resolve() / "bartizan")
QUICK = "--quick" in sys.argv
TENSORS, EACH = 16, (4 if QUICK else 64) << 20
CAP_S = 75
BLOCK = random.Random(1).randbytes(1 << 20)


def fill(f, n):
    for _ in range(n // len(BLOCK)):
        f.write(BLOCK)


def safetensors(path):
    header = json.dumps({"layers.%d.weight" % i: {"dtype": "F32", "shape": [EACH // 4], "data_offsets": [i * EACH, (i + 1) * EACH]}
                         for i in range(TENSORS)}).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header)
        fill(f, TENSORS * EACH)


def gguf(path):
    def text(s):
        return struct.pack("<Q", len(s)) + s.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, TENSORS, 1) + text("general.architecture") + struct.pack("<I", 8) + text("llama")
    for i in range(TENSORS):
        head += text("blk.%d.weight" % i) + struct.pack("<IQIQ", 1, EACH // 4, 0, i * EACH)
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % 32))
        fill(f, TENSORS * EACH)


def state_dict():
    """What torch.save writes for a dictionary of float tensors."""
    def text(s):
        return b"X" + struct.pack("<I", len(s)) + s.encode()

    def number(n):
        return b"J" + struct.pack("<i", n)

    p = b"\x80\x02}("
    for i in range(TENSORS):
        storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(i)) + text("cpu") + number(EACH // 4) + b"tQ"
        p += text("layers.%d.weight" % i) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + number(EACH // 4)
        p += b"\x85" + number(1) + b"\x85\x89ccollections\nOrderedDict\n)RtR"
    return p + b"u."


def torch_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
        z.writestr("archive/data.pkl", state_dict())
        z.writestr("archive/byteorder", "little")
        for i in range(TENSORS):
            with z.open("archive/data/%d" % i, "w") as f:
                fill(f, EACH)
        z.writestr("archive/version", "3\n")


def opcodes(path):
    """Nothing but small opcodes: pairs of numbers, appended by the thousand, as pickle.dumps writes lists."""
    size = (4 if QUICK else 64) << 20
    with open(path, "wb") as f:
        f.write(b"\x80\x02]")
        step = b"(" + b"".join(b"K" + bytes([i % 256]) + b"K\x01\x86" for i in range(1000)) + b"e"
        for _ in range(size // len(step)):
            f.write(step)
        f.write(b".")


def many(path):
    path.mkdir()
    for i in range(5000):
        folder = path / ("d%02d" % (i % 50))
        folder.mkdir(exist_ok=True)
        name = folder / ("f%d" % i)
        if i % 4 == 0:
            name.write_bytes(pickle.dumps({"weights": list(range(100)), "name": "x" * 50}))
        elif i % 4 == 1:
            h = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
            name.write_bytes(struct.pack("<Q", len(h)) + h + bytes(16))
        elif i % 4 == 2:
            name.write_text(json.dumps({"model_type": "llama", "hidden_size": i}))
        else:
            with zipfile.ZipFile(name, "w") as z:
                z.writestr("archive/data.pkl", pickle.dumps({"step": i}, 2))
                z.writestr("archive/version", "3\n")


def small_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(5000):
            z.writestr("d%d/%d.txt" % (i % 50, i), "text %d\n" % i)


def once(command):
    """Seconds, MB (of the largest process; never below this one's own, which the kernel counts in), exit code, CPU seconds."""
    begin = time.perf_counter()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - begin, usage.ru_maxrss / 1024, p.returncode, usage.ru_utime + usage.ru_stime


def peer_once(command):
    begin = time.perf_counter()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        p.wait(CAP_S)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
        return CAP_S, None, "cap"
    return time.perf_counter() - begin, None, p.returncode


def median(command, rounds):
    runs = [once(command) for _ in range(rounds)]
    return (statistics.median(r[0] for r in runs), max(r[1] for r in runs), runs[0][2], statistics.median(r[3] for r in runs))


def sha_rate():
    r = subprocess.run(["openssl", "speed", "-seconds", "1", "-bytes", "16384", "sha256"], capture_output=True, text=True)
    return float(r.stdout.split()[-1].rstrip("k")) * 1000


PEERS = {"picklescan": ["picklescan", "-p"], "modelscan": ["modelscan", "-p"], "fickling": ["fickling", "--check-safety"],
         "modelaudit": ["modelaudit", "scan"]}


def main():
    peers = {k: v for k, v in PEERS.items() if shutil.which(v[0])}
    print("peers installed: %s" % (", ".join(peers) or "none"))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="bz-scan-bench-") as d:
        d = pathlib.Path(d)
        made = {"small pickle": d / "small.pkl", "safetensors": d / "m.safetensors", "gguf": d / "m.gguf", "torch zip": d / "m.pt",
                "opcode-heavy pickle": d / "ops.pkl", "zip of 5,000 entries": d / "many.zip", "folder of 5,000 files": d / "many"}
        made["small pickle"].write_bytes(pickle.dumps({"weights": list(range(100)), "name": "x" * 50}))
        safetensors(made["safetensors"])
        gguf(made["gguf"])
        torch_zip(made["torch zip"])
        opcodes(made["opcode-heavy pickle"])
        small_zip(made["zip of 5,000 entries"])
        many(made["folder of 5,000 files"])
        rate = sha_rate()
        print("SHA-256 of this machine (openssl speed, 16 KB): %.0f MB/s\n" % (rate / 1e6))
        print("%-22s %10s %10s %8s %6s  %s" % ("", "ms", "CPU ms", "MB RSS", "exit", ""))
        floor = median(["/bin/true"], 100)
        print("%-22s %10.2f %10.2f %8.1f %6d  %s" % ("/bin/true", floor[0] * 1e3, floor[3] * 1e3, floor[1], floor[2], "the floor"))
        for name, path in made.items():
            report(name, path, rate, peers)


def report(name, path, rate, peers):
    big = name in ("safetensors", "gguf", "torch zip")
    t, rss, rc, cpu = median([BARTIZAN, "scan", "--no-progress", str(path)], 100 if name == "small pickle" else 11)
    note = ""
    if name == "opcode-heavy pickle":
        note = "%.0f MB/s" % (path.stat().st_size / t / 1e6)
    elif name == "folder of 5,000 files":
        note = "%.0f files/s" % (5000 / t)
    print("%-22s %10.2f %10.2f %8.1f %6d  %s" % (name, t * 1e3, cpu * 1e3, rss, rc, note))
    if big:
        t, rss, rc, cpu = median([BARTIZAN, "scan", "--no-progress", "--hash", str(path)], 5)
        speed = path.stat().st_size / t
        print("%-22s %10.2f %10.2f %8.1f %6d  %.0f MB/s, %.2f of SHA-256" %
              ("  and its SHA-256", t * 1e3, cpu * 1e3, rss, rc, speed / 1e6, speed / rate))
    for peer, command in peers.items():
        t, _, rc = peer_once(command + [str(path)])
        print("%-22s %10.2f %10s %8s %6s" % ("  " + peer, t * 1e3, "", "", rc))


if __name__ == "__main__":
    main()
