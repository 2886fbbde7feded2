"""Where the master key comes from: file, passphrase, systemd credential, TPM 2.0 (an emulated one)."""
import contextlib
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import tempfile
import termios
import time
import unittest

from harness import BARTIZAN, HANG_S, Case, alive, free_port, stop_process, wait_for


class Master(Case):
    def setUp(self):
        self.holder = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-test-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.holder)])
        self.dir = self.holder / "i"
        self.env = {k: v for k, v in os.environ.items() if k != "CREDENTIALS_DIRECTORY"}

    def cli(self, *args, ok=True, **more):
        r = subprocess.run([BARTIZAN] + [str(a) for a in args], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                           env=self.env, start_new_session=True, **more)
        if ok:
            self.assertEqual(r.returncode, 0, "%s\n%s%s" % (args, r.stdout, r.stderr))
        return r

    def init(self, source, *more, ok=True):
        return self.cli("init", self.dir, "--backend", "x=openai=http://127.0.0.1:9", "--listen", "127.0.0.1:%d" % free_port(),
                        "--master-key", source, *more, "--json", ok=ok)

    def file(self, name, text):
        f = self.holder / name
        f.write_text(text)
        f.chmod(0o600)
        return f

    def up(self, *more, ok=True):
        r = self.cli("up", self.dir, "--detach", *more, ok=ok)
        if r.returncode == 0:
            self.addCleanup(self.cli, "down", self.dir, ok=False)
        return r

    def works(self):
        """What only bartizand with the right master key can do: the key of init is known to it."""
        self.assertIn("admin", self.cli("user", "list", self.dir).stdout)
        self.cli("user", "add", self.dir, "u%d" % time.monotonic_ns())

    def daemon(self):
        status = json.loads((self.dir / "run" / "status.json").read_text())
        return next(c["pid"] for c in status["children"] if c["name"] == "bartizand")

    def plain(self):
        return (self.dir / "secrets" / "master.key").exists()

    def test_passphrase(self):
        word = self.file("word", "correct horse battery\n")
        self.init("passphrase", "--passphrase-file", word)
        self.assertFalse(self.plain())
        r = self.up(ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("--passphrase-file", r.stderr)
        r = self.up("--passphrase-file", self.file("wrong", "correct horse batterz\n"), ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("does not open", r.stderr)
        self.up("--passphrase-file", word)
        self.works()
        old = self.daemon()
        os.kill(old, signal.SIGKILL)

        def again():
            """bartizand to be back, with the key and nobody asked"""
            return not alive(old) and self.cli("user", "list", self.dir, ok=False).returncode == 0
        wait_for(again)
        self.works()
        for base, _, files in os.walk(self.dir):
            for f in files:
                p = pathlib.Path(base) / f
                if p.is_file() and not p.is_symlink():
                    self.assertNotIn(b"correct horse", p.read_bytes(), p)

    def on_terminal(self):
        """`bartizan up` on a terminal of its own: pid, its other end, and a function that reads until some text comes."""
        word = self.file("word", "correct horse battery\n")
        self.init("passphrase", "--passphrase-file", word)
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(BARTIZAN, [BARTIZAN, "up", str(self.dir)], self.env)
        self.addCleanup(os.close, fd)
        seen = b""

        def read_until(what):
            nonlocal seen
            end = time.monotonic() + HANG_S
            while what not in seen:
                self.assertLess(time.monotonic(), end, seen)
                if select.select([fd], [], [], 0.1)[0]:
                    seen += os.read(fd, 4096)
            return seen
        read_until(b"Passphrase of the master key: ")
        return pid, fd, read_until

    def ended(self, pid, fd):
        with contextlib.suppress(OSError):
            while os.read(fd, 4096): # until the terminal closes
                pass
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_passphrase_is_asked_on_the_terminal(self):
        pid, fd, read_until = self.on_terminal()
        os.write(fd, b"correct horse battery\n")
        self.assertNotIn(b"correct horse", read_until(b"Bartizan is up."))
        self.works()
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(self.ended(pid, fd), 0)

    def test_ctrl_c_at_the_question(self):
        pid, fd, _ = self.on_terminal()
        self.assertFalse(termios.tcgetattr(fd)[3] & termios.ECHO)
        os.write(fd, b"corr\x03")
        wait_for(lambda: termios.tcgetattr(fd)[3] & termios.ECHO)
        self.assertEqual(self.ended(pid, fd), 2)

    def test_passphrase_by_credential(self):
        word = self.file("bartizan-passphrase", "correct horse battery")
        self.init("passphrase", "--passphrase-file", word)
        self.env["CREDENTIALS_DIRECTORY"] = str(self.holder)
        self.up()
        self.works()

    def test_credential(self):
        self.init("credential", "--credential-file", self.holder / "bartizan-master")
        self.assertFalse(self.plain())
        self.assertEqual((self.holder / "bartizan-master").stat().st_mode & 0o777, 0o600)
        r = self.up(ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("CREDENTIALS_DIRECTORY", r.stderr)
        self.env["CREDENTIALS_DIRECTORY"] = str(self.holder)
        self.up()
        self.works()

    def test_tpm(self):
        port = free_port() # the tools look for the control channel one above
        state = self.holder / "tpm"
        state.mkdir()
        tpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=%s" % state, "--server", "type=tcp,port=%d" % port,
                                "--ctrl", "type=tcp,port=%d" % (port + 1), "--flags", "not-need-init,startup-clear"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(stop_process, tpm)
        self.env["TPM2TOOLS_TCTI"] = "swtpm:host=127.0.0.1,port=%d" % port

        def made():
            """the emulated TPM to answer"""
            return self.init("tpm", ok=False).returncode == 0
        wait_for(made)
        self.assertFalse(self.plain())
        self.up()
        self.works()
        self.cli("down", self.dir)
        self.assertEqual(json.loads(self.cli("master", self.dir, "--json").stdout), {"source": "tpm"})
        self.assertEqual([p for p in pathlib.Path("/tmp").glob("bartizan-tpm-*") if p.stat().st_mtime > time.time() - 1], [])
        stop_process(tpm)
        r = self.up(ok=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("TPM 2.0", r.stderr)

    def test_another_source_for_the_same_key(self):
        self.init("file")
        self.assertTrue(self.plain())
        key = (self.dir / "secrets" / "master.key").read_bytes()
        one, two = self.file("one", "first words"), self.file("two", "second words")
        self.cli("master", self.dir, "--to", "passphrase", "--new-file", one)
        self.assertFalse(self.plain())
        r = self.cli("master", self.dir, "--to", "passphrase", "--file", two, "--new-file", two, ok=False)
        self.assertEqual(r.returncode, 2)
        self.cli("master", self.dir, "--to", "passphrase", "--file", one, "--new-file", two)
        self.up("--passphrase-file", two)
        self.works()
        self.cli("down", self.dir)
        self.cli("master", self.dir, "--to", "file", "--file", two)
        self.assertEqual((self.dir / "secrets" / "master.key").read_bytes(), key)
        self.assertFalse((self.dir / "secrets" / "master.json").exists())

    def test_nothing_half_made(self):
        self.assertEqual(self.init("kms", ok=False).returncode, 2)
        self.assertEqual(self.init("passphrase", ok=False).returncode, 2)
        self.assertEqual(self.init("passphrase", "--passphrase-file", self.file("empty", "\n"), ok=False).returncode, 2)
        self.assertEqual(self.init("credential", ok=False).returncode, 2)
        self.assertEqual([p.name for p in self.holder.iterdir() if p.name.startswith("i")], [])


if __name__ == "__main__":
    unittest.main()
