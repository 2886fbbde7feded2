"""The audit writer alone: start, stop, kill -9, full disk, idleness."""
import contextlib
import threading
import unittest

from audit_harness import Case, os, process_state, random, resource, signal, subprocess, time


class Life(Case):
    def test_start_put_stop(self):
        log = self.log()
        log.start()
        outs = [log.putting(lane, lane * 500, 500, "window=16") for lane in range(3)]
        for lane, p in enumerate(outs):
            out, _ = p.communicate(timeout=60)
            self.assertEqual(p.returncode, 0)
            self.assertTrue(out.decode().endswith("acked %d\n" % ((lane + 1) * 500)))
        self.assertEqual(log.state()["durable"], 1500)
        self.assertEqual(log.stop(), 0)
        rc, v = log.verify()
        self.assertEqual((rc, v["size"], v["unsealed"]), (0, 1502, 0))
        self.each_once(log, 1500)
        reasons = [r["reason"] for r in log.records() if r["kind"] == "system"]
        self.assertEqual(reasons, ["writer_started", "writer_stopped"])
        log.start() # and again: nothing is repeated
        log.put(0, 1500, 10)
        self.assertEqual(log.stop(), 0)
        self.assertEqual(log.verify()[0], 0)
        self.each_once(log, 1510)

    def test_durable_before_any_checkpoint(self):
        """What was acknowledged is in the files at once: kill -9 right after, then read without the writer."""
        log = self.log()
        log.start()
        log.put(0, 0, 20, "window=1")
        log.kill()
        self.each_once(log, 20)
        rc, v = log.verify()
        self.assertGreaterEqual(v["durable"], 20)
        log.start()
        self.assertEqual(log.stop(), 0)
        self.assertEqual(log.verify()[0], 0)
        self.each_once(log, 20)

    def test_records_put_while_the_writer_is_away(self):
        log = self.log()
        log.start()
        log.put(0, 0, 5)
        log.kill()
        p = log.putting(0, 5, 100, "window=100")
        time.sleep(0.3)
        self.assertIsNone(p.poll()) # waits: nobody makes them durable
        log.start()
        out, _ = p.communicate(timeout=30)
        self.assertEqual(p.returncode, 0)
        log.stop()
        self.each_once(log, 105)

    def test_a_checkpoint_follows_without_a_stop(self):
        log = self.log()
        log.start()
        size = log.sealed()["size"]
        log.put(0, 0, 3)
        log.sealed(size + 3)
        log.stop()

    def test_idle_writer_sleeps_and_beats(self):
        log = self.log()
        p = log.start()
        log.put(0, 0, 3)
        log.sealed()
        log.beats()
        seen = set()
        for _ in range(20): # one that turns in circles is never seen asleep
            time.sleep(0.05)
            seen.add(process_state(p.pid))
        self.assertIn("S", seen)
        log.stop()

    def test_stop_while_workers_go_on(self):
        """Ends in bounded time; what it did not take stays in the ring for the next writer."""
        log = self.log()
        log.start()
        p = log.putting(0, 0, 400000, "relaxed", quiet=True)
        time.sleep(0.1)
        self.assertEqual(log.stop(), 0)
        log.start()
        self.assertEqual(p.wait(90), 0)
        self.assertEqual(log.stop(), 0)
        self.assertEqual(log.verify()[0], 0)
        self.each_once(log, 400000)

    def test_clock_that_runs_backwards(self):
        log = self.log()
        log.start()
        log.put(0, 0, 300, "window=50", "backwards")
        log.stop()
        self.assertEqual(log.verify()[0], 0)
        self.each_once(log, 300)

    def test_losses_are_told(self):
        log = self.log()
        # the ring's control page of lane 0 begins at 4096; `lost` follows two 32-bit words of its third cache line
        log.start()
        log.put(0, 0, 1)
        with open(log.path / "run" / "audit.ring", "r+b") as f:
            f.seek(4096 + 192 + 8)
            f.write((7).to_bytes(8, "little"))
        log.put(0, 1, 1)
        log.stop()
        lost = [r["detail"] for r in log.records() if r.get("reason") == "records_lost"]
        self.assertEqual(lost, ["lane 0: refusals without a record because the ring was full: 7"])


class Refuses(Case):
    def test_second_writer(self):
        log = self.log()
        log.start()
        self.assertIn("another bartizan-auditd", log.refuses())
        log.stop()

    def test_key_that_others_can_read(self):
        log = self.log()
        os.chmod(log.path / "secrets" / "audit.key", 0o644)
        self.assertIn("others can read", log.refuses())

    def test_key_of_another_log(self):
        log = self.log()
        other = self.log()
        log.start()
        log.put(0, 0, 3)
        log.stop()
        key = log.path / "secrets" / "audit.key"
        key.write_bytes((other.path / "secrets" / "audit.key").read_bytes())
        self.assertIn("another key", log.refuses())

    def test_damaged_key(self):
        log = self.log()
        key = log.path / "secrets" / "audit.key"
        b = bytearray(key.read_bytes())
        b[3] ^= 1
        key.write_bytes(b)
        self.assertIn("damaged", log.refuses())
        key.write_bytes(b[:40])
        self.assertIn("64 bytes", log.refuses())

    def test_no_ring_or_not_one(self):
        log = self.log()
        ring = log.path / "run" / "audit.ring"
        b = bytearray(ring.read_bytes())
        b[0] ^= 1
        ring.write_bytes(b)
        self.assertIn("audit.ring", log.refuses())
        ring.unlink()
        self.assertIn("audit.ring", log.refuses())

    def test_log_without_its_checkpoint(self):
        log = self.log()
        log.start()
        log.put(0, 0, 300, "window=50")
        log.stop()
        (log.path / "audit" / "checkpoint").rename(log.path / "away")
        for f in (log.path / "audit" / "journal").iterdir():
            f.unlink()
        self.assertIn("neither a checkpoint nor a journal", log.refuses())
        (log.path / "away").rename(log.path / "audit" / "checkpoint")
        log.start()
        log.stop()
        self.assertEqual(log.verify()[0], 0)

    def test_tampered_edge(self):
        log = self.log()
        log.start()
        log.put(0, 0, 300, "window=50")
        log.stop()
        tile = max((log.path / "audit" / "tile" / "0" / "001.p").iterdir(), key=lambda p: int(p.name))
        b = bytearray(tile.read_bytes())
        b[5] ^= 1
        tile.write_bytes(b)
        text = log.refuses()
        self.assertIn("damaged", text)
        self.assertIn("nothing is signed", text)


class KillNine(Case):
    ROUNDS = 30

    def test_random_moments(self):
        """30 times kill -9 under load: each record that was put is in the log exactly once, the acknowledged ones at once."""
        log = self.log()
        rng = random.Random(20261122)
        acked = [0, 0]
        codes = []
        per_lane = 6000

        def worker(lane):
            p = log.putting(lane, lane * per_lane, per_lane, "window=24", "ms=1")
            with p.stdout:
                for line in p.stdout:
                    acked[lane] = int(line.split()[1])
            codes.append(p.wait())

        log.start()
        workers = [threading.Thread(target=worker, args=(lane,)) for lane in range(2)]
        for t in workers:
            t.start()
        for i in range(self.ROUNDS):
            time.sleep(rng.choice((0.01, 0.05, 0.2, 0.4)) * (0.5 + rng.random()))
            log.kill()
            known = list(acked)
            if i % 5 == 0: # without any writer: what was acknowledged is in the files
                count = log.numbers()
                for lane in range(2):
                    for n in range(lane * per_lane, known[lane]):
                        self.assertEqual(count.get(n), 1, "record %d after kill %d" % (n, i))
            log.start()
        for t in workers:
            t.join(90)
        self.assertEqual(codes, [0, 0])
        self.assertEqual(log.stop(), 0)
        rc, v = log.verify()
        self.assertEqual(rc, 0, v)
        self.each_once(log, 2 * per_lane)

    def test_worker_dies_and_a_new_one_takes_the_lane(self):
        log = self.log()
        log.start()
        n = 0
        for _ in range(10):
            p = log.putting(0, n, 5000, "window=24", "ms=1")
            last = n
            end = time.monotonic() + 0.15
            while time.monotonic() < end:
                line = p.stdout.readline()
                last = int(line.split()[1]) if line else last
            p.kill()
            rest = p.communicate()[0].decode().split("\n")
            acks = [int(x.split()[1]) for x in rest if x.startswith("acked ") and x.split()[1:]]
            n = max([last] + acks)
            time.sleep(0.05)
            # beyond n the dead worker may have put up to 24 more; numbers are not reused
            n += 24
        log.put(0, 100000, 3)
        log.stop()
        count = log.numbers()
        self.assertEqual(max(count.values()), 1)
        self.assertEqual(log.verify()[0], 0)
        self.assertIn(100002, count)


class FullDisk(Case):
    """A file size limit makes every new journal segment and every larger tile fail, as a full disk does."""

    def fill(self, log):
        p = log.start()
        w = log.putting(0, 0, 30000, "window=200", quiet=True)
        resource.prlimit(p.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        self.wait_for_failure(log)
        return p, w

    def ends_whole(self, log):
        rc, v = log.verify()
        self.assertEqual(rc, 0, v)
        self.each_once(log, 30000)

    def test_waits_and_recovers(self):
        log = self.log()
        p, w = self.fill(log)
        time.sleep(0.3)
        stuck = log.state()
        time.sleep(0.7)
        still = log.state()
        self.assertEqual(still["state"], 2)
        self.assertEqual(stuck["durable"], still["durable"])
        self.assertLess(still["durable"], still["head"])
        log.beats()
        resource.prlimit(p.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.assertEqual(w.wait(60), 0)
        self.assertEqual(log.state()["state"], 1)
        self.assertEqual(log.stop(), 0)
        self.ends_whole(log)
        self.assertTrue([r for r in log.records() if r.get("reason") == "storage_recovered"])
        self.assertIn("can be stored again", log.stderr())

    def test_kill_while_full(self):
        log = self.log()
        _, w = self.fill(log)
        log.kill()
        log.start()
        self.assertEqual(w.wait(60), 0)
        self.assertEqual(log.stop(), 0)
        self.ends_whole(log)

    def test_stop_while_full(self):
        """A stop does not hang and loses nothing: what is not durable stays in the ring."""
        log = self.log()
        _, w = self.fill(log)
        self.assertEqual(log.stop(), 2)
        log.start()
        self.assertEqual(w.wait(60), 0)
        self.assertEqual(log.stop(), 0)
        self.ends_whole(log)


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                                                stderr=subprocess.DEVNULL).returncode == 0


if can_mount(): # a file system that is really full, in a mount namespace of the writer's own
    class FullTmpfs(Case):
        def test_full_and_room_again(self):
            log = self.log()
            p = log.start(before=["unshare", "-m", "sh", "-c",
                                  'mount -t tmpfs -o size=24m,mode=700 none "$0" && exec "$@"', log.dir + "/audit"])
            inside = "/proc/%d/root%s/audit" % (p.pid, log.dir)
            with contextlib.suppress(OSError), open(inside + "/filler", "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 65536)
            w = log.putting(0, 0, 30000, "window=200", quiet=True)
            stuck = self.wait_for_failure(log)
            time.sleep(0.7)
            self.assertEqual(log.state()["durable"], stuck)
            os.unlink(inside + "/filler") # the log itself grows beyond 24 MiB: more room as well
            subprocess.run(["nsenter", "-t", str(p.pid), "-m", "mount", "-o", "remount,size=256m", log.dir + "/audit"],
                           check=True)
            self.assertEqual(w.wait(60), 0)
            p.send_signal(signal.SIGSTOP) # a copy out of the namespace before it goes
            subprocess.run(["cp", "-a", inside + "/.", log.dir + "/audit/"], check=True)
            log.kill()
            log.start() # on the copy: recovers what was not sealed
            self.assertEqual(log.stop(), 0)
            rc, v = log.verify()
            self.assertEqual(rc, 0, v)
            self.each_once(log, 30000)


if __name__ == "__main__":
    unittest.main()
