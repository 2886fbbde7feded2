#!/usr/bin/env python3
"""A model server that misbehaves on request, and keeps a list of everything it was asked. For tests only.

The model's name chooses what happens: "ok", "bytewise", "reset-mid" ... (the table MODES below says all of them); an
argument follows after "=": "slow=20x50" streams 20 events 50 ms apart. The reply has the shape of the path that was
asked (OpenAI chat, completions, embeddings, responses; Anthropic messages; Ollama). Every request that was received whole
is appended to a log, one JSON object a line, before anything is answered: the test counts both sides with it.

    hostile_upstream.py [--port P] [--log FILE]
"""
import argparse
import asyncio
import gzip
import json
import os
import socket
import struct
import threading

TEXT = ["Once ", "naïve ", "東京 ", "🙂 ", "e\u0301tude ", "said \"so\"\n", "\\u ", "end."]
SECRET = "SECRET-path=/srv/models/private.gguf prompt=hunter2"
MODES = {}


def mode(f):
    MODES[f.__name__.replace("_", "-")] = f
    return f


class Request:
    def __init__(self, method, target, version, headers, body):
        self.method, self.target, self.version, self.headers, self.body = method, target, version, headers, body
        self.path = target.split("?")[0]
        try:
            self.json = json.loads(body) if body else {}
        except ValueError:
            self.json = {}
        if not isinstance(self.json, dict):
            self.json = {}

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name), None)

    @property
    def stream(self):
        return self.json.get("stream", self.path in ("/api/chat", "/api/generate")) is True

    @property
    def ndjson(self):
        return self.path.startswith("/api/")


# ---- well-formed replies per API ---------------------------------------------------------------------------------


def usage_openai(n):
    return {"prompt_tokens": 7, "completion_tokens": n, "total_tokens": 7 + n}


def whole(q, text):
    m, n = q.json.get("model", "m"), len(text)
    t = "".join(text)
    if q.path.endswith("/embeddings"):
        return {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}], "model": m,
                "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    if q.path == "/api/embed":
        return {"model": m, "embeddings": [[0.25, -0.5]], "prompt_eval_count": 3}
    if q.path == "/api/chat":
        return {"model": m, "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": t}, "done": True,
                "done_reason": "stop", "prompt_eval_count": 7, "eval_count": n}
    if q.path == "/api/generate":
        return {"model": m, "created_at": "2026-01-01T00:00:00Z", "response": t, "done": True, "done_reason": "stop",
                "prompt_eval_count": 7, "eval_count": n}
    if q.path == "/v1/messages":
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": m, "content": [{"type": "text", "text": t}],
                "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 7, "output_tokens": n}}
    if q.path == "/v1/completions":
        return {"id": "c1", "object": "text_completion", "created": 1, "model": m,
                "choices": [{"index": 0, "text": t, "finish_reason": "stop", "logprobs": None}], "usage": usage_openai(n)}
    if q.path == "/v1/responses":
        item = {"id": "i1", "type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": t, "annotations": []}]}
        return {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": m, "output": [item],
                "usage": {"input_tokens": 7, "output_tokens": n, "total_tokens": 7 + n}}
    if q.path == "/completion":
        return {"content": t, "stop": True, "model": m, "tokens_predicted": n, "tokens_evaluated": 7}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": m,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": t}, "finish_reason": "stop"}],
            "usage": usage_openai(n)}


def named(kind, o):
    return ("event: %s\n" % kind).encode() + b"data: " + json.dumps(dict(o, type=kind), ensure_ascii=False).encode() + b"\n\n"


def events(q, text):
    """The parts of a good stream, each a whole event or line; the last ones end it."""
    m, n = q.json.get("model", "m"), len(text)

    def data(o):
        return b"data: " + json.dumps(o, ensure_ascii=False).encode() + b"\n\n"

    def line(o):
        return json.dumps(o, ensure_ascii=False).encode() + b"\n"
    if q.path == "/api/chat":
        return [line({"model": m, "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": t},
                      "done": False}) for t in text] + [line(whole(q, []) | {"eval_count": n})]
    if q.path == "/api/generate":
        return [line({"model": m, "created_at": "2026-01-01T00:00:00Z", "response": t, "done": False}) for t in text] + [
            line(whole(q, []) | {"eval_count": n})]
    if q.path == "/v1/messages":
        start = whole(q, []) | {"content": [], "stop_reason": None}
        return [named("message_start", {"message": start}),
                named("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})] + [
            named("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": t}}) for t in text] + [
            named("content_block_stop", {"index": 0}),
            named("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": n}}),
            named("message_stop", {})]
    if q.path == "/v1/responses":
        return [named("response.created", {"sequence_number": 0, "response": whole(q, []) | {"status": "in_progress", "output": []}})] + [
            named("response.output_text.delta", {"sequence_number": i + 1, "item_id": "i1", "output_index": 0, "content_index": 0,
                                                 "delta": t}) for i, t in enumerate(text)] + [
            named("response.completed", {"sequence_number": n + 1, "response": whole(q, text)})]
    if q.path == "/completion":
        return [data({"content": t, "stop": False}) for t in text] + [data(whole(q, []))]
    key = "text_completion" if q.path == "/v1/completions" else "chat.completion.chunk"

    def choice(t, end):
        c = {"index": 0, "finish_reason": end}
        return c | ({"text": t} if key == "text_completion" else {"delta": {"content": t} if t else {}})
    base = {"id": "chatcmpl-1", "object": key, "created": 1, "model": m}
    out = [data(base | {"choices": [choice(t, None)]}) for t in text] + [data(base | {"choices": [choice("", "stop")]})]
    if (q.json.get("stream_options") or {}).get("include_usage"):
        out.append(data(base | {"choices": [], "usage": usage_openai(n)}))
    return out + [b"data: [DONE]\n\n"]


class Reply:
    """What the modes write with. Everything goes out at once: no Nagle, no buffer of ours."""

    def __init__(self, w, q, arg, step):
        self.w, self.q, self.arg, self.step = w, q, arg, step
        self.keep = True

    async def raw(self, data):
        self.w.write(data)
        await self.w.drain()

    async def head(self, status="200 OK", **headers):
        lines = ["HTTP/1.1 " + status] + ["%s: %s" % (k.replace("_", "-"), v) for k, v in headers.items()]
        await self.raw(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def chunk(self, data):
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def json(self, body, status="200 OK", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        await self.head(status, **{"Content_Type": "application/json", "Content_Length": len(data)} | headers)
        await self.raw(data)

    async def begin(self, **headers):
        kind = "application/x-ndjson" if self.q.ndjson else "text/event-stream"
        await self.head(**{"Content_Type": kind, "Transfer_Encoding": "chunked"} | headers)

    async def good(self, cut=None, delay=0.0, text=None):
        text = text or TEXT
        if not self.q.stream:
            return await self.json(whole(self.q, text))
        await self.begin()
        for e in events(self.q, text):
            step = cut or len(e)
            for i in range(0, len(e), step):
                await self.chunk(e[i:i + step])
            if delay:
                await asyncio.sleep(delay)
        await self.raw(b"0\r\n\r\n")

    def reset(self):
        s = self.w.get_extra_info("socket")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keep = False
        self.w.transport.abort()

    def stream_or_json(self):
        parts = events(self.q, TEXT) if self.q.stream else [json.dumps(whole(self.q, TEXT)).encode()]
        return b"".join(parts)

    def kind(self):
        return ("application/x-ndjson" if self.q.ndjson else "text/event-stream") if self.q.stream else "application/json"


# ---- the modes -----------------------------------------------------------------------------------------------------


@mode
async def ok(r):
    await r.good()


@mode
async def slow(r):
    """slow=COUNTxMS: that many events that far apart."""
    n, ms = (int(x) for x in (r.arg or "20x50").split("x"))
    await r.good(delay=ms / 1000, text=["tick%d " % i for i in range(n)])


@mode
async def stepwise(r):
    """stepwise=NAME: one event for each call of Upstream.step(NAME), then the end: the test decides when it goes on."""
    await r.begin()
    for e in events(r.q, TEXT):
        await r.step(r.arg).acquire()
        await r.chunk(e)
    await r.raw(b"0\r\n\r\n")


@mode
async def usage(r):
    """usage=N: says that the prompt had N tokens."""
    body = whole(r.q, TEXT)
    body["usage"] = usage_openai(8) | {"prompt_tokens": int(r.arg or 7)}
    await r.json(body)


@mode
async def wait(r):
    """wait=MS: answers late."""
    await asyncio.sleep(int(r.arg or 500) / 1000)
    await r.good()


@mode
async def bytewise(r):
    await r.good(cut=1)


@mode
async def split(r):
    """split=N: events cut every N bytes, through UTF-8 sequences and escapes."""
    await r.good(cut=int(r.arg or 3))


@mode
async def never(r):
    await asyncio.sleep(3600)


@mode
async def reset_before(r):
    r.reset()


@mode
async def close_before(r):
    r.keep = False


@mode
async def reset_mid(r):
    await r.begin()
    await r.chunk(b"".join(events(r.q, TEXT)[:3])[:-5])
    await asyncio.sleep(0.05)
    r.reset()


@mode
async def close_mid(r):
    await r.begin()
    await r.chunk(b"".join(events(r.q, TEXT)[:3])[:-5])
    r.keep = False


@mode
async def slow_head(r):
    for b in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX: " + b"y" * 3600:
        await r.raw(bytes([b]))
        await asyncio.sleep(1)


@mode
async def slow_body(r):
    await r.head(Content_Type="application/json", Content_Length=100000)
    while True:
        await r.raw(b" ")
        await asyncio.sleep(1)


@mode
async def huge_line(r):
    """huge-line=MIB: one event without an end."""
    await r.begin()
    await r.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"')
    for _ in range(int(r.arg or 4) * 16):
        await r.chunk(b"A" * 65536)
    await r.chunk(b'"}}]}\n\ndata: [DONE]\n\n')
    await r.raw(b"0\r\n\r\n")


@mode
async def huge_json(r):
    """huge-json=MIB: a whole reply of that size."""
    size = int(r.arg or 64) << 20
    await r.head(Content_Type="application/json", Content_Length=size)
    for _ in range(size >> 16):
        await r.raw(b" " * 65536)


@mode
async def gzip_said(r):
    data = gzip.compress(r.stream_or_json())
    await r.head(Content_Type=r.kind(), Content_Encoding="gzip", Content_Length=len(data))
    await r.raw(data)


@mode
async def gzip_hidden(r):
    data = gzip.compress(r.stream_or_json())
    await r.head(Content_Type=r.kind(), Content_Length=len(data))
    await r.raw(data)


@mode
async def bomb(r):
    data = gzip.compress(b"\0" * (64 << 20))
    await r.head(Content_Type=r.kind(), Content_Encoding="gzip", Content_Length=len(data))
    await r.raw(data)


@mode
async def odd_encoding(r):
    data = r.stream_or_json()
    await r.head(Content_Type=r.kind(), Content_Encoding=r.arg or "x-unknown", Content_Length=len(data))
    await r.raw(data)


@mode
async def length_long(r):
    data = r.stream_or_json()
    await r.head(Content_Type=r.kind(), Content_Length=len(data) + 100)
    await r.raw(data)
    r.keep = False


@mode
async def length_short(r):
    data = r.stream_or_json()
    await r.head(Content_Type=r.kind(), Content_Length=len(data) - 10)
    await r.raw(data)


@mode
async def length_twice(r):
    data = r.stream_or_json()
    await r.raw(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nContent-Length: 5\r\n\r\n%s"
                % (r.kind().encode(), len(data), data))


@mode
async def length_and_chunked(r):
    data = r.stream_or_json()
    await r.head(Content_Type=r.kind(), Content_Length=len(data), Transfer_Encoding="chunked")
    await r.chunk(data)
    await r.raw(b"0\r\n\r\n")


@mode
async def bad_chunk(r):
    await r.begin()
    await r.chunk(events(r.q, TEXT)[0])
    await r.raw(b"zz\r\nnot a chunk\r\n0\r\n\r\n")


@mode
async def trailers(r):
    await r.begin(Trailer="X-Secret")
    await r.chunk(r.stream_or_json())
    await r.raw(b"0\r\nX-Secret: trailer-leak\r\nContent-Length: 3\r\n\r\n")


@mode
async def wrong_type(r):
    data = r.stream_or_json()
    await r.head(Content_Type=r.arg or "text/html", Content_Length=len(data))
    await r.raw(data)


@mode
async def no_type(r):
    data = r.stream_or_json()
    await r.head(Content_Length=len(data))
    await r.raw(data)


@mode
async def second_reply(r):
    """A whole second answer behind the first, for whoever gets the connection next."""
    await r.good()
    body = json.dumps({"stolen": SECRET}).encode()
    await r.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@mode
async def no_done(r):
    await r.begin()
    for e in events(r.q, TEXT)[:3]:
        await r.chunk(e)
    await r.raw(b"0\r\n\r\n")


@mode
async def error_event(r):
    await r.begin()
    for e in events(r.q, TEXT)[:4]:
        await r.chunk(e)
    err = {"error": {"message": SECRET, "type": "server_error", "code": 500}}
    if r.q.ndjson:
        await r.chunk(json.dumps({"error": SECRET}).encode() + b"\n")
    elif r.q.path == "/v1/messages":
        await r.chunk(named("error", err))
    else:
        await r.chunk(b"data: " + json.dumps(err).encode() + b"\n\n")
    await r.raw(b"0\r\n\r\n")


@mode
async def bad_utf8(r):
    parts = events(r.q, ["good ", "bad@@ ", "after"])
    await r.begin()
    for e in parts:
        await r.chunk(e.replace(b"@@", b"\xff\xc0\xaf"))
    await r.raw(b"0\r\n\r\n")


@mode
async def bad_utf8_json(r):
    data = json.dumps(whole(r.q, ["bad@@"])).encode().replace(b"@@", b"\xed\xa0\x80")
    await r.json(data)


@mode
async def duplicate_key(r):
    data = json.dumps(whole(r.q, ["x"])).encode()
    await r.json(data[:-1] + b',"id":"other","\\u0069d":"third"}')


@mode
async def not_json(r):
    await r.json(b"<html>" + SECRET.encode() + b"</html>")


@mode
async def crlf(r):
    await r.begin()
    for e in events(r.q, TEXT):
        await r.chunk(e.replace(b"\n", b"\r\n"))
    await r.raw(b"0\r\n\r\n")


@mode
async def cr(r):
    await r.begin()
    for e in events(r.q, TEXT):
        await r.chunk(e.replace(b"\n", b"\r"))
    await r.raw(b"0\r\n\r\n")


@mode
async def comments(r):
    await r.begin()
    await r.chunk(b"\xef\xbb\xbf: ping\n\n")
    for e in events(r.q, TEXT):
        await r.chunk(b": ping " + SECRET.encode() + b"\n\n" + e)
    await r.raw(b"0\r\n\r\n")


@mode
async def after_done(r):
    await r.begin()
    for e in events(r.q, TEXT):
        await r.chunk(e)
    await r.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"' + SECRET.encode() + b'"}}]}\n\n')
    await r.raw(b"0\r\n\r\n")


@mode
async def llama_close(r):
    """As llama-server does: promises keep-alive, and closes after a streamed answer."""
    if not r.q.stream:
        return await r.good()
    await r.begin(Keep_Alive="timeout=5, max=100")
    for e in events(r.q, TEXT[:2]):
        await r.chunk(e)
    await r.raw(b"0\r\n\r\n")
    r.keep = False


@mode
async def stale(r):
    """Answers, promises keep-alive, and closes a moment later without a word."""
    await r.good()
    await asyncio.sleep(int(r.arg or 5) / 1000)
    r.keep = False


@mode
async def status(r):
    """status=CODE: an error reply that tells too much."""
    code = int(r.arg or 500)
    await r.json({"error": {"code": code, "message": SECRET, "type": "server_error", "n_ctx": 4096, "n_prompt_tokens": 20013}},
                 status="%d Whatever" % code, Retry_After="7", Server="internal/1.2", X_Internal=SECRET)


@mode
async def headers(r):
    data = json.dumps(whole(r.q, TEXT)).encode()
    await r.json(data, Set_Cookie="sid=" + SECRET.replace(" ", "_"), Server="internal/1.2", X_Accel_Redirect="/etc/passwd",
                 X_Accel_Buffering="yes", X_Powered_By="secret", Access_Control_Allow_Origin="*", Location="http://evil.invalid/",
                 Strict_Transport_Security="max-age=0", X_Request_Id="forged", Refresh="0; url=http://evil.invalid/")


@mode
async def many_headers(r):
    await r.raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 1000) for i in range(200)))
    await r.raw(b"Content-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")


@mode
async def redirect(r):
    await r.head("302 Found", Location="http://127.0.0.1:1/internal", Content_Length=0)


@mode
async def upgrade(r):
    await r.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + SECRET.encode())


@mode
async def interim(r):
    for _ in range(3):
        await r.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")
    await r.good()


@mode
async def no_head(r):
    await r.raw(SECRET.encode() + b"\n\n")
    r.keep = False


@mode
async def bad_status(r):
    await r.raw(b"HTTP/1.1 9999999999 \r\nContent-Length: 2\r\n\r\n{}")


@mode
async def no_content(r):
    await r.head("204 No Content")


# ---- the server ----------------------------------------------------------------------------------------------------


class Upstream:
    """.log: what was received; .aborted: requests whose peer went away before the answer was whole."""

    def __init__(self, log_file=None, models=()):
        self.log, self.aborted, self.open, self.connections = [], [], 0, 0
        self.lock = threading.Lock()
        self.fd = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log_file else -1
        self.models = list(models)
        self.steps = {}
        self.port = None

    def note(self, q, conn):
        with self.lock:
            entry = {"n": len(self.log), "conn": conn, "id": q.header("x-request-id"), "method": q.method, "target": q.target,
                     "headers": q.headers, "body": q.body.decode("latin-1")}
            self.log.append(entry)
        if self.fd >= 0:
            os.write(self.fd, json.dumps(entry).encode() + b"\n")
        return entry

    def ids(self):
        with self.lock:
            return [e["id"] for e in self.log]

    def step(self, name="", n=1):
        """Lets that many further events of the stepwise streams of that name go out."""
        def release():
            for _ in range(n):
                self.steps.setdefault(name, asyncio.Semaphore(0)).release()
        self.loop.call_soon_threadsafe(release)

    def clear(self):
        with self.lock:
            self.log.clear()
            self.aborted.clear()

    async def read(self, r):
        line = await r.readline()
        if not line:
            return None
        method, target, version = line.decode("latin-1").rstrip("\r\n").split(" ", 2)
        head = []
        while True:
            line = await r.readline()
            if line in (b"\r\n", b"\n", b""):
                break
            k, _, v = line.decode("latin-1").rstrip("\r\n").partition(":")
            head.append([k, v.strip()])
        low = {k.lower(): v for k, v in head}
        body = b""
        if "chunked" in low.get("transfer-encoding", ""):
            while True:
                size = int((await r.readline()).split(b";")[0], 16)
                body += (await r.readexactly(size + 2))[:-2]
                if size == 0:
                    break
        elif "content-length" in low:
            body = await r.readexactly(int(low["content-length"]))
        return Request(method, target, version, head, body)

    async def answer(self, w, q):
        name, _, arg = str(q.json.get("model", "ok")).partition("=")
        r = Reply(w, q, arg, lambda name: self.steps.setdefault(name, asyncio.Semaphore(0)))
        if q.method == "GET":
            await self.get(r)
        else:
            await MODES.get(name, ok)(r)
        return r.keep and "close" not in (q.header("connection") or "").lower()

    async def get(self, r):
        p = r.q.path
        if p in ("/v1/models", "/models"):
            await r.json({"object": "list", "data": [{"id": m, "object": "model", "created": 1, "owned_by": "test"}
                                                     for m in self.models]})
        elif p == "/api/tags":
            await r.json({"models": [{"name": m, "model": m, "size": 1, "digest": "0" * 64, "details": {}} for m in self.models]})
        elif p == "/api/version":
            await r.json({"version": "0.33.0"})
        else:
            await r.json({"status": "ok"})

    async def serve(self, r, w):
        self.connections += 1
        conn = self.connections
        try:
            while True:
                q = await self.read(r)
                if q is None:
                    break
                # the gateway's own: health, lists, and what a template says
                probe = q.header("x-request-id") is None and (q.method == "GET" or q.path == "/api/show")
                entry = None if probe else self.note(q, conn)
                self.open += 1
                work = asyncio.ensure_future(self.answer(w, q))
                gone = asyncio.ensure_future(self.watch(r))
                try:
                    await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
                    if not work.done():
                        work.cancel()
                        if entry:
                            self.aborted.append(entry)
                        break
                    gone.cancel()
                    if not work.result():
                        break
                finally:
                    self.open -= 1
                    for t in (work, gone):
                        t.cancel()
                    await asyncio.gather(work, gone, return_exceptions=True)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError, OSError):
            pass
        finally:
            try:
                w.close()
            except OSError:
                pass

    @staticmethod
    async def watch(r):
        """Ends when the peer closes; bytes of a next request stay in the reader's buffer."""
        while not r.at_eof() and r.exception() is None:
            await asyncio.sleep(0.02)

    async def listen(self, host, port):
        server = await asyncio.start_server(self.serve, host, port, limit=1 << 20, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def start(self, host="127.0.0.1", port=0):
        """In a thread of the calling test. Ends with stop() or the process."""
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()

        def run():
            asyncio.set_event_loop(self.loop)
            self.server = self.loop.run_until_complete(self.listen(host, port))
            ready.set()
            self.loop.run_forever()
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        ready.wait()
        return self

    def stop(self):
        async def end():
            self.server.close()
            mine = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for t in mine:
                t.cancel()
            await asyncio.gather(*mine, return_exceptions=True)
            self.loop.stop()
        if not self.loop.is_closed():
            asyncio.run_coroutine_threadsafe(end(), self.loop)
            self.thread.join()
            self.loop.close()


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    a.add_argument("--port", type=int, default=0)
    a.add_argument("--log")
    a.add_argument("--model", action="append", default=[])
    o = a.parse_args()
    up = Upstream(o.log, o.model or sorted(MODES))

    async def run():
        server = await up.listen("127.0.0.1", o.port)
        print("listening on 127.0.0.1:%d" % up.port, flush=True)
        await server.serve_forever()
    asyncio.run(run())


if __name__ == "__main__":
    main()
