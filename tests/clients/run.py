#!/usr/bin/env python3
"""Starts two real llama-servers, the Ollama stand-in and an instance, then runs run.mjs over all of it.

    run.py [PART_OF_A_CASE'S_NAME]      BARTIZAN_CAGED=1: the first of them in a cage
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "standins")]
import ollama_standin # noqa: E402
from harness import Instance, backend # noqa: E402
from test_model import start_server # noqa: E402

ROLES = """
roles:
  - {name: user, params: {allow_grammar: true}}
  - {name: nothing, routes: [models], models: ["*"]}
  - {name: slowly, routes: ["*"], models: ["*"], limits: {requests_per_minute: 1, requests_burst: 1}}
data:
  custom:
    - {name: STOP_WORD, words: [Basilisk]}
    - {name: REPLY_WORD, words: [Quetzal]}
  rules:
    - {types: [STOP_WORD], action: block}
    - {types: [REPLY_WORD], action: block, direction: reply}
"""


def install():
    stamp = HERE / "node_modules" / ".bartizan-lock"
    lock = (HERE / "package-lock.json").read_bytes()
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    print("clients: npm installs the SDKs (versions are pinned)", flush=True)
    subprocess.run(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"], cwd=HERE, check=True)
    stamp.write_bytes(lock)


def main():
    install()
    guard = unittest.TestCase()
    try:
        if os.environ.get("BARTIZAN_CAGED"): # the same server in a cage, reached by its socket
            import test_sandbox
            backend_url, chat = test_sandbox.start_caged(guard, "-c", "32768")
        else:
            backend_url = chat = start_server(guard, "-c", "32768")
        embed = start_server(guard, "--embeddings", "--pooling", "mean", alias="tiny-embed")
        ollama = ollama_standin.start(delay=0.003)
        ollama_url = "http://127.0.0.1:%d" % ollama.server_address[1]
        i = Instance([backend("chat", "llama.cpp", backend_url), backend("embed", "llama.cpp", embed), backend("ollama", "ollama", ollama_url)],
                     extra=ROLES)
        guard.addCleanup(i.close)
        i.start()
        for m in ("tiny", "tiny-embed", "tiny:latest"):
            i.served(m)
        names = {"chatModel": "tiny", "embedModel": "tiny-embed", "ollamaModel": "tiny:latest"}
        url = "https://127.0.0.1:%d" % i.port
        # llama-server ends an idle connection whenever it likes, and a client that has just sent on it sees that
        # as an error: the calls made for comparison may try again, those through the gateway never do.
        targets = {
            "direct": names | {"openai": chat + "/v1", "anthropic": chat, "embed": embed + "/v1", "ollama": ollama_url, "key": "none",
                               "retries": 2},
            "gateway": names | {"openai": url + "/v1", "anthropic": url, "embed": url + "/v1", "ollama": url, "key": i.key, "admin": i.admin,
                                "retries": 0, "forbidden": i.new_key("fay", role="nothing")["key"],
                                "limited": i.new_key("lim", role="slowly")["key"]},
        }
        f = i.holder / "targets.json"
        f.write_text(json.dumps(targets))
        i.served("tiny")
        r = subprocess.run(["node", str(HERE / "run.mjs"), str(f), *sys.argv[1:]], env=dict(os.environ, NODE_EXTRA_CA_CERTS=i.ca), cwd=HERE)
        if r.returncode:
            sys.stderr.write(i.output()[-2000:])
        return r.returncode
    finally:
        guard.doCleanups()


if __name__ == "__main__":
    sys.exit(main())
