"""The section `data` of bartizan.yaml: check and explain, what a reload takes and refuses, the compiled detectors, approvals."""
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from harness import BARTIZAN, HANG_S, ROOT, Instance, Upstream, backend, wait_for

BASE = 'version: 1\nlisten: 127.0.0.1:8443\nbackends:\n  - {name: a, type: vllm, url: "http://127.0.0.1:1"}\n'
DATA = """data:
  custom:
    - {name: PROJECT_NAMES, words: [Falcon, "Blue Harbour"], level: RESTRICTED}
    - {name: CASE_NUMBER, pattern: "CASE-[0-9]{6}", level: INTERNAL}
    - {name: HOUSE_MARK, words: [Vorstandssache], label: true, level: RESTRICTED}
  rules:
    - {types: [CASE_NUMBER, TLP], direction: request, action: restore, roles: [user], level: INTERNAL, form: true}
    - {types: [custom], action: block, direction: reply}
    - {types: [PROJECT_NAMES], action: coach}
    - {types: [PROJECT_NAMES], action: allow, direction: reply}
"""


def run(*args, **kw):
    return subprocess.run([BARTIZAN] + [str(a) for a in args], capture_output=True, text=True, timeout=HANG_S, **kw)


class File(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-"))
        self.file = self.tmp / "c.yaml"

    def tearDown(self):
        shutil.rmtree(self.tmp)

    def write(self, data):
        self.file.write_text(BASE + data)
        return self.file

    def explain(self, *more):
        r = run("policy", "explain", "--config", self.file, *more)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r.stdout

    def test_errors_have_line_and_column(self):
        for data, place, words in [
                ("data: {rules: [{types: [PROJEKT], action: mask}]}\n", "5:25", "no known type"),
                ("data:\n  rules:\n    - {types: [pii], action: coach, direction: reply}\n", "7:48", "another rule"),
                ('data:\n  custom:\n    - {name: AA, words: [ab]}\n    - {name: BB, pattern: "a("}\n', "8:27", "pattern"),
                ('data:\n  custom:\n    - {name: AA, pattern: "a.*"}\n', "7:27", "pattern"),
                ("tools: [{name: a, clearance: HIGH}]\n", "5:30", "no level"),
                ('tools:\n  - {name: "a*", clearance: PUBLIC}\n  - {name: "a*", clearance: PUBLIC}\n', "7:12", "already"),
                ("models: [{name: a, clearance: HIGH}]\n", "5:31", "no level")]:
            r = run("policy", "check", self.write(data))
            self.assertEqual(r.returncode, 1, data)
            self.assertRegex(r.stderr, r"c\.yaml:%s: .*%s" % (place, words))
            j = json.loads(run("policy", "check", self.file, "--json").stdout)
            self.assertEqual((j["ok"], j["errors_total"], "%d:%d" % (j["errors"][0]["line"], j["errors"][0]["column"])),
                             (False, 1, place))
        self.assertEqual(run("policy", "check", self.write(DATA)).returncode, 0)

    def test_examples_of_the_documentation(self):
        text = (ROOT / "docs/CONFIGURATION.md").read_text()
        examples = [x.split("```")[0] for x in text.split("```yaml\n")[1:]]
        self.assertGreaterEqual(len(examples), 3)
        for example in examples:
            if example.startswith("version:"):
                self.file.write_text(example)
            else:
                self.write(example)
            r = run("policy", "check", self.file)
            self.assertEqual(r.returncode, 0, r.stderr)
            d = json.loads(self.explain("--json"))["data"]
            self.assertTrue(all(x["decides"] for x in d["rules"]), example)

    def test_defaults_are_explained(self):
        self.write("")
        j = json.loads(self.explain("--json"))
        self.assertTrue(j["routes"])
        d = j["data"]
        self.assertEqual((d["unknown_fields"], d["restore_s"], d["hold_ms"], d["rules"]), ("refuse", 3600, 2000, []))
        self.assertEqual({r["name"]: r["clearance"] for r in d["roles"]}, {"user": "RESTRICTED", "admin": "RESTRICTED"})
        self.assertEqual(d["tools"], [])
        want = {("secret", "checksum"): ["mask", "record"], ("secret", "context"): ["mask", "record"], ("secret", "form"): ["record"],
                ("pii", "checksum"): ["restore", "record"], ("pii", "context"): ["record"], ("pii", "form"): ["record"],
                ("label", "checksum"): ["record"], ("label", "context"): ["record"], ("label", "form"): ["record"],
                ("placeholder", "form"): ["allow"]}
        self.assertGreater(len(d["types"]), 3)
        for t in d["types"]:
            for direction in ("request", "reply"):
                actions = [s["action"] for s in t[direction]]
                expected = [a.replace("restore", "mask") if direction == "reply" else a for a in want[t["class"], t["proof"]]]
                self.assertEqual(actions, expected, t)
                self.assertTrue(all(s["default"] for s in t[direction]))
        text = self.explain("--data")
        for t in d["types"]:
            self.assertRegex(text, r"[ :]%s[,\n]" % t["name"])
        self.assertIn("to change it", text)

    def test_tools_are_explained(self):
        self.write('tools:\n  - {name: web_archive, clearance: CONFIDENTIAL}\n  - {name: "web_*", clearance: "TLP:CLEAR"}\n')
        tools = json.loads(self.explain("--json"))["data"]["tools"]
        self.assertEqual([(t["name"], t["clearance"]) for t in tools], [("web_archive", "CONFIDENTIAL"), ("web_*", "PUBLIC")])
        self.assertEqual({(t["call"], t["effect"], t["egress"], t["schema"]) for t in tools}, {("allow", "write", True, False)})
        self.assertRegex(" ".join(self.explain("--data").split()), r"tool web_archive: CONFIDENTIAL; call: allow; effect: write; egress: true "
                         r"tool web_\*: PUBLIC; call: allow; effect: write; egress: true other tools: RESTRICTED; call: deny")

    def test_rules_are_explained(self):
        self.write(DATA)
        d = json.loads(self.explain("--json"))["data"]
        self.assertEqual([r["line"] for r in d["rules"]], [11, 12, 13, 14])
        self.assertEqual([r["decides"] for r in d["rules"]], [True, True, True, False])
        types = {t["name"]: t for t in d["types"]}
        case = types["CASE_NUMBER"]
        self.assertEqual([(s["action"], s.get("rule"), s.get("line")) for s in case["request"]], [("restore", 1, 11), ("record", None, None)])
        self.assertEqual((case["request"][0]["roles"], case["request"][0]["level"]), (["user"], "INTERNAL"))
        self.assertEqual([(s["action"], s["rule"]) for s in case["reply"]], [("block", 2)])
        self.assertEqual([s["action"] for s in types["PROJECT_NAMES"]["request"]], ["coach"])
        self.assertEqual(types["HOUSE_MARK"]["class"], "label")
        self.assertEqual([s["action"] for s in types["HOUSE_MARK"]["reply"]], ["record"])
        one = json.loads(self.explain("--type", "case_number", "--json"))
        self.assertEqual((list(one), [t["name"] for t in one["data"]["types"]]), (["data"], ["CASE_NUMBER"]))
        text = self.explain("--type", "CASE_NUMBER")
        self.assertIn("(rule 1, line 11)", text)
        self.assertIn("(default: ", text)
        self.assertIn("never decides", self.explain("--data"))

    def test_models_that_only_a_backend_can_know(self):
        self.write("models: [{name: alias, target: real}]\ndata: {rules: [{types: [pii], action: block, models: [alias, real, \"p*\", slip]}]}\n")
        self.assertEqual(json.loads(self.explain("--json"))["data"]["rules"][0]["unlisted_models"], ["slip"])
        self.assertIn("names no model slip", " ".join(self.explain("--data").split()))

    def test_bad_questions(self):
        self.write("")
        for args in ([], ["--config", self.file, "--key", "x"], ["--config", self.file, "--type", "NOPE"], [self.tmp],
                     ["--config", self.file, "--data", "--route", "GET /x"], ["--config", self.tmp / "none"], [self.tmp, "--config", self.file]):
            self.assertEqual(run("policy", "explain", *args).returncode, 2, args)
        self.write("data: {rules: 1}\n")
        self.assertEqual(run("policy", "explain", "--config", self.file).returncode, 1)

    def test_narrow_terminal(self):
        self.write(DATA)
        for columns in (40, 80):
            ours, theirs = pty.openpty()
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            p = subprocess.Popen([BARTIZAN, "policy", "explain", "--config", str(self.file), "--data"], stdout=theirs, close_fds=True)
            os.close(theirs)
            text = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError: # the other side closed
                    break
                if not part:
                    break
                text += part
            os.close(ours)
            self.assertEqual(p.wait(HANG_S), 0)
            lines = text.decode().replace("\r", "").split("\n")
            self.assertGreater(len(lines), 30)
            for line in lines: # one long word may stick out, nothing else
                self.assertTrue(len(line) <= columns or len(line.split()) == 1 or columns < 60 and len(line) <= 60, line)


class Running(unittest.TestCase):
    def setUp(self):
        self.up = Upstream().start()
        self.i = Instance([backend("one", "openai", "http://127.0.0.1:%d" % self.up.port, ["ok"])], extra=DATA).start()
        self.pack = self.i.dir / "run/detect.pack"

    def tearDown(self):
        self.i.close()
        self.up.stop()

    def call(self, method, path, body=None):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(HANG_S)
            s.connect(str(self.i.dir / "run/admin.sock"))
            data = json.dumps(body).encode() if body is not None else b""
            s.sendall(("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (method, path, len(data))).encode() + data)
            answer = b""
            while True:
                d = s.recv(65536)
                if not d:
                    break
                answer += d
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(rest)

    def generation(self):
        return self.call("GET", "/v1/status")[1]["generation"]

    def test_reload_takes_all_or_nothing(self):
        before = self.pack.stat()
        self.assertEqual(before.st_mode & 0o777, 0o600)
        generation = self.generation()
        good = self.i.extra
        self.i.extra = good.replace('"CASE-[0-9]{6}"', '"CASE-("')
        self.i.write_config()
        status, answer = self.call("POST", "/v1/reload")
        self.assertEqual((status, answer["error"]["code"]), (422, "config_refused"))
        line = self.i.config().split("\n").index(next(x for x in self.i.config().split("\n") if "CASE-(" in x)) + 1
        self.assertIn("line %d, column " % line, answer["error"]["message"])
        self.assertEqual(self.generation(), generation) # the old policy is in force
        self.assertEqual(self.i.chat("ok").status, 200)
        self.i.extra = good.replace("action: coach", "action: mask") # rules alone: nothing to compile
        self.i.write_config()
        self.assertEqual(self.call("POST", "/v1/reload")[0], 200)
        self.assertGreater(self.generation(), generation)
        self.assertEqual((self.pack.stat().st_ino, self.pack.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))
        self.i.extra = good.replace("Falcon", "Kestrel")
        self.i.write_config()
        self.assertEqual(self.call("POST", "/v1/reload")[0], 200)
        self.assertNotEqual(self.pack.stat().st_ino, before.st_ino)

    def test_pack_of_the_last_run_is_taken_and_a_damaged_one_replaced(self):
        before = self.pack.stat()
        self.i.stop()
        self.i.start()
        self.assertEqual((self.pack.stat().st_ino, self.pack.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))
        whole = self.pack.read_bytes()
        damages = [whole[:-1], b"", whole[:100], whole[:-20] + b"\0" + whole[-19:], b"x" + whole[1:], whole[:20] + b"\0\1" + whole[22:]]
        for damaged in damages:
            self.i.stop()
            self.pack.write_bytes(damaged)
            self.i.start()
            self.assertEqual(self.pack.read_bytes()[:72], whole[:72])
            self.assertEqual(len(self.pack.read_bytes()), len(whole))
        self.assertEqual(self.i.chat("ok").status, 200)

    def test_values_are_wiped_when_their_time_is_over(self):
        def write(entry, expires):
            with open(self.i.dir / "run/vault.shm", "r+b") as f:
                f.seek(512 + 512 * entry)
                f.write(b"n" * 16 + struct.pack("<QQ", expires, 9) + b"v" * 480)

        def read(entry):
            with open(self.i.dir / "run/vault.shm", "rb") as f:
                f.seek(512 + 512 * entry)
                return f.read(512)
        over, later = int(time.time()) - 1, int(time.time()) + 100000
        write(3, over)
        write(4, later)
        wait_for(lambda: read(3) == bytes(512))
        self.assertEqual(read(4)[:24], b"n" * 16 + struct.pack("<Q", later))
        self.i.stop() # also when it was over while nothing ran
        write(5, over)
        self.i.start()
        wait_for(lambda: read(5) == bytes(512))

    def test_approvals(self):
        one, two = "00112233445566778899aabbccddeeff", "ff" * 16
        now = int(time.time())
        generation = self.generation()
        status, made = self.call("POST", "/v1/approvals", {"id": one, "note": "the May offer"})
        self.assertEqual((status, made["id"], made["recorded"]), (201, one, True))
        self.assertGreater(made["generation"], generation)
        self.assertTrue(now + 86400 <= made["expires"] <= time.time() + 86400)
        self.assertEqual(self.call("POST", "/v1/approvals", {"id": two.upper(), "expires": now + 30 * 86400})[0], 201)
        for body in ({}, {"id": one[:-1]}, {"id": one + "00"}, {"id": "z" * 32}, {"id": 7}, {"id": one, "expires": now - 1}, {"id": one, "expires": "x"},
                     {"id": one, "expires": now + 30 * 86400 + 600}, {"id": one, "note": "n" * 201}, {"id": one, "surprise": 1}):
            status, answer = self.call("POST", "/v1/approvals", body)
            self.assertEqual(status, 400, body)
            self.assertTrue(answer["error"]["message"])
        self.i.stop()
        self.i.start()
        listed = self.call("GET", "/v1/approvals")[1]["approvals"]
        self.assertEqual([(a["id"], a["note"]) for a in listed], [(one, "the May offer"), (two, "")])
        self.assertEqual(listed[0]["by"], "uid %d" % os.getuid())
        self.assertEqual(self.call("POST", "/v1/approvals/%s/revoke" % one)[0], 200)
        self.assertEqual(self.call("POST", "/v1/approvals/%s/revoke" % one)[0], 404)
        self.assertEqual(self.call("POST", "/v1/approvals/xx/revoke")[0], 400)
        self.assertEqual(self.call("POST", "/v1/approvals", {"id": one, "expires": int(time.time()) + 4})[0], 201)
        wait_for(lambda: [a["id"] for a in self.call("GET", "/v1/approvals")[1]["approvals"]] == [two])

        def recorded():
            text = self.i.cli("audit", "tail", self.i.dir, "--json")
            return all(w in text for w in ("approval.add", "approval.revoke", one, "the May offer"))
        wait_for(recorded)


class Enforced(unittest.TestCase):
    """What the configuration says is what happens: who, to which model, in which text."""
    data = """models:
  - {name: low, target: ok, clearance: INTERNAL}
tools:
  - {name: "web_*", clearance: INTERNAL}
agent: {unlisted: allow}
roles:
  - {name: clerk, routes: ["*"], models: ["*"], clearance: PUBLIC}
data:
  custom:
    - {name: CASE_NUMBER, pattern: "CASE-[0-9]{6}", level: INTERNAL}
    - {name: PROJECT, words: [Falcon], level: RESTRICTED}
    - {name: NOTE, words: [Sparrow], level: PUBLIC}
  rules:
    - {types: [CASE_NUMBER], action: approve}
    - {types: [NOTE], action: block, roles: [admin]}
    - {types: [NOTE], action: block, models: [other], level: RESTRICTED}
    - {types: [NOTE], action: mask, direction: request}
"""

    @classmethod
    def setUpClass(cls):
        cls.up = Upstream().start()
        cls.i = Instance([backend("one", "openai", "http://127.0.0.1:%d" % cls.up.port, ["ok", "other"])], extra=cls.data).start()

    @classmethod
    def tearDownClass(cls):
        cls.i.close()
        cls.up.stop()

    call = Running.call

    def ask(self, text, model="other", **kw):
        return self.i.post("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": text}]}, **kw)

    def test_an_approval_is_for_one_body_and_can_be_taken_back(self):
        r = self.ask("about CASE-123456")
        self.assertEqual((r.status, r.code), (403, "approval_required"))
        name = re.search(r"\b[0-9a-f]{32}\b", r.json["error"]["message"]).group(0)
        self.assertEqual(self.call("POST", "/v1/approvals", {"id": name})[0], 201)
        wait_for(lambda: self.ask("about CASE-123456").status == 200)
        self.assertEqual(self.ask("about CASE-123457").status, 403)
        self.assertEqual(self.ask("about CASE-123456", key="admin").status, 403) # another owner's
        self.assertEqual(self.call("POST", "/v1/approvals/%s/revoke" % name)[0], 200)
        wait_for(lambda: self.ask("about CASE-123456").status == 403)

    def test_the_first_rule_that_fits_decides(self):
        self.assertEqual(self.ask("a Sparrow flies").status, 200)
        self.assertRegex(self.up.log[-1]["body"], r"a <NOTE_[a-z2-9]+> flies")
        self.assertEqual(self.ask("a Sparrow flies", key="admin").status, 403)
        self.assertEqual(self.ask("a Sparrow and a Falcon").status, 403) # the level of the whole text

    def test_clearances_of_tools(self):
        def offer(name, text):
            return self.i.post("/v1/chat/completions", {
                "model": "other", "messages": [{"role": "user", "content": text}],
                "tools": [{"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}]})
        r = offer("web_get", "the Falcon")
        self.assertEqual((r.status, r.code, r.json["error"]["param"]), (403, "label_above_clearance", "tools[0]"))
        self.assertEqual(offer("web_get", "nothing special").status, 200)
        self.assertEqual(offer("mail", "the Falcon").status, 200)

    def test_clearances(self):
        self.assertEqual(self.ask("the Falcon").status, 200)
        for model in ("low", "ok"): # one model under two names
            r = self.ask("the Falcon", model)
            self.assertEqual((r.status, r.code), (403, "label_above_clearance"))
            self.assertEqual(self.ask("nothing special", model).status, 200)
        clerk = self.i.new_key("carl", role="clerk")["key"]
        self.assertEqual(self.ask("the Falcon", key=clerk).status, 403)
        self.assertEqual(self.ask("nothing special", key=clerk).status, 200)


if __name__ == "__main__":
    unittest.main()
