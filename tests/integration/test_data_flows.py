"""Data protection when rules say no, when policy changes, and on bad days: killed workers, damaged files, streams that stop."""
import contextlib
import hashlib
import json
import os
import struct
import unittest

from echo_upstream import PLACEHOLDER
from harness import wait_for
from test_data import APIS, CARD
import test_data

RULES = """data:
  hold_ms: %d
  unknown_fields: %s
  custom:
    - {name: STOP_WORD, words: [Basilisk]}
    - {name: COACH_WORD, words: [Cormorant]}
    - {name: MASK_WORD, words: [Falcon]}
    - {name: BOARD, words: [Vorstandssache], label: true, level: RESTRICTED}
  rules:
    - {types: [STOP_WORD], action: block}
    - {types: [COACH_WORD], action: coach}
    - {types: [MASK_WORD], action: %s}
roles:
  - {name: clerk, routes: ["*"], models: ["*"], clearance: INTERNAL}
"""
RESTORE = RULES % (60000, "refuse", "restore")


class Refused(test_data.Echoing):
    extra = RESTORE

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls.i.new_key("carl", role="clerk")["key"]

    def error_of(self, body):
        """The error in a reply or at the end of a stream: everything that an SDK shows."""
        return json.loads(body)["error"]

    def test_blocked_requests(self):
        for name, api in APIS.items():
            for stream in (False, True):
                with self.subTest(api=name, stream=stream):
                    r = self.i.post(api.path, api.body("the Basilisk file", stream))
                    self.assertEqual(r.status, 403, r)
                    text = r.body.decode()
                    self.assertTrue("data_blocked" in text or "STOP_WORD" in text, text)
                    self.assertNotIn("Basilisk", text)
                    self.assertEqual(self.up.log, [])
        self.assertIn("request:STOP_WORD:block:1", json.dumps(self.i.export()))

    def test_blocked_replies(self):
        for name, api in APIS.items():
            self.up.reset()
            self.up.say = lambda q: "one two Basilisk three"
            with self.subTest(api=name):
                r = self.i.post(api.path, api.body("hello", False))
                self.assertEqual(r.status, 403, r)
                self.assertNotIn(b"Basilisk", r.body)
                self.assertNotIn(b"one two", r.body)
            for self.up.size in (0, 1, 3, 7):
                with self.subTest(api=name, size=self.up.size):
                    r = self.ask(api, "hello", True)
                    self.assertNotIn(b"asilisk", r.body)
                    self.assertNotIn(b"three", r.body)
                    self.assertIn(b"Policy does not let this reply pass", r.body)
                    last = r.body.rstrip(b"\n").split(b"\n")[-1]
                    self.assertIn(b"Policy does not let this reply pass", last) # nothing follows
                    before = r.body[:r.body.index(last)].removesuffix(b"event: error\n")
                    self.assertEqual(api.stream(before), "one two ")
        self.assertIn("reply:STOP_WORD:block:1", json.dumps(self.i.export()))

    def test_coached(self):
        api = APIS["chat"]
        r = self.i.post(api.path, api.body("a Cormorant", False))
        self.assertEqual((r.status, r.code), (403, "justification_required"))
        self.assertIn("x-bartizan-justification", r.json["error"]["message"])
        self.assertEqual(self.up.log, [])
        self.ask(api, "a Cormorant", headers={"x-bartizan-justification": "bird survey of May"})
        self.assertIn("a Cormorant", self.got())
        self.assertIn("request:COACH_WORD:coach:1", json.dumps(self.i.export()))

    def test_labels(self):
        api = APIS["chat"]
        self.ask(api, "hello", headers={"x-bartizan-label": "TLP:RED"})
        for kw in ({"headers": {"x-bartizan-label": "TLP:RED"}}, {"headers": {"x-bartizan-label": "confidential"}}):
            r = self.i.post(api.path, api.body("hello", False), key=self.clerk, **kw)
            self.assertEqual((r.status, r.code), (403, "label_above_clearance"), kw)
        r = self.i.post(api.path, api.body("a Vorstandssache", False), key=self.clerk)
        self.assertEqual((r.status, r.code), (403, "label_above_clearance"))
        self.ask(api, "hello", headers={"x-bartizan-label": "TLP:GREEN"}, key=self.clerk)
        self.up.reset()
        self.up.say = lambda q: "of the Vorstandssache 7"
        self.assertEqual(self.answer(api, "hello"), "of the Vorstandssache 7")
        for stream in (False, True):
            r = self.i.post(api.path, api.body("hello", stream), key=self.clerk)
            self.assertEqual(r.status, 200 if stream else 403)
            self.assertIn(b"label_above_clearance", r.body)
            self.assertNotIn(b"Vorstandssache", r.body)

    def test_members_that_nobody_knows(self):
        def shape(q, parts):
            base = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "surprise": {"deep": ["the card %s" % CARD]}}
            if not q.stream:
                return base | {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}]}
            return [b"data: " + json.dumps(base | {"choices": [{"index": 0, "delta": {"content": "x"}}]}).encode() + b"\n\n", b"data: [DONE]\n\n"]
        api = APIS["chat"]
        for stream in (False, True):
            self.up.shape = shape
            r = self.i.post(api.path, api.body("hello", stream))
            self.assertEqual(r.status, 200 if stream else 502, r)
            self.assertIn(b"upstream_unknown_field", r.body)
            self.assertNotIn(CARD.encode(), r.body)
        self.up.clear()
        r = self.i.post(api.path, api.body("hello", False) | {"surprise": "Basilisk"})
        self.assertEqual((r.status, self.up.log), (400, []))


class Open(test_data.Echoing):
    extra = RULES % (100, "text", "restore")

    def test_unknown_members_are_screened(self):
        def shape(q, parts):
            base = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "surprise": {"deep": ["the card %s" % CARD]}}
            if not q.stream:
                return base | {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}]}
            return [b"data: " + json.dumps(base | {"choices": [{"index": 0, "delta": {"content": "x"}}]}).encode() + b"\n\n", b"data: [DONE]\n\n"]
        self.up.shape = shape
        for stream in (False, True):
            body = self.ask(APIS["chat"], "hello", stream).body
            self.assertNotIn(CARD.encode(), body)
            self.assertIn(b"the card <CREDIT_CARD_", body)

    def test_a_stream_that_stops_gives_what_it_has(self):
        """The model stops in the middle of what may become a match; after hold_ms the text goes on to the client."""
        api = APIS["chat"]
        self.up.say = lambda q: "the Falcon flies"
        self.up.size, self.up.stop_before = 7, 1 # "the Fal", pause, "con fli", "es"
        s = self.i.stream("m")
        first = s.read_event()
        self.assertEqual(api.stream(first), "the Fal")
        self.up.step()
        rest = b"".join(s.events())
        s.close()
        self.assertEqual(api.stream(rest), "con flies") # decided as it was

    def test_quiet_text_does_not_wait_for_the_rest(self):
        self.up.say = lambda q: "hello, there is nothing in this. And more."
        self.up.size, self.up.stop_before = 33, 1
        s = self.i.stream("m")
        self.assertTrue(APIS["chat"].stream(s.read_event()))
        self.up.step()
        list(s.events())
        s.close()


class Changes(test_data.Echoing):
    extra = RULES % (60000, "refuse", "restore")

    def policy(self, action):
        self.i.extra = RULES % (60000, "refuse", action)
        self.i.write_config()
        self.i.cli("reload", self.i.dir)

    def test_a_reload_is_for_the_next_request(self):
        api = APIS["chat"]
        self.up.say = lambda q: "Falcon"
        for action, request in (("mask", "<MASK_WORD_"), ("allow", "Falcon"), ("block", None), ("restore", "<MASK_WORD_")):
            self.policy(action)
            self.up.clear()
            r = self.i.post(api.path, api.body("the Falcon", False))
            self.assertEqual(r.status, 200 if request else 403, (action, r))
            if request:
                self.assertIn("the " + request, self.got())

    def test_open_streams_keep_theirs(self):
        self.policy("allow")
        self.up.say = lambda q: "a Falcon, a Falcon, a Falcon, a Falcon."
        self.up.size, self.up.stop_before = 10, 2
        s = self.i.stream("m")
        data = s.read_event()
        self.policy("mask")
        self.up.step()
        data += b"".join(s.events())
        s.close()
        self.assertEqual(APIS["chat"].stream(data), self.up.say(None))
        self.policy("restore")

    def test_values_outlive_a_restart(self):
        api = APIS["chat"]
        self.ask(api, "Pay with %s" % CARD)
        placeholder = PLACEHOLDER.search(self.got()).group(0)
        self.i.stop()
        self.i.start()
        self.up.say = lambda q: placeholder
        for stream in (False, True):
            self.assertEqual(self.answer(api, "hello", stream), CARD)

    def test_a_worker_killed_in_mid_stream(self):
        api = APIS["chat"]
        self.ask(api, "Pay with %s" % CARD)
        placeholder = PLACEHOLDER.search(self.got()).group(0)
        self.up.say = lambda q: "and so it is %s, for ever" % placeholder
        self.up.size, self.up.stop_before = 5, 4 # within the placeholder
        s = self.i.stream("m")
        self.assertEqual(api.stream(s.read_event()), "and s")
        self.i.kill("worker")
        with contextlib.suppress(OSError, Exception): # however the connection ends: nothing unmasked, nothing restored twice
            data = b"".join(s.events())
            self.assertNotIn(b"[DONE]", data)
        s.close()
        self.up.reset()
        self.up.say = lambda q: placeholder

        def again():
            with contextlib.suppress(OSError):
                return self.i.post(api.path, api.body("hello", False)).status == 200
        wait_for(again)
        self.assertEqual(self.answer(api, "hello", True), CARD)

    def test_a_damaged_vault_masks_all_the_same(self):
        api = APIS["chat"]
        vault = self.i.dir / "run/vault.shm"
        self.ask(api, "Pay with %s" % CARD)
        placeholder = PLACEHOLDER.search(self.got()).group(0)
        size = vault.stat().st_size

        def damage_entries():
            with open(vault, "r+b") as f:
                f.seek(512)
                f.write(os.urandom(size - 512))
        damages = [lambda: vault.write_bytes(b""), lambda: vault.write_bytes(os.urandom(size)), vault.unlink, lambda: vault.write_bytes(b"x" * 100),
                   damage_entries]
        for damage in damages:
            self.i.stop()
            damage()
            self.i.start()
            self.up.reset()
            self.up.say = lambda q: placeholder
            for stream in (False, True):
                self.assertEqual(self.answer(api, "hello", stream), placeholder) # of nobody now
            self.up.reset()
            self.assertIn(CARD, self.answer(api, "Pay with %s" % CARD, True)) # and what is said again comes back
            self.sees_none(CARD)

    def test_entries_damaged_under_a_running_gateway(self):
        api = APIS["chat"]
        self.ask(api, "Pay with %s" % CARD)
        placeholder = PLACEHOLDER.search(self.got()).group(0)
        vault = self.i.dir / "run/vault.shm"
        with open(vault, "r+b") as f:
            f.seek(512)
            f.write(os.urandom(vault.stat().st_size - 512))
        self.up.say = lambda q: placeholder
        self.assertEqual(self.answer(api, "hello"), placeholder)
        self.up.reset()
        self.assertIn(CARD, self.answer(api, "Pay with %s" % CARD))
        self.sees_none(CARD)

    def test_detectors_that_do_not_open(self):
        """The pack in the image is damaged in a way that the image's own seal does not show: nothing passes unscreened."""
        image = self.i.dir / "run/policy.img"
        whole = image.read_bytes()
        parts = (struct.unpack_from("<Q", whole, 264)[0] - 264) // 16 # the first part begins where the head ends
        pack, n = struct.unpack_from("<QQ", whole, 264 + (parts - 4) * 16) # three parts of keys follow
        end = struct.unpack_from("<Q", whole, 56)[0]
        self.assertEqual(whole[16:48], self.seal(whole[48:end]))
        bad = bytearray(whole)
        for i in range(pack, pack + n, 97):
            bad[i] ^= 0x5a
        bad[16:48] = self.seal(bytes(bad[48:end]))
        def publish(data): # not in place: the workers have it mapped
            new = image.with_suffix(".new")
            new.write_bytes(data)
            new.rename(image)
            self.i.kill("worker")
        try:
            publish(bad)

            def refused():
                with contextlib.suppress(OSError):
                    r = self.i.post("/v1/chat/completions", APIS["chat"].body("Pay with %s" % CARD, False))
                    return r.status == 503 and r.code == "screening_unavailable"
            wait_for(refused)
            self.sees_none(CARD)
        finally:
            publish(whole)

        def works():
            with contextlib.suppress(OSError):
                return self.i.post("/v1/chat/completions", APIS["chat"].body("hello", False)).status == 200
        wait_for(works)

    @staticmethod
    def seal(data):
        return hashlib.blake2b(data, digest_size=32, key=b"bartizan policy image seal".ljust(32, b"\0")).digest()


if __name__ == "__main__":
    unittest.main()
