"""npm's packages of tests/validators: official schemas and npm's own reading of versions."""
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parents[1] / "validators"


def node(script, *args, **more):
    stamp = HERE / "node_modules" / ".bartizan-lock"
    lock = (HERE / "package-lock.json").read_bytes()
    if not stamp.exists() or stamp.read_bytes() != lock:
        subprocess.run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"], cwd=HERE, check=True)
        stamp.write_bytes(lock)
    return subprocess.run(["node", str(HERE / script), *map(str, args)], capture_output=True, text=True, timeout=60, **more)
