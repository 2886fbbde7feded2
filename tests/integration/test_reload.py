"""Changes while it runs: configuration, bad configuration, certificates; open streams go on."""
import socket
import ssl
import subprocess
import time
import unittest

from harness import HANG_S, Case, backend, wait_for


class Reload(Case):
    def setUp(self):
        self.up = self.upstream()
        self.url = "http://127.0.0.1:%d" % self.up.port
        self.i = self.instance([backend("b", "openai", self.url, ["ok", "slow=40x100"])])

    def test_new_model_and_open_stream(self):
        s = self.i.stream("slow=40x100")
        s.read_event()
        self.i.backends = backend("b", "openai", self.url, ["ok", "bytewise", "slow=40x100"])
        self.i.write_config()
        self.i.cli("reload", self.i.dir)
        wait_for(lambda: self.i.chat("bytewise").status == 200)
        rest = b"".join(s.events())
        s.close()
        self.assertIn(b"[DONE]", rest)
        self.assertEqual(rest.count(b"tick"), 39)

    def test_bad_configuration_changes_nothing(self):
        good = (self.i.dir / "bartizan.yaml").read_text()
        for bad, line in ((good.replace("type: \"openai\"", "type: \"opnai\""), None), (good + "nonsense: 1\n", None), ("a: [", None), ("", None)):
            self.i.write_config(bad)
            r = self.i.cli("policy", "check", self.i.dir, ok=False)
            self.assertNotEqual(r.returncode, 0)
            self.assertRegex(r.stdout + r.stderr, r"(line )?\d+")
            self.assertNotEqual(self.i.cli("reload", self.i.dir, ok=False).returncode, 0)
            self.assertEqual(self.i.chat("ok").status, 200)
        self.i.write_config(good)
        self.assertEqual(self.i.cli("policy", "check", self.i.dir, ok=False).returncode, 0)
        self.i.cli("reload", self.i.dir)
        self.assertEqual(self.i.chat("ok").status, 200)

    def test_bad_configuration_names_line_and_column(self):
        text = "version: 1\nlisten: %s\nbackends:\n  - {name: b, type: opnai, url: \"%s\"}\n" % (self.i.settings["listen"], self.url)
        self.i.write_config(text)
        r = self.i.cli("policy", "check", self.i.dir, ok=False)
        self.assertRegex(r.stdout + r.stderr, r"4[,:].{0,12}\d+")

    def serial(self):
        c = ssl.create_default_context(cafile=self.i.ca)
        with socket.create_connection(("127.0.0.1", self.i.port), 5) as raw, c.wrap_socket(raw, server_hostname="localhost") as s:
            return s.getpeercert()["serialNumber"]

    def new_certificate(self):
        tls = self.i.dir / "tls"
        d = self.i.holder
        (d / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")

        def openssl(*args):
            subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", d / "k.pem")
        openssl("req", "-new", "-key", d / "k.pem", "-subj", "/CN=localhost", "-out", d / "r.pem")
        openssl("x509", "-req", "-in", d / "r.pem", "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key", "-days", "30", "-extfile", d / "ext",
                "-out", d / "c.pem")
        (tls / "server.key").write_bytes((d / "k.pem").read_bytes())
        (tls / "server.pem").write_bytes((d / "c.pem").read_bytes() + (tls / "ca.pem").read_bytes())

    def test_certificate_is_taken_without_a_restart(self):
        old = self.serial()
        s = self.i.stream("slow=40x100")
        s.read_event()
        up_pid = self.i.proc.pid
        self.new_certificate()
        wait_for(lambda: self.serial() != old)
        rest = b"".join(s.events())
        s.close()
        self.assertIn(b"[DONE]", rest, "the stream of the old certificate ended well")
        self.assertEqual(self.i.proc.pid, up_pid)

    def test_broken_certificate_changes_nothing(self):
        old = self.serial()
        (self.i.dir / "tls" / "server.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
        time.sleep(3)
        self.assertEqual(self.serial(), old)
        self.assertEqual(self.i.chat("ok").status, 200)


class Starting(Case):
    def test_second_up_is_refused(self):
        up = self.upstream()
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])])
        r = i.cli("up", i.dir, ok=False)
        self.assertNotEqual(r.returncode, 0)
        self.assertIn("already up", r.stdout + r.stderr)
        self.assertEqual(i.chat("ok").status, 200)

    def test_stop_and_start_leaves_nothing(self):
        up = self.upstream()
        i = self.instance([backend("b", "openai", "http://127.0.0.1:%d" % up.port, ["ok"])])
        self.assertEqual(i.stop(), 0)
        i.start()
        self.assertEqual(i.chat("ok").status, 200)
        self.assertEqual(i.cli("down", i.dir, ok=False).returncode, 0)
        i.proc.wait(HANG_S)
        self.assertEqual(i.stop(), 0)

    def test_plain_http_only_on_loopback(self):
        up = self.upstream()
        url = "http://127.0.0.1:%d" % up.port
        i = self.instance([backend("b", "openai", url, ["ok"])], plain_http="true")
        r = i.chat("ok")
        self.assertEqual(r.status, 200)
        self.assertIsNone(r.header("strict-transport-security"))
        i.stop()
        i.settings["listen"] = "0.0.0.0:%d" % i.port
        i.write_config()
        self.assertNotEqual(i.cli("policy", "check", i.dir, ok=False).returncode, 0)


if __name__ == "__main__":
    unittest.main()
