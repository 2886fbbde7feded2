#!/usr/bin/env python3
"""The official MCP SDK, client and server, with the gateway between them."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
from harness import Instance, backend, stop_process, wait_for # noqa: E402
from run import install # noqa: E402


def server(guard, *args):
    p = subprocess.Popen(["node", str(HERE / "mcp_server.mjs"), *args], stdout=subprocess.PIPE, text=True, cwd=HERE)
    guard.addCleanup(p.stdout.close)
    guard.addCleanup(stop_process, p)
    return int(p.stdout.readline())


APPROVED = (("tool", "add"), ("tool", "slow"), ("resource", "demo://page"), ("prompt", "greet"))


def seen(i, name):
    servers = json.loads(i.cli("mcp", "list", i.dir, "--json"))["servers"]
    return sorted((d["kind"], d["name"]) for s in servers if s["name"] == name for d in s["definitions"])


def main():
    install()
    guard = unittest.TestCase()
    try:
        lines = "mcp:\n"
        for name, args in (("demo", ()), ("plain", ("stateless",))):
            lines += "  - {name: %s, url: 'http://127.0.0.1:%d/mcp', key_file: secrets/tools, check_s: 1}\n" % (name, server(guard, *args))
        i = Instance([backend("x", "openai", "http://127.0.0.1:9", models=["m"])], extra=lines)
        guard.addCleanup(i.close)
        (i.dir / "secrets" / "tools").write_text("tool-secret\n")
        i.start()
        other = i.new_key("eve")["key"]
        failed = 0
        for name in ("demo", "plain"):
            wait_for(lambda name=name: seen(i, name) == sorted([*APPROVED, ("tool", "hidden")]))
            for kind, one in APPROVED:
                i.cli("mcp", "approve", i.dir, name, one, "--kind", kind)
            r = subprocess.run(["node", str(HERE / "mcp_client.mjs"), "https://127.0.0.1:%d/mcp/%s" % (i.port, name), i.key, other,
                                "stateless" if name == "plain" else ""],
                               env=dict(os.environ, NODE_EXTRA_CA_CERTS=i.ca), cwd=HERE)
            failed += r.returncode != 0
        if failed:
            sys.stderr.write(i.output()[-2000:])
        print("%d passed, %d failed" % (2 - failed, failed))
        return 1 if failed else 0
    finally:
        guard.doCleanups()


if __name__ == "__main__":
    sys.exit(main())
