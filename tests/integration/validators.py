"""npm's packages of tests/validators: a JSON schema validator, official schemas, npm's own reading of versions.

The schemas are other people's texts and not part of this project. They are taken out of published packages, each pinned by
its digest: CycloneDX's (Apache-2.0) from its JavaScript library, SPDX 3.0.1's (Community Specification Licence 1.0) from cdxgen.
"""
import base64
import functools
import hashlib
import pathlib
import subprocess
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parents[1] / "validators"
FETCHED = HERE / "node_modules" / ".schemas"
CYCLONEDX = ("@cyclonedx/cyclonedx-library@10.3.0", "sha512-RIT28sp1U0PCHaaeF3yNRwk6Jig/XJ8UsYAVOMYaHQ+0VVOvsjcp0PTWQFLUqJFF8XMud+Kdq6G+wtDAh+QJFA==",
             {"package/res/schema/%s.SNAPSHOT.schema.json" % n: n + ".schema.json"
              for n in ("bom-1.6", "bom-1.7", "spdx", "jsf-0.82", "cryptography-defs")})
SPDX = ("@cyclonedx/cdxgen@12.8.4", "sha512-9EMER2beUSU7fvKgVaYOnYCFqAHrY3bQ7ERenh29/Edku0ctEXzYdov6vCmjmo/hSBH+JtvA7+j1U884MVYFOA==", {"package/data/spdx-export.schema.json": "spdx-3.0.1.schema.json"})


def install():
    stamp = HERE / "node_modules" / ".bartizan-lock"
    lock = (HERE / "package-lock.json").read_bytes()
    if not stamp.exists() or stamp.read_bytes() != lock:
        subprocess.run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"], cwd=HERE, check=True)
        stamp.write_bytes(lock)


def node(script, *args, **more):
    install()
    return subprocess.run(["node", str(HERE / script), *map(str, args)], capture_output=True, text=True, timeout=60, **more)


def unpack(package, integrity, files):
    """Files of a published package, its archive checked against the digest; nothing of it is installed or run."""
    if all((FETCHED / name).exists() for name in files.values()):
        return
    FETCHED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["npm", "pack", package, "--loglevel=error", "--ignore-scripts", "--pack-destination", tmp],
                       capture_output=True, check=True, cwd=HERE)
        (archive,) = pathlib.Path(tmp).iterdir()
        if "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != integrity:
            raise ValueError(package + " is not what it was")
        with tarfile.open(archive) as t:
            for member, name in files.items():
                text = t.extractfile(member).read().replace(b".SNAPSHOT.", b".") # the library renames the files
                (FETCHED / name).write_bytes(text)


@functools.cache
def schemas():
    """The folder with the official schemas."""
    install()
    unpack(*CYCLONEDX)
    unpack(*SPDX)
    return FETCHED


def valid(standard, *files, folder=None):
    """What the schema of a standard (cyclonedx-1.6, cyclonedx-1.7, spdx-3) says about these files: "" where they are valid."""
    r = node("validate.cjs", folder or schemas(), standard, *files)
    if r.returncode not in (0, 1):
        raise RuntimeError(r.stderr)
    return r.stdout
