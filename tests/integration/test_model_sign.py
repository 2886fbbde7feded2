"""Signatures of models: what openssl and minisign make of ours, what we make of theirs, and Sigstore with a CA, a log and a
timestamp authority of our own. The published vectors are read where they lie beside the project."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest

from harness import BARTIZAN, ROOT

VECTORS = ROOT.parent / "shared" / "data" / "vectors" / "oms.tar.xz"


def sh(*args, **kw):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, **kw).stdout


def b64(data):
    return base64.b64encode(data).decode()


def pae(bundle):
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    kind = bundle["dsseEnvelope"]["payloadType"].encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Case(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="bartizan-sign-"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        self.model = self.tmp / "model"
        (self.model / "sub").mkdir(parents=True)
        (self.model / "weights.bin").write_bytes(bytes(range(256)) * 40)
        (self.model / "sub" / "config.json").write_bytes(b"{}")
        (self.model / ".hidden").write_bytes(b"x")

    def run_model(self, *args):
        return subprocess.run([BARTIZAN, "model", *[str(a) for a in args]], capture_output=True, text=True)

    def sign(self, *args, ok=True):
        r = self.run_model("sign", *args)
        self.assertEqual(r.returncode == 0, ok, r.stdout + r.stderr)
        return r

    def verify(self, *args, code=0):
        r = self.run_model("verify", *args, "--json")
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return json.loads(r.stdout) if r.stdout else r

    def key(self, curve="prime256v1", name="k"):
        key, pub = self.tmp / (name + ".pem"), self.tmp / (name + ".pub")
        sh("openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", key)
        sh("openssl", "pkey", "-in", key, "-pubout", "-out", pub)
        return key, pub

    def bundle(self, path=None):
        return json.loads((path or self.model / "model.sig").read_text())

    def write(self, bundle, path=None):
        (path or self.model / "model.sig").write_text(json.dumps(bundle))


class Keys(Case):
    def test_what_we_sign_openssl_verifies(self):
        for curve, digest in (("prime256v1", "sha256"), ("secp384r1", "sha384"), ("secp521r1", "sha512")):
            key, pub = self.key(curve)
            self.sign(self.model, "--key", key)
            b = self.bundle()
            (self.tmp / "pae").write_bytes(pae(b))
            (self.tmp / "sig").write_bytes(base64.b64decode(b["dsseEnvelope"]["signatures"][0]["sig"]))
            out = sh("openssl", "dgst", "-" + digest, "-verify", pub, "-signature", self.tmp / "sig", self.tmp / "pae")
            self.assertIn(b"Verified OK", out)
            # the format's own rules: hint, root over the digests in their order, names, list of what was left out
            self.assertEqual(b["verificationMaterial"]["publicKey"]["hint"],
                             hashlib.sha256(sh("openssl", "pkey", "-pubin", "-in", pub)).hexdigest())
            st = json.loads(base64.b64decode(b["dsseEnvelope"]["payload"]))
            res = st["predicate"]["resources"]
            self.assertEqual([r["name"] for r in res], [".hidden", "sub/config.json", "weights.bin"])
            for r in res:
                self.assertEqual(r["digest"], hashlib.sha256((self.model / r["name"]).read_bytes()).hexdigest())
            self.assertEqual(st["subject"][0]["digest"]["sha256"],
                             hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in res)).hexdigest())
            self.assertIn("model.sig", st["predicate"]["serialization"]["ignore_paths"])
            self.assertTrue(self.verify(self.model, "--key", pub)["verified"])

    def test_what_openssl_signs_we_verify(self):
        """A bundle made here by the format's rules, of version 1.0 (no hint) and of 1.1."""
        key, pub = self.key("secp384r1")
        names = [".hidden", "sub/config.json", "weights.bin"]
        digests = [hashlib.blake2b((self.model / n).read_bytes()) for n in names]
        st = {"_type": "https://in-toto.io/Statement/v1",
              "subject": [{"name": "any", "digest": {"sha256": hashlib.sha256(b"".join(d.digest() for d in digests)).hexdigest()}}],
              "predicateType": "https://model_signing/signature/v1.0",
              "predicate": {"serialization": {"method": "files", "hash_type": "blake2b", "allow_symlinks": False},
                            "resources": [{"name": n, "algorithm": "blake2b", "digest": d.hexdigest()}
                                          for n, d in zip(names, digests)]}}
        b = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
             "verificationMaterial": {"publicKey": {"rawBytes": b64(pub.read_bytes()), "keyDetails": "PKIX_ECDSA_P384_SHA_384"}},
             "dsseEnvelope": {"payload": b64(json.dumps(st, indent=1).encode()), "payloadType": "application/vnd.in-toto+json",
                              "signatures": [{"sig": "", "keyid": None}]}}
        (self.tmp / "pae").write_bytes(pae(b))
        b["dsseEnvelope"]["signatures"][0]["sig"] = b64(sh("openssl", "dgst", "-sha384", "-sign", key, self.tmp / "pae"))
        self.write(b)
        r = self.verify(self.model, "--key", pub)
        self.assertTrue(r["verified"] and r["warnings"])
        b["dsseEnvelope"]["signatures"] *= 2
        self.write(b)
        self.verify(self.model, "--key", pub, code=1)

    def test_changes_are_named(self):
        key, pub = self.key()
        self.sign(self.model, "--key", key)
        (self.model / "weights.bin").write_bytes(b"other")
        (self.model / "sub" / "config.json").unlink()
        (self.model / "new\n.txt").write_bytes(b"")
        self.verify(self.model, "--key", pub, code=1) # a name that cannot be
        (self.model / "new\n.txt").rename(self.model / "new.txt")
        r = self.verify(self.model, "--key", pub, code=1)
        self.assertEqual(r["changes"], ["extra: new.txt", "missing: sub/config.json", "changed: weights.bin"])
        (self.model / "weights.bin").write_bytes(bytes(range(256)) * 40)
        (self.model / "sub" / "config.json").write_bytes(b"{}")
        self.verify(self.model, "--key", pub, code=1)
        self.assertTrue(self.verify(self.model, "--key", pub, "--ignore-unsigned")["verified"])
        (self.model / "new.txt").unlink()
        (self.model / "weights.bin").rename(self.model / "weights2.bin")
        (self.model / "weights.bin").symlink_to("weights2.bin")
        self.assertIn("symbolic link", self.verify(self.model, "--key", pub, code=1)["error"])

    def test_shards_and_left_out(self):
        key, pub = self.key()
        self.sign(self.model, "--key", key, "--shard-size", "4096", "--ignore", "sub")
        (self.model / "empty").write_bytes(b"")
        st = json.loads(base64.b64decode(self.bundle()["dsseEnvelope"]["payload"]))
        self.assertEqual([r["name"] for r in st["predicate"]["resources"]],
                         [".hidden:0:1", "weights.bin:0:4096", "weights.bin:4096:8192", "weights.bin:8192:10240"])
        r = self.verify(self.model, "--key", pub)
        self.assertEqual(len(r["warnings"]), 2, r["warnings"]) # a config that its signer left out, an empty file
        data = bytearray((self.model / "weights.bin").read_bytes())
        data[5000] ^= 1
        (self.model / "weights.bin").write_bytes(data)
        self.assertEqual(self.verify(self.model, "--key", pub, code=1)["changes"], ["changed: weights.bin"])

    def test_single_file_and_wrong_keys(self):
        key, pub = self.key()
        _, other = self.key(name="o")
        f = self.model / "weights.bin"
        self.sign(f, "--key", key)
        self.assertTrue(self.verify(f, "--key", pub)["verified"])
        self.assertIn("another key", self.verify(f, "--key", other, code=1)["error"])
        self.assertEqual(self.run_model("verify", f).returncode, 2)
        self.assertEqual(self.run_model("verify", f, "--key", pub, "--cert", pub).returncode, 2)
        rsa = self.tmp / "rsa.pem"
        sh("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
        self.assertIn("P-256", self.sign(f, "--key", rsa, ok=False).stderr)
        locked, word = self.tmp / "locked.pem", self.tmp / "word"
        sh("openssl", "ec", "-in", key, "-aes256", "-passout", "pass:open sesame", "-out", locked)
        self.assertIn("--passphrase-file", self.sign(f, "--key", locked, ok=False).stderr)
        word.write_text("wrong\n")
        self.assertIn("does not open", self.sign(f, "--key", locked, "--passphrase-file", word, ok=False).stderr)
        word.write_text("open sesame\n")
        self.sign(f, "--key", locked, "--passphrase-file", word)


class Issuing(Case):
    def issue(self, name, key, issuer=None, issuer_key=None, ext="", days="30"):
        csr, crt, conf = self.tmp / (name + ".csr"), self.tmp / (name + ".crt"), self.tmp / (name + ".cnf")
        conf.write_text(ext)
        sh("openssl", "req", "-new", "-key", key, "-subj", "/CN=" + name, "-out", csr)
        by = ["-signkey", key] if issuer is None else ["-CA", issuer, "-CAkey", issuer_key, "-CAcreateserial"]
        sh("openssl", "x509", "-req", "-in", csr, "-out", crt, "-days", days, "-extfile", conf, *by)
        return crt

    def chain(self, leaf="keyUsage=digitalSignature\nsubjectAltName=email:ann@example.org\n"):
        root_key, _ = self.key(name="root")
        mid_key, _ = self.key(name="mid")
        key, _ = self.key("secp384r1", name="leaf")
        ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
        root = self.issue("root", root_key, ext=ca)
        mid = self.issue("mid", mid_key, root, root_key, ca)
        crt = self.issue("leaf", key, mid, mid_key, leaf)
        both = self.tmp / "chain.pem"
        both.write_bytes(crt.read_bytes() + mid.read_bytes())
        return key, both, root, mid, crt


class Certificates(Issuing):
    def test_round_trip(self):
        key, chain, root, mid, crt = self.chain()
        self.sign(self.model, "--key", key, "--cert", chain)
        r = self.verify(self.model, "--cert", root, "--identity", "ann@example.org")
        self.assertEqual((r["flow"], r["signer"]["identity"], r["warnings"]), ("certificate", "ann@example.org", []))
        self.assertTrue(self.verify(self.model, "--cert", root)["warnings"])
        self.verify(self.model, "--cert", root, "--identity", "ben@example.org", code=1)
        other, _ = self.key(name="x")
        stranger = self.issue("stranger", other, ext="basicConstraints=critical,CA:TRUE\n")
        self.assertIn("root", self.verify(self.model, "--cert", stranger, code=1)["error"])
        # openssl's own word on the chain and the signature
        sh("openssl", "verify", "-CAfile", root, "-untrusted", mid, crt)
        b = self.bundle()
        (self.tmp / "pae").write_bytes(pae(b))
        (self.tmp / "sig").write_bytes(base64.b64decode(b["dsseEnvelope"]["signatures"][0]["sig"]))
        (self.tmp / "leaf.pub").write_bytes(sh("openssl", "x509", "-in", crt, "-noout", "-pubkey"))
        sh("openssl", "dgst", "-sha384", "-verify", self.tmp / "leaf.pub", "-signature", self.tmp / "sig", self.tmp / "pae")
        # without the certificate between
        b["verificationMaterial"]["x509CertificateChain"]["certificates"].pop()
        self.write(b)
        self.verify(self.model, "--cert", root, code=1)

    def test_certificates_that_may_not(self):
        key, chain, root, mid, crt = self.chain("keyUsage=keyEncipherment\n")
        self.assertIn("not meant for signing", self.sign(self.model, "--key", key, "--cert", chain, ok=False).stderr)
        other, _ = self.key("secp384r1", name="y")
        self.assertIn("not that of", self.sign(self.model, "--key", other, "--cert", chain, ok=False).stderr)
        key, chain, root, mid, crt = self.chain("extendedKeyUsage=codeSigning\n")
        self.sign(self.model, "--key", key, "--cert", chain)
        self.verify(self.model, "--cert", root)


class Minisign(Case):
    def setUp(self):
        super().setUp()
        self.assertIsNotNone(shutil.which("minisign"), "minisign is missing: tools/deps.sh test")

    def make(self, name="m"):
        """Without a passphrase: scrypt takes seconds on purpose; the unit test has one with little work."""
        key, pub = self.tmp / (name + ".key"), self.tmp / (name + ".pub")
        sh("minisign", "-G", "-f", "-W", "-p", pub, "-s", key)
        return key, pub

    def test_both_ways(self):
        key, pub = self.make()
        _, other = self.make("o")
        f = self.model / "weights.bin"
        for legacy in ([], ["-l"]):
            sh("minisign", "-S", *legacy, "-s", key, "-m", f, "-t", "of minisign")
            r = self.verify(f, "--key", pub, "--signature", str(f) + ".minisig")
            self.assertEqual((r["flow"], r["signer"]["trusted_comment"]), ("minisign", "of minisign"))
        self.sign(f, "--key", key, "--comment", "of ours")
        self.assertIn(b"of ours", sh("minisign", "-V", "-p", pub, "-m", f))
        self.assertIn("another key", self.verify(f, "--key", other, "--signature", str(f) + ".minisig", code=1)["error"])
        self.assertEqual(self.run_model("verify", f, "--key", key, "--signature", str(f) + ".minisig").returncode, 2)
        self.assertIn("another key", self.verify(f, "--key", other, "--signature", str(f) + ".minisig", code=1)["error"])
        self.assertEqual(self.run_model("verify", f, "--key", key, "--signature", str(f) + ".minisig").returncode, 2)
        f.write_bytes(f.read_bytes()[:-1])
        self.assertIn("does not fit", self.verify(f, "--key", pub, "--signature", str(f) + ".minisig", code=1)["error"])


# ---- Sigstore, all of it our own -------------------------------------------------------------------------------------------


def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + body


def first(data):
    """The first element of DER: header and body."""
    n, at = data[1], 2
    if n & 0x80:
        at = 2 + (n & 0x7f)
        n = int.from_bytes(data[2:at], "big")
    return data[:at + n], data[at:at + n]


class Sigstore(Issuing):
    def setUp(self):
        super().setUp()
        self.ca_key, _ = self.key("secp384r1", name="ca")
        self.ca = self.issue("ca", self.ca_key, ext="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n", days="3650")
        self.rekor, self.rekor_pub = self.key(name="rekor")
        self.ct, self.ct_pub = self.key(name="ct")
        self.leaf_key, _ = self.key(name="leafkey")
        self.leaf = self.make_leaf()
        self.make_tsa()

    def spki(self, pub):
        return sh("openssl", "pkey", "-pubin", "-in", pub, "-outform", "DER")

    def der_of(self, crt):
        return sh("openssl", "x509", "-in", crt, "-outform", "DER")

    def sign_with(self, key, data, digest="sha256"):
        (self.tmp / "data").write_bytes(data)
        return sh("openssl", "dgst", "-" + digest, "-sign", key, self.tmp / "data")

    def leaf_with(self, more):
        """Serial number and times are fixed, so that the same certificate comes out with another extension more."""
        conf = self.tmp / "l.cnf"
        conf.write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nnew_certs_dir=%s\npolicy=p\ndefault_md=sha384\nx509_extensions=e\n"
                        "unique_subject=no\n[p]\ncommonName=supplied\n[e]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
                        "subjectAltName=critical,email:ann@example.org\n"
                        "1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:https://issuer.example\n%s" % (self.tmp / "db", self.tmp, more))
        (self.tmp / "db").write_text("")
        (self.tmp / "serial").write_text("0A0B\n")
        csr, out = self.tmp / "l.csr", self.tmp / "l.crt"
        sh("openssl", "req", "-new", "-key", self.leaf_key, "-subj", "/CN=x", "-out", csr)
        begin = sh("date", "-u", "-d", "@%d" % (self.begin), "+%y%m%d%H%M%SZ").decode().strip()
        end = sh("date", "-u", "-d", "@%d" % (self.begin + 600), "+%y%m%d%H%M%SZ").decode().strip()
        conf.write_text(conf.read_text().replace("policy=p\n", "policy=p\nserial=%s\n" % (self.tmp / "serial")))
        sh("openssl", "ca", "-batch", "-notext", "-config", conf, "-cert", self.ca, "-keyfile", self.ca_key, "-in", csr, "-out", out,
           "-startdate", begin, "-enddate", end)
        return self.der_of(out)

    def make_leaf(self):
        self.begin = int(sh("date", "-u", "+%s"))
        plain = self.leaf_with("")
        tbs, _ = first(first(plain)[1])
        key_hash = hashlib.sha256(self.spki_of_cert(self.ca)).digest()
        stamp = (self.begin * 1000).to_bytes(8, "big")
        data = b"\0\0" + stamp + b"\0\1" + key_hash + len(tbs).to_bytes(3, "big") + tbs + b"\0\0"
        sig = self.sign_with(self.ct, data)
        sct = b"\0" + hashlib.sha256(self.spki(self.ct_pub)).digest() + stamp + b"\0\0" + b"\4\3" + len(sig).to_bytes(2, "big") + sig
        listed = (len(sct) + 2).to_bytes(2, "big") + len(sct).to_bytes(2, "big") + sct
        text = der(4, listed).hex(":")
        return self.leaf_with("1.3.6.1.4.1.11129.2.4.2=DER:%s\n" % text)

    def spki_of_cert(self, crt):
        pub = self.tmp / "tmp.pub"
        pub.write_bytes(sh("openssl", "x509", "-in", crt, "-noout", "-pubkey"))
        return self.spki(pub)

    def make_tsa(self):
        self.tsa_key, _ = self.key(name="tsa")
        self.tsa = self.issue("tsa", self.tsa_key, self.ca, self.ca_key, "extendedKeyUsage=critical,timeStamping\n")
        (self.tmp / "tsa.cnf").write_text("[tsa]\ndefault_tsa=t\n[t]\nserial=%s\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\n"
                                          "ess_cert_id_alg=sha256\n" % (self.tmp / "tsa.serial"))
        (self.tmp / "tsa.serial").write_text("01\n")

    def stamp(self, data):
        (self.tmp / "ts.data").write_bytes(data)
        sh("openssl", "ts", "-query", "-data", self.tmp / "ts.data", "-sha256", "-cert", "-out", self.tmp / "ts.q")
        sh("openssl", "ts", "-reply", "-config", self.tmp / "tsa.cnf", "-queryfile", self.tmp / "ts.q", "-signer", self.tsa, "-inkey",
           self.tsa_key, "-out", self.tmp / "ts.r")
        return (self.tmp / "ts.r").read_bytes()

    def root(self, **drop):
        def log(pub):
            return {"baseUrl": "x", "hashAlgorithm": "SHA2_256", "publicKey": {"rawBytes": b64(self.spki(pub)), "validFor":
                    {"start": "2020-01-01T00:00:00Z"}}, "logId": {"keyId": b64(hashlib.sha256(self.spki(pub)).digest())}}

        def authority(*certs):
            return {"certChain": {"certificates": [{"rawBytes": b64(c)} for c in certs]},
                    "validFor": {"start": "2020-01-01T00:00:00.000Z", "end": "2099-12-31T23:59:59Z"}}
        r = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [log(self.rekor_pub)],
             "ctlogs": [log(self.ct_pub)], "certificateAuthorities": [authority(self.der_of(self.ca))],
             "timestampAuthorities": [authority(self.der_of(self.tsa), self.der_of(self.ca))]}
        r.update(drop)
        (self.tmp / "root.json").write_text(json.dumps(r))
        return self.tmp / "root.json"

    def made(self):
        """A whole keyless bundle of the model; its entry is leaf 2 of a tree of 3."""
        key, pub = self.leaf_key, None
        self.sign(self.model, "--key", key)
        b = self.bundle()
        sig = base64.b64decode(b["dsseEnvelope"]["signatures"][0]["sig"])
        payload = base64.b64decode(b["dsseEnvelope"]["payload"])
        pem = sh("openssl", "x509", "-inform", "DER", input=self.leaf)
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "envelopeHash": {"algorithm": "sha256", "value": "00" * 32},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": b64(sig), "verifier": b64(pem)}]}}, sort_keys=True, separators=(",", ":")).encode()
        b["verificationMaterial"] = {"certificate": {"rawBytes": b64(self.leaf)}, "tlogEntries": [self.entry(body)],
                                     "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": b64(self.stamp(sig))}]}}
        return b

    def entry(self, body, time=None):
        time = time or self.begin + 30
        log = hashlib.sha256(self.spki(self.rekor_pub)).digest()
        leaf = hashlib.sha256(b"\0" + body).digest()
        left = hashlib.sha256(b"\1" + bytes(32) + b"\1" * 32).digest()
        top = hashlib.sha256(b"\1" + left + leaf).digest()
        note = "log.example - 1\n3\n%s\n" % b64(top)
        signed = note + "\n\u2014 log.example %s\n" % b64(log[:4] + self.sign_with(self.rekor, note.encode()))
        promise = json.dumps({"body": b64(body), "integratedTime": time, "logID": log.hex(), "logIndex": 77}, sort_keys=True,
                             separators=(",", ":")).encode()
        return {"logIndex": "77", "logId": {"keyId": b64(log)}, "kindVersion": {"kind": "dsse", "version": "0.0.1"},
                "integratedTime": str(time), "inclusionPromise": {"signedEntryTimestamp": b64(self.sign_with(self.rekor, promise))},
                "inclusionProof": {"logIndex": "2", "treeSize": "3", "rootHash": b64(top), "hashes": [b64(left)],
                                   "checkpoint": {"envelope": signed}}, "canonicalizedBody": b64(body)}

    def check(self, b, root=None, code=0, identity="ann@example.org", issuer="https://issuer.example"):
        self.write(b)
        return self.verify(self.model, "--trusted-root", root or self.root(), "--identity", identity, "--issuer", issuer, code=code)

    def test_everything_is_checked(self):
        b = self.made()
        r = self.check(b)
        self.assertEqual(r["checked"], {"log": True, "timestamp": True, "certificate_transparency": True})
        self.assertEqual((r["signer"]["identity"], r["signer"]["issuer"]), ("ann@example.org", "https://issuer.example"))
        self.assertEqual(r["signer"]["signed_at"], self.begin + 30)
        self.check(b, code=1, identity="ben@example.org")
        self.check(b, code=1, issuer="https://other.example")
        root = self.root()
        self.assertEqual(self.run_model("verify", self.model, "--trusted-root", root).returncode, 2)
        other, other_pub = self.key(name="otherlog")
        for drop, why in ((dict(tlogs=[]), "log"), (dict(certificateAuthorities=[{"certChain": {"certificates": [
                {"rawBytes": b64(self.der_of(self.tsa))}]}}]), "chain")):
            self.assertIn(why, self.check(b, self.root(**drop), code=1)["error"])
        r = self.check(b, self.root(ctlogs=[], timestampAuthorities=[]))
        self.assertEqual(len(r["warnings"]), 2)
        self.check(b, self.root(ctlogs=[{"publicKey": {"rawBytes": b64(self.spki(other_pub))}, "logId": {"keyId": b64(
            hashlib.sha256(self.spki(other_pub)).digest())}}]), code=1)
        self.assertEqual(self.run_model("verify", self.model, "--trusted-root", self.ca, "--identity", "a", "--issuer", "b").returncode, 2)

    def test_each_part_can_fail(self):
        def entry(b):
            return b["verificationMaterial"]["tlogEntries"][0]

        def flip(s):
            raw = bytearray(base64.b64decode(s))
            raw[-1] ^= 1
            return b64(raw)

        def edit(**paths):
            def run(b):
                for path, change in paths.items():
                    o = b
                    *way, last = path.split("__")
                    for w in way:
                        o = o[int(w) if w.isdigit() else w]
                    o[last] = change(o[last]) if callable(change) else change
            return run
        e = "verificationMaterial__tlogEntries__0__"
        good = self.made()
        other = self.made() # another signature of the same files, with an entry of its own
        for name, change in {
            "signed timestamp": edit(**{e + "inclusionPromise__signedEntryTimestamp": flip}),
            "outer index": edit(**{e + "logIndex": "78"}),
            "time": edit(**{e + "integratedTime": str(self.begin + 31)}),
            "hash of the proof": edit(**{e + "inclusionProof__hashes": lambda h: [flip(h[0])]}),
            "index of the proof": edit(**{e + "inclusionProof__logIndex": "1"}),
            "root": edit(**{e + "inclusionProof__rootHash": flip}),
            "checkpoint": edit(**{e + "inclusionProof__checkpoint__envelope": lambda t: t.replace("log.example - 1", "log.example - 2")}),
            "no proof": lambda b: entry(b).pop("inclusionProof"),
            "no entry": edit(verificationMaterial__tlogEntries=[]),
            "entry of another signature": lambda b: b["verificationMaterial"].update(
                tlogEntries=other["verificationMaterial"]["tlogEntries"]),
            "stamp of another signature": lambda b: b["verificationMaterial"].update(
                timestampVerificationData=other["verificationMaterial"]["timestampVerificationData"]),
            "signature": lambda b: b["dsseEnvelope"]["signatures"][0].update(
                sig=other["dsseEnvelope"]["signatures"][0]["sig"]),
            "after the certificate's end": lambda b: b["verificationMaterial"].update(tlogEntries=[self.entry(
                base64.b64decode(entry(b)["canonicalizedBody"]), self.begin + 601)]),
        }.items():
            with self.subTest(name):
                b = json.loads(json.dumps(good))
                change(b)
                self.assertFalse(self.check(b, code=1)["verified"])
        self.check(good)


class Tiles(Sigstore):
    """Entries of Rekor 2: no promise and no time, a checkpoint that an Ed25519 key signs under the log's name."""

    ORIGIN = "log.example"

    def setUp(self):
        super().setUp()
        self.tiles = self.tmp / "tiles"
        sh("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.tiles)
        self.tiles_pub = self.tmp / "tiles.pub"
        self.tiles_pub.write_bytes(sh("openssl", "pkey", "-in", self.tiles, "-pubout"))
        self.log_id = self.note_id(self.ORIGIN)

    def note_id(self, name):
        return hashlib.sha256(name.encode() + b"\n\1" + self.spki(self.tiles_pub)[-32:]).digest()

    def root(self, **drop):
        start = drop.pop("start", "2025-09-23T00:00:00Z")
        log = {"baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256", "logId": {"keyId": b64(self.log_id)},
               "publicKey": {"rawBytes": b64(self.spki(self.tiles_pub)), "keyDetails": "PKIX_ED25519", "validFor": {"start": start}}}
        return super().root(**({"tlogs": [log]} | drop))

    def entry(self, body, time=None, origin=None, name=None, extra="", lines=(), key=None):
        """Leaf 2 of a tree of 3."""
        origin = origin or self.ORIGIN
        leaf = hashlib.sha256(b"\0" + body).digest()
        left = hashlib.sha256(b"\1" + bytes(32) + b"\1" * 32).digest()
        top = hashlib.sha256(b"\1" + left + leaf).digest()
        note = "%s\n3\n%s\n%s" % (origin, b64(top), extra)
        (self.tmp / "note").write_bytes(note.encode())
        sig = sh("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key or self.tiles, "-in", self.tmp / "note")
        signed = "\u2014 %s %s" % (name or origin, b64(self.log_id[:4] + sig))
        return {"logIndex": "2", "logId": {"keyId": b64(self.log_id)}, "kindVersion": {"kind": "dsse", "version": "0.0.2"},
                "inclusionProof": {"logIndex": "2", "treeSize": "3", "rootHash": b64(top), "hashes": [b64(left)],
                                   "checkpoint": {"envelope": note + "\n" + "".join(x + "\n" for x in (*lines, signed))}},
                "canonicalizedBody": b64(body)}

    def body(self, payload, sig, cert=None, **more):
        one = {"content": b64(sig), "verifier": {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": b64(cert or self.leaf)}}}
        spec = {"payloadHash": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(payload).digest())}, "signatures": [one]} | more
        return json.dumps({"apiVersion": "0.0.2", "kind": "dsse", "spec": {"dsseV002": spec}}, sort_keys=True, separators=(",", ":")).encode()

    def parts(self, b):
        return (base64.b64decode(b["dsseEnvelope"]["payload"]), base64.b64decode(b["dsseEnvelope"]["signatures"][0]["sig"]))

    def made(self):
        self.sign(self.model, "--key", self.leaf_key)
        b = self.bundle()
        b["verificationMaterial"] = {"certificate": {"rawBytes": b64(self.leaf)}, "tlogEntries": [self.entry(self.body(*self.parts(b)))],
                                     "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": b64(self.stamp(self.parts(b)[1]))}]}}
        return b

    def with_entry(self, b, entry):
        b = json.loads(json.dumps(b))
        b["verificationMaterial"]["tlogEntries"] = [entry]
        return b

    def test_everything_is_checked(self):
        b, root = self.made(), self.root()
        r = self.check(b, root)
        self.assertEqual((r["verified"], r["checked"]), (True, {"log": True, "timestamp": True, "certificate_transparency": True}))
        self.assertIn(r["signer"]["signed_at"] - self.begin, range(600))
        self.check(b, root, code=1, identity="ben@example.org")
        body = self.body(*self.parts(b))
        # further lines and signatures of others, as C2SP has them
        witness = "\u2014 witness.example " + b64(bytes(76))
        self.assertTrue(self.check(self.with_entry(b, self.entry(body, extra="an extension\n", lines=[witness])), root)["verified"])
        # a time that nobody signed says nothing, and nothing hangs on it
        e = self.entry(body)
        e["integratedTime"] = "1"
        self.assertTrue(self.check(self.with_entry(b, e), root)["verified"])

    def test_each_part_can_fail(self):
        b = self.made()
        payload, sig = self.parts(b)
        body = self.body(payload, sig)
        other, root = self.tmp / "othertiles", self.root()
        sh("openssl", "genpkey", "-algorithm", "ed25519", "-out", other)
        one = {"content": b64(sig), "verifier": {"x509Certificate": {"rawBytes": b64(self.leaf)}}}
        cases = {
            "another payload": self.entry(self.body(payload + b" ", sig)),
            "another signature": self.entry(self.body(payload, sig[:-1] + bytes([sig[-1] ^ 1]))),
            "another signer": self.entry(self.body(payload, sig, cert=self.der_of(self.ca))),
            "two signatures": self.entry(self.body(payload, sig, signatures=[one, one])),
            "a key instead of the certificate": self.entry(self.body(payload, sig, signatures=[
                {"content": b64(sig), "verifier": {"publicKey": {"rawBytes": b64(self.spki(self.tiles_pub))}}}])),
            "another algorithm": self.entry(self.body(payload, sig, payloadHash={"algorithm": "SHA2_384", "digest": b64(
                hashlib.sha256(payload).digest())})),
            "another version": self.entry(body.replace(b"0.0.2", b"0.0.3")),
            "another kind": self.entry(body.replace(b'"dsse"', b'"hashedrekord"')),
            "another key": self.entry(body, key=other),
            "another log's name": self.entry(body, origin="evil.example"),
            "signed under another name": self.entry(body, name="witness.example"),
        }
        for path, value in (("rootHash", b64(bytes(32))), ("treeSize", "4"), ("logIndex", "1"), ("hashes", []), ("checkpoint", {}),
                            ("checkpoint", {"envelope": cases["another log's name"]["inclusionProof"]["checkpoint"]["envelope"]})):
            e = self.entry(body)
            e["inclusionProof"][path] = value
            cases[path + str(value)[:20]] = e
        cases["no proof"] = {k: v for k, v in self.entry(body).items() if k != "inclusionProof"}
        cases["a promise without a time"] = self.entry(body) | {"inclusionPromise": {"signedEntryTimestamp": b64(bytes(70))}}
        cases["a false promise"] = cases["a promise without a time"] | {"integratedTime": str(self.begin + 30)}
        for name, e in cases.items():
            with self.subTest(name):
                r = self.check(self.with_entry(b, e), root, code=3 if name in ("another version", "another kind") else 1)
                self.assertFalse(r["verified"])
        self.check(b)

    def test_time_comes_from_stamps(self):
        b = self.made()
        none = json.loads(json.dumps(b))
        del none["verificationMaterial"]["timestampVerificationData"]
        self.assertIn("a timestamp by an authority", self.check(none, code=1)["error"])
        self.assertIn("a timestamp by an authority", self.check(b, self.root(timestampAuthorities=[]), code=1)["error"])
        self.assertIn("was not at that time", self.check(b, self.root(start="2098-01-01T00:00:00Z"), code=1)["error"])

    def test_id_of_a_log_is_bound_to_its_name(self):
        """The key is right, the id in the trusted root belongs to another name."""
        self.log_id = self.note_id("other.example")
        self.assertIn("not signed by the log", self.check(self.made(), code=1)["error"])


if VECTORS.exists(): # other people's data: read where it lies, never copied here
    class Published(Case):
        def test_vectors(self):
            with tarfile.open(VECTORS) as t:
                t.extractall(self.tmp, filter="data")
            top = self.tmp / "oms"
            pub, root = (top / "keys" / "certificate" / n for n in ("signing-key-pub.pem", "ca-cert.pem"))
            for d in sorted(top.glob("v*-elliptic-key")):
                one = b'"."' in base64.b64decode(self.bundle(d / "model.sig")["dsseEnvelope"]["payload"])
                self.assertTrue(self.verify(d / "signme-1" if one else d, "--signature", d / "model.sig", "--key", pub, "--ignore",
                                            "ignore-me")["verified"], d)
            for d in sorted(top.glob("v*-certificate")):
                old = d.name.startswith("v0.2")
                r = self.verify(d, "--cert", root, "--ignore", "ignore-me", code=3 if old else 0)
                self.assertEqual(r["verified"], not old)
                self.assertEqual("sign it again" in r.get("error", ""), old)
