#!/usr/bin/env python3
"""A stand-in for Ollama, for tests only.

It is no model server: it answers Ollama's HTTP API with the shapes, defaults and quirks of Ollama 0.33 and with
made-up text, because no package ships the real one. What is kept faithful: NDJSON streams on by default,
the final line's counters, keep-alive, keys matched without regard to case, the last duplicate winning, error shapes,
tool calls with object arguments, JSON schema in `format`, unload by `keep_alive: 0`, no authentication at all.

    ollama_standin.py [--host H] [--port P] [--model NAME]... [--delay SECONDS]
"""
import argparse
import hashlib
import json
import math
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = ("the gate stands open by day and shut by night for who comes late must knock and say a name "
         "é naïve Straße 東京 🙂 while watchmen count each lantern on the wall").split()
VERSION = "0.33.0"
TEMPLATE = "{{ .Prompt }}"
STAMP = "2026-08-21T10:00:00.000000Z"


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".%06dZ" % (time.time_ns() // 1000 % 1000000)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def say(prompt, count):
    seed = int(digest(prompt)[:8], 16)
    return [WORDS[(seed + 7 * i) % len(WORDS)] + " " for i in range(count)]


def from_schema(schema, depth=0):
    """A value that a JSON schema allows, as a constrained sampler would produce one."""
    if not isinstance(schema, dict) or depth > 8:
        return {}
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return from_schema(schema[key][0], depth + 1)
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {k: from_schema(v, depth + 1) for k, v in schema.get("properties", {}).items()}
    if kind == "array":
        return [from_schema(schema.get("items", {}), depth + 1) for _ in range(max(1, schema.get("minItems", 1)))]
    return {"string": "lantern", "integer": 7, "number": 1.5, "boolean": True, "null": None}.get(kind)


def embed(text, dims=64):
    """Bag of words: equal texts give equal vectors, similar ones a high cosine."""
    v = [0.0] * dims
    for w in re.findall(r"\w+", text.lower()) or [""]:
        v[int(digest(w)[:6], 16) % dims] += 1.0
    norm = math.sqrt(sum(x * x for x in v))
    return [x / norm for x in v]


class Refusal(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ollama-standin"

    def log_message(self, *args):
        pass

    # ---- plumbing

    def reply(self, status, body, kind="application/json; charset=utf-8"):
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def begin_stream(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def lines(self, objects):
        self.begin_stream("application/x-ndjson")
        for o in objects:
            self.chunk(json.dumps(o, ensure_ascii=False).encode() + b"\n")
            time.sleep(self.server.delay)
        self.chunk(b"")

    def body(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            # Go's encoding/json: names match in any case, the last duplicate wins
            value = json.loads(raw, object_pairs_hook=lambda p: dict(p))
        except ValueError as e:
            raise Refusal(400, str(e)) from None
        if not isinstance(value, dict):
            raise Refusal(400, "json: cannot unmarshal value into Go value")
        return {k.lower(): v for k, v in value.items()}

    def model(self, q):
        name = q.get("model") or q.get("name") or ""
        if not name:
            raise Refusal(400, "model is required")
        if name not in self.server.models and name + ":latest" not in self.server.models:
            raise Refusal(404, "model '%s' not found" % name)
        self.server.loaded.add(name)
        return name

    # ---- routes

    def do_GET(self):
        simple = {"/": lambda: (200, b"Ollama is running"),
                  "/api/version": lambda: (200, {"version": VERSION}),
                  "/api/tags": lambda: (200, {"models": [self.listed(m) for m in self.server.models]}),
                  "/api/ps": lambda: (200, {"models": [dict(self.listed(m), expires_at=now(), size_vram=0)
                                                       for m in sorted(self.server.loaded)]}),
                  "/v1/models": lambda: (200, {"object": "list", "data": [
                      {"id": m, "object": "model", "created": 1755770400, "owned_by": "library"}
                      for m in self.server.models]})}
        make = simple.get(self.path)
        status, body = make() if make else (404, b"404 page not found")
        self.reply(status, body, "text/plain" if isinstance(body, bytes) else "application/json; charset=utf-8")

    do_HEAD = do_GET

    def do_POST(self):
        routes = {"/api/chat": self.chat, "/api/generate": self.generate, "/api/embed": self.embed,
                  "/api/embeddings": self.embeddings, "/api/show": self.show,
                  "/v1/chat/completions": self.openai_chat, "/v1/embeddings": self.openai_embeddings}
        handler = routes.get(self.path)
        try:
            q = self.body()
            if handler is None:
                return self.reply(404, b"404 page not found", "text/plain")
            handler(q)
        except Refusal as e:
            shape = {"error": str(e)}
            if self.path.startswith("/v1/"):
                shape = {"error": {"message": str(e), "type": "api_error", "param": None, "code": None}}
            self.reply(e.status, shape)
        except (BrokenPipeError, ConnectionResetError):
            self.server.aborted += 1
            self.close_connection = True

    def listed(self, m):
        return {"name": m, "model": m, "modified_at": STAMP, "size": 4958176, "digest": digest(m),
                "details": {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
                            "parameter_size": "2M", "quantization_level": "F16"}}

    def counters(self, start, prompt, count):
        took = time.monotonic_ns() - start
        return {"done_reason": "stop", "done": True, "total_duration": took, "load_duration": 1000,
                "prompt_eval_count": max(1, len(prompt) // 4), "prompt_eval_duration": 1000,
                "eval_count": count, "eval_duration": took}

    def words(self, q, prompt):
        """num_predict is a maximum; the answer itself is 12 words, or 2,000 when it is asked for "at length"."""
        natural = 2000 if "at length" in prompt else 12
        most = (q.get("options") or {}).get("num_predict", -1)
        return say(prompt, min(natural, most) if most > 0 else natural)

    def chat(self, q):
        name, start = self.model(q), time.monotonic_ns()
        messages = q.get("messages") or []
        prompt = json.dumps(messages)
        if not messages: # what the client's preload and unload send
            return self.reply(200, {"model": name, "created_at": now(), "message": {"role": "assistant", "content": ""},
                                    "done_reason": "load", "done": True})
        last = messages[-1]
        calls = []
        if q.get("tools") and last.get("role", "").lower() == "user":
            f = q["tools"][0].get("function", {})
            calls = [{"function": {"name": f.get("name"), "arguments": from_schema(f.get("parameters"))}}]
            parts = []
        elif q.get("format"):
            shape = {} if q["format"] == "json" else from_schema(q["format"])
            text = json.dumps(shape)
            parts = [text[i:i + 5] for i in range(0, len(text), 5)]
        else:
            parts = self.words(q, prompt)

        def message(content, **more):
            return {"model": name, "created_at": now(), "message": dict(role="assistant", content=content, **more)}
        end = self.counters(start, prompt, max(1, len(parts)))
        if q.get("stream", True) is False:
            more = {"tool_calls": calls} if calls else {}
            return self.reply(200, dict(message("".join(parts), **more), **end))
        out = [dict(message("", tool_calls=calls), done=False)] if calls else []
        out += [dict(message(p), done=False) for p in parts]
        self.lines(out + [dict(message(""), **end)])

    def generate(self, q):
        name, start = self.model(q), time.monotonic_ns()
        prompt = q.get("prompt") or ""
        if not prompt:
            return self.reply(200, {"model": name, "created_at": now(), "response": "", "done": True,
                                    "done_reason": "unload" if q.get("keep_alive") == 0 else "load"})
        if q.get("format"):
            parts = [json.dumps({} if q["format"] == "json" else from_schema(q["format"]))]
        else:
            parts = self.words(q, prompt)
        end = dict(self.counters(start, prompt, len(parts)), context=[1, 2, 3])
        base = {"model": name}
        if q.get("stream", True) is False:
            return self.reply(200, dict(base, created_at=now(), response="".join(parts), **end))
        out = [dict(base, created_at=now(), response=p, done=False) for p in parts]
        self.lines(out + [dict(base, created_at=now(), response="", **end)])

    def embed(self, q):
        name = self.model(q)
        given = q.get("input")
        texts = [given] if isinstance(given, str) else given if isinstance(given, list) else None
        if texts is None or not all(isinstance(t, str) for t in texts):
            raise Refusal(400, "invalid input type")
        self.reply(200, {"model": name, "embeddings": [embed(t) for t in texts], "total_duration": 1000,
                         "load_duration": 100, "prompt_eval_count": sum(len(t) // 4 + 1 for t in texts)})

    def embeddings(self, q):
        self.model(q)
        self.reply(200, {"embedding": embed(q.get("prompt") or "")})

    def show(self, q):
        name = self.model(q)
        self.reply(200, {"modelfile": "FROM /var/lib/ollama/blobs/sha256-" + digest(name), "template": TEMPLATE,
                         "system": "internal system prompt", "parameters": "", "modified_at": STAMP,
                         "details": self.listed(name)["details"], "capabilities": ["completion", "tools"],
                         "model_info": {"general.architecture": "llama", "llama.context_length": 16384}})

    # ---- Ollama's OpenAI surface

    def openai_chat(self, q):
        name = self.model(q)
        prompt = json.dumps(q.get("messages") or [])
        parts = say(prompt, min(q.get("max_tokens") or 12, 64))
        ident = "chatcmpl-%d" % (time.time_ns() % 1000)
        usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(parts),
                 "total_tokens": len(prompt) // 4 + len(parts)}
        base = {"id": ident, "created": int(time.time()), "model": name, "system_fingerprint": "fp_ollama"}
        if not q.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": "".join(parts)}, "finish_reason": "stop"}
            return self.reply(200, dict(base, object="chat.completion", choices=[choice], usage=usage))
        self.begin_stream("text/event-stream")

        def event(choices, **more):
            o = dict(base, object="chat.completion.chunk", choices=choices, **more)
            self.chunk(b"data: " + json.dumps(o, ensure_ascii=False).encode() + b"\n\n")
        for p in parts:
            event([{"index": 0, "delta": {"role": "assistant", "content": p}, "finish_reason": None}])
            time.sleep(self.server.delay)
        event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}])
        if (q.get("stream_options") or {}).get("include_usage"):
            event([], usage=usage)
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def openai_embeddings(self, q):
        name = self.model(q)
        given = q.get("input")
        texts = [given] if isinstance(given, str) else given
        data = [{"object": "embedding", "embedding": embed(t), "index": i} for i, t in enumerate(texts)]
        n = sum(len(t) // 4 + 1 for t in texts)
        self.reply(200, {"object": "list", "data": data, "model": name, "usage": {"prompt_tokens": n, "total_tokens": n}})


class Standin(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, models=("tiny:latest",), delay=0.0):
        super().__init__(address, Handler)
        self.models, self.delay = list(models), delay
        self.loaded, self.aborted = set(), 0


def start(models=("tiny:latest",), delay=0.0):
    """In a thread of the calling test; ret.server_address tells the port."""
    s = Standin(("127.0.0.1", 0), models, delay)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    a.add_argument("--host", default="127.0.0.1")
    a.add_argument("--port", type=int, default=11434)
    a.add_argument("--model", action="append")
    a.add_argument("--delay", type=float, default=0.0, help="seconds between lines of a stream")
    o = a.parse_args()
    s = Standin((o.host, o.port), o.model or ["tiny:latest"], o.delay)
    print("listening on %s:%d" % s.server_address[:2], flush=True)
    s.serve_forever()


if __name__ == "__main__":
    main()
