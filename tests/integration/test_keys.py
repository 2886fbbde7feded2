"""Keys: shown once, in force without a restart, gone with their streams, with scope and expiry."""
import json
import re
import sqlite3
import time
import unittest

from harness import Case, backend, wait_for


class Keys(Case):
    def setUp(self):
        self.up = self.upstream()
        self.i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % self.up.port, ["ok", "other", "stepwise=hers", "stepwise=mine"])])

    def status(self, key, model="ok"):
        return self.i.chat(model, key=key).status

    def test_form(self):
        made = self.i.new_key("alice")
        self.assertRegex(made["key"], r"^bz_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$")
        listing = self.i.cli("key", "list", self.i.dir, "--json")
        self.assertIn("alice", listing)
        self.assertNotIn(made["key"], listing)
        self.assertNotIn(made["key"][16:40], listing)
        everything = b"".join(f.read_bytes() for f in (self.i.dir / "store").iterdir())
        self.assertNotIn(made["key"].encode(), everything)
        self.assertNotIn(made["key"][16:].encode(), everything)
        self.assertTrue(sqlite3.connect(self.i.dir / "store" / "bartizan.db"))

    def test_in_force_without_a_restart(self):
        made = self.i.new_key("bob")
        wait_for(lambda: self.status(made["key"]) == 200)

    def test_revoking_ends_streams(self):
        made = self.i.new_key("carol")
        wait_for(lambda: self.status(made["key"]) == 200)
        self.up.step("hers")
        self.up.step("mine")
        s = self.i.stream("stepwise=hers", key=made["key"])
        mine = self.i.stream("stepwise=mine")
        self.assertTrue(s.read_event() and mine.read_event())
        self.i.revoke(re.match(r"bz_([0-9A-Za-z]{12})_", made["key"])[1])
        data = b"".join(s.events()) # its server is silent from here on: the gateway ends it
        s.close()
        self.assertIn(b'"error"', data)
        self.assertNotIn(b"[DONE]", data)
        self.assertEqual(self.status(made["key"]), 401)
        self.up.step("mine")
        self.assertTrue(mine.read_event(), "somebody else's stream goes on")
        mine.close()
        wait_for(lambda: self.up.open == 0)

    def test_a_body_that_ends_after_the_revocation(self):
        made = self.i.new_key("heidi")
        wait_for(lambda: self.status(made["key"]) == 200)
        body = b'{"model":"ok","messages":[{"role":"user","content":"hello"}]}'
        s = self.i.socket()
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + made["key"].encode() +
                  b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-1])
        time.sleep(0.3) # the head is in, and was allowed
        self.i.revoke(re.match(r"bz_([0-9A-Za-z]{12})_", made["key"])[1])
        wait_for(lambda: self.status(made["key"]) == 401)
        seen = len(self.up.log)
        s.sendall(body[-1:])
        self.assertIn(b" 401 ", s.recv(64))
        s.close()
        self.assertEqual(len(self.up.log), seen, "a revoked key reached the model server")

    def test_scopes(self):
        made = self.i.new_key("dave", models="other")["key"]
        wait_for(lambda: self.status(made, "other") == 200)
        r = self.i.chat("ok", key=made)
        self.assertEqual((r.status, r.code), (404, "model_not_found"), r)
        self.assertEqual([m["id"] for m in self.i.get("/v1/models", key=made).json["data"]], ["other"])
        self.assertEqual(self.i.get("/v1/models/ok", key=made).status, 404)
        made = self.i.new_key("erin", routes="models")["key"]
        wait_for(lambda: self.i.get("/v1/models", key=made).status == 200)
        self.assertEqual(self.i.chat("ok", key=made).status, 403)

    def test_expiry(self):
        made = self.i.new_key("frank", expires="5s")["key"]
        wait_for(lambda: self.status(made) == 200)
        wait_for(lambda: self.status(made) == 401)

    def test_survives_a_restart(self):
        made = self.i.new_key("grace")["key"]
        self.assertEqual(self.i.stop(), 0)
        self.i.start()
        self.assertEqual(self.status(made), 200)

    def test_changes_are_recorded(self):
        made = self.i.new_key("heidi")
        ident = re.match(r"bz_([0-9A-Za-z]{12})_", made["key"])[1]
        self.i.revoke(ident)
        wait_for(lambda: sum(ident in json.dumps(r) for r in self.i.export()) >= 2)


if __name__ == "__main__":
    unittest.main()
