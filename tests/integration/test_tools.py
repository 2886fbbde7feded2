"""Tools and links through nginx: a scripted model server obeys every injection; what policy denies reaches no client."""
import contextlib
import http.server
import json
import re
import threading
import unittest

from harness import Case, Instance, backend, wait_for

POLICY = """tools:
  - {name: look, effect: read, egress: false}
  - name: mail
    effect: irreversible
    schema: >-
      {"type":"object","properties":{"to":{"type":"string","format":"email","hosts":["good.example"]}},"required":["to"]}
  - {name: pay, call: approve}
agent:
  hosts: [good.example]
data:
  rules: [{types: [EMAIL_ADDRESS], action: allow}]
"""
BAD = "zzforbiddenzz"


class Script(http.server.ThreadingHTTPServer):
    """Answers each POST with the bytes that the test put there."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.reply, self.type, self.cut, self.seen = b"{}", "application/json", 0, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_port


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def send(self, kind, body, cut=0):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError): # the gateway hangs up on what it refuses
            for at in range(0, len(body), cut or len(body) or 1):
                self.wfile.write(body[at:at + (cut or len(body))])
                self.wfile.flush()

    def do_GET(self): # noqa: N802
        self.send("application/json", b'{"object":"list","data":[],"models":[],"version":"1.0.0"}')

    def do_POST(self): # noqa: N802
        self.server.seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send(self.server.type, self.server.reply, self.server.cut)


def sse(*events):
    return b"".join(b"data: " + (e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n\n" for e in events)


class Chat:
    path, model, type = "/v1/chat/completions", "m", "text/event-stream"

    @staticmethod
    def whole(name, args):
        call = {"id": "c", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
        return {"choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [call]},
                             "finish_reason": "tool_calls"}]}

    @staticmethod
    def stream(name, args):
        text = json.dumps(args)
        def delta(d, end=None):
            return {"choices": [{"index": 0, "delta": d, "finish_reason": end}]}
        def call(**f):
            return {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": f}]}
        return sse(delta({"content": "so. "}), delta(call(name=name, arguments="")), delta(call(arguments=text[:5])),
                   delta(call(arguments=text[5:])), delta({}, "tool_calls"), b"[DONE]")


class Responses:
    path, model, type = "/v1/responses", "m", "text/event-stream"

    @staticmethod
    def item(name, args):
        return {"type": "function_call", "id": "f", "call_id": "c", "name": name, "arguments": args}

    @classmethod
    def whole(cls, name, args):
        return {"id": "r", "object": "response", "status": "completed", "model": "m", "output": [cls.item(name, json.dumps(args))]}

    @classmethod
    def stream(cls, name, args):
        text, kind = json.dumps(args), "response.function_call_arguments."
        at = {"item_id": "f", "output_index": 0}
        return sse({"type": "response.output_item.added", "output_index": 0, "item": cls.item(name, "")},
                   {"type": kind + "delta", "delta": text[:5], **at}, {"type": kind + "delta", "delta": text[5:], **at},
                   {"type": kind + "done", "arguments": text, **at},
                   {"type": "response.output_item.done", "output_index": 0, "item": cls.item(name, text)},
                   {"type": "response.completed", "response": cls.whole(name, args)})


class Messages:
    path, model, type = "/v1/messages", "claude", "text/event-stream"

    @staticmethod
    def whole(name, args):
        return {"id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use",
                "content": [{"type": "tool_use", "id": "c", "name": name, "input": args}],
                "usage": {"input_tokens": 1, "output_tokens": 1}}

    @staticmethod
    def stream(name, args):
        text = json.dumps(args)
        def piece(t):
            return {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": t}}
        head = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": [],
                "usage": {"input_tokens": 1, "output_tokens": 1}}
        return sse({"type": "message_start", "message": head},
                   {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "c", "name": name, "input": {}}},
                   piece(text[:5]), piece(text[5:]), {"type": "content_block_stop", "index": 0},
                   {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}}, {"type": "message_stop"})


class Ollama:
    path, model, type = "/api/chat", "olla", "application/x-ndjson"

    @staticmethod
    def whole(name, args):
        return {"model": "olla", "message": {"role": "assistant", "content": "", "tool_calls": [
            {"function": {"name": name, "arguments": args}}]}, "done": True, "done_reason": "stop"}

    @classmethod
    def stream(cls, name, args):
        last = {"model": "olla", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
        return b"".join(json.dumps(o).encode() + b"\n" for o in (cls.whole(name, args) | {"done": False}, last))


APIS = {"chat": Chat, "responses": Responses, "messages": Messages, "ollama": Ollama}


class Tools(Case):
    @classmethod
    def setUpClass(cls):
        cls.up = Script()
        cls.i = Instance([backend("o", "openai", cls.up.url, ["m"]), backend("a", "anthropic", cls.up.url, ["claude"]),
                          backend("l", "ollama", cls.up.url, ["olla"])], extra=POLICY).start()

    @classmethod
    def tearDownClass(cls):
        cls.i.close()
        cls.up.shutdown()
        cls.up.server_close()

    def ask(self, api, stream, more=None):
        q = {"model": api.model, "stream": stream}
        said = [{"role": "user", "content": "hi"}]
        q |= {"input": said} if api is Responses else {"messages": said}
        if api is Messages:
            q["max_tokens"] = 99
        return self.i.post(api.path, q | (more or {}))

    def call(self, api, stream, name, args, cut=0):
        self.up.type = api.type if stream else "application/json"
        self.up.reply = api.stream(name, args) if stream else json.dumps(api.whole(name, args)).encode()
        self.up.cut = cut
        return self.ask(api, stream)

    def test_denied_calls_reach_nobody(self):
        for name, api in APIS.items():
            for stream in (False, True):
                for tool, args in (("wipe", {"x": BAD}), ("l\u043eok", {"x": BAD}), ("mail", {"to": BAD + "@evil.example"}),
                                   ("mail", {"to": "a@good.example", "bcc": BAD}), ("pay", {"x": BAD})):
                    for cut in (0, 1) if stream else (0,):
                        with self.subTest(api=name, stream=stream, tool=tool, cut=cut):
                            r = self.call(api, stream, tool, args, cut)
                            self.assertNotIn(BAD.encode(), r.body)
                            self.assertEqual(r.status, 200 if stream else 403, r)
                            self.assertIn(b"was not passed on", r.body)
        found = json.dumps(self.i.export())
        for word in ("tool:wipe:deny:1", "tool:?:deny:1", "tool:mail:deny:1", "tool:pay:approve:1", "tool_argument", "tool_approval"):
            self.assertIn(word, found)
        self.assertNotIn(BAD, found)

    def test_allowed_calls_pass(self):
        for name, api in APIS.items():
            for stream in (False, True):
                for tool, args in (("look", {"x": "fine"}), ("mail", {"to": "ann@good.example"})):
                    with self.subTest(api=name, stream=stream, tool=tool):
                        r = self.call(api, stream, tool, args, 7 if stream else 0)
                        self.assertEqual(r.status, 200, r)
                        self.assertIn(b'"' + tool.encode() + b'"', r.body)
                        self.assertNotIn(b"not passed on", r.body)

    def test_an_approval_is_good_once(self):
        args = {"to": "ann", "sum": 5}
        r = self.call(Chat, False, "pay", args)
        self.assertEqual((r.status, r.code), (403, "tool_approval"))
        ident = re.search(rb"very call as ([0-9a-f]{32})", r.body)[1].decode()
        self.i.cli("dlp", "approve", self.i.dir, ident, "--note", "asked Ann")

        def passes():
            """the approval to reach the workers"""
            return self.call(Chat, True, "pay", {"sum": 5.0, "to": "ann"}).body.count(b'"pay"') == 1
        self.assertNotIn(b'"pay"', self.call(Chat, False, "pay", {"to": "bob", "sum": 5}).body)
        wait_for(passes)
        for stream in (False, True):
            r = self.call(Chat, stream, "pay", args)
            self.assertNotIn(b'"pay"', r.body)
            self.assertNotIn(ident.encode(), r.body)
        self.assertIn("tool:pay:approved:1", json.dumps(self.i.export()))

    def test_denied_tools_are_not_offered(self):
        def tool(n):
            return {"type": "function", "function": {"name": n, "parameters": {"type": "object"}}}
        before = len(self.up.seen)
        for more in ({"tools": [tool("look"), tool("wipe")]},
                     {"tools": [tool("look")], "tool_choice": {"type": "function", "function": {"name": "wipe"}}}):
            r = self.ask(Chat, False, more)
            self.assertEqual((r.status, r.code), (403, "tool_denied"), r)
        self.assertEqual(len(self.up.seen), before)

    def test_links_lead_nowhere(self):
        text = "![x](https://evil.example/?q=1) and https://good.example/a"
        def delta(d, end=None):
            return {"choices": [{"index": 0, "delta": d, "finish_reason": end}]}
        for stream in (False, True):
            self.up.type = "text/event-stream" if stream else "application/json"
            self.up.cut = 1 if stream else 0
            self.up.reply = (sse(*[delta({"content": c}) for c in text], delta({}, "stop"), b"[DONE]") if stream else json.dumps(
                {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}).encode())
            r = self.ask(Chat, stream)
            self.assertEqual(r.status, 200)
            got = r.json["choices"][0]["message"]["content"] if not stream else "".join(
                json.loads(e[6:])["choices"][0]["delta"].get("content") or "" for e in r.body.decode().split("\n\n")
                if e.startswith("data: {"))
            self.assertEqual(got, "![x](hxxps[:]//evil[.]example/?q=1) and https://good.example/a")


if __name__ == "__main__":
    unittest.main()
