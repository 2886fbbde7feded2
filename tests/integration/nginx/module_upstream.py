"""A model server's wire behaviour, good and bad, in asyncio. The request body's "do" (or the path) says what to do.

It speaks just enough of the OpenAI chat API for the gateway to accept its replies. Every request it received is kept."""
import asyncio
import json
import threading


def chat_json(text="hello"):
    return json.dumps({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "tiny",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}).encode()


def event(text=None, finish=None, usage=False):
    d = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": []}
    if not usage:
        d["choices"] = [{"index": 0, "delta": {"content": text} if text is not None else {}, "finish_reason": finish}]
    else:
        d["usage"] = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return b"data: " + json.dumps(d).encode() + b"\n\n"


DONE = event("", "stop") + event(usage=True) + b"data: [DONE]\n\n"


class Upstream:
    def __init__(self, port=0, tls=None):
        self.port = port
        self.tls = tls          # ssl.SSLContext
        self.requests = []      # raw bytes of each request
        self.connections = 0
        self.tasks = set()
        self.flooded = self.sent = 0
        self.aborted = 0        # connections the other side closed while we streamed
        self.on_request = None  # called with the raw bytes of each, before it is answered
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.server = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self.ready.wait()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self._client, "127.0.0.1", self.port,
                                                                              ssl=self.tls))
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()

    def stop(self):
        async def close():
            self.server.close()
            for t in self.tasks:
                t.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            self.loop.stop()
        asyncio.run_coroutine_threadsafe(close(), self.loop)
        self.thread.join()
        self.loop.close()

    async def _client(self, rd, wr):
        self.connections += 1
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            while await self._one(rd, wr):
                pass
            if not wr.transport.is_closing():
                wr.close()
                await wr.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            self.tasks.discard(task)
            wr.transport.abort()

    async def _one(self, rd, wr):
        try:
            head = await rd.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await rd.readexactly(length) if length else b""
        if self.on_request:
            self.on_request(head + body)
        self.requests.append(head + body)
        what = ""
        stream = False
        if body:
            d = json.loads(body)
            stream = d.get("stream", False)
            what = d["messages"][-1]["content"].split(":")[-1]
        handler = getattr(self, "do_" + what.replace("-", "_"), None)
        if handler is None:
            handler = self.do_stream if stream else self.do_plain
        keep = await handler(rd, wr)
        await wr.drain()
        # llama-server: announces keep-alive and closes after every streamed answer
        return keep if keep is not None else not stream

    @staticmethod
    def head(wr, status="200 OK", ctype="application/json", length=None, extra=b""):
        h = f"HTTP/1.1 {status}\r\nContent-Type: {ctype}\r\nServer: secret/1.0\r\nX-Internal: 1\r\n".encode()
        h += b"Keep-Alive: timeout=5, max=100\r\nSet-Cookie: a=b\r\n" + extra
        h += b"Transfer-Encoding: chunked\r\n\r\n" if length is None else b"Content-Length: %d\r\n\r\n" % length
        wr.write(h)

    @staticmethod
    def chunk(wr, data):
        wr.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def do_plain(self, rd, wr):
        b = chat_json()
        self.head(wr, length=len(b))
        wr.write(b)

    async def do_stream(self, rd, wr):
        self.head(wr, ctype="text/event-stream")
        for i in range(5):
            self.chunk(wr, event(f"tok{i} "))
            await wr.drain()
        self.chunk(wr, DONE)
        wr.write(b"0\r\n\r\n")

    async def do_bytewise(self, rd, wr):
        self.head(wr, ctype="text/event-stream")
        for b in event("a") + event("b") + DONE:
            self.chunk(wr, bytes([b]))
            await wr.drain()
            await asyncio.sleep(0)
        wr.write(b"0\r\n\r\n")

    async def do_endless(self, rd, wr, more="", pause=0.02):
        self.head(wr, ctype="text/event-stream")
        self.sent = 0
        try:
            while not rd.at_eof():
                self.chunk(wr, event(f"tok{self.sent} {more}"))
                await wr.drain()
                self.sent += 1
                await asyncio.sleep(pause)
        except ConnectionError:
            pass
        self.aborted += 1
        return False

    async def do_steady(self, rd, wr):
        """Event by event, but more than a client takes that does not read."""
        return await self.do_endless(rd, wr, "x" * 2000, 0.0005)

    async def do_flood(self, rd, wr):
        self.head(wr, ctype="text/event-stream")
        self.flooded = 0
        for i in range(20000):
            self.chunk(wr, event("x" * 2000))
            await wr.drain()
            self.flooded += 1
        self.chunk(wr, DONE)
        wr.write(b"0\r\n\r\n")

    async def do_reset_mid_event(self, rd, wr):
        self.head(wr, ctype="text/event-stream")
        self.chunk(wr, event("one ") + event("two")[:20])
        await wr.drain()
        await asyncio.sleep(0.05)
        wr.transport.abort()
        return False

    async def do_bad_chunk(self, rd, wr):
        self.head(wr, ctype="text/event-stream")
        self.chunk(wr, event("one "))
        await wr.drain()
        await asyncio.sleep(0.05)
        wr.write(b"zzz\r\n")
        await wr.drain()
        await asyncio.sleep(0.5)
        return False

    async def do_silent_stream(self, rd, wr):
        self.head(wr, ctype="text/event-stream")
        self.chunk(wr, event("one "))
        await wr.drain()
        await rd.read(1)
        return False

    async def do_hang(self, rd, wr):
        if await rd.read(1) == b"":
            self.aborted += 1
        return False

    async def do_no_reply(self, rd, wr):
        return False

    async def do_reset(self, rd, wr):
        wr.transport.abort()
        return False

    async def do_garbage(self, rd, wr):
        wr.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        return False

    async def do_short(self, rd, wr):
        b = chat_json()
        self.head(wr, length=len(b) + 10)
        wr.write(b)
        return False

    async def do_long(self, rd, wr):
        b = chat_json()
        self.head(wr, length=len(b) - 10)
        wr.write(b)

    async def do_gzip(self, rd, wr):
        import gzip
        b = gzip.compress(chat_json())
        self.head(wr, length=len(b), extra=b"Content-Encoding: gzip\r\n")
        wr.write(b)

    async def do_accel(self, rd, wr):
        b = chat_json()
        self.head(wr, length=len(b), extra=b"X-Accel-Redirect: /v1/models\r\nX-Accel-Buffering: yes\r\n")
        wr.write(b)

    async def do_err500(self, rd, wr):
        b = b'{"error":{"message":"/root/secret path","type":"server_error","code":500}}'
        self.head(wr, status="500 Internal Server Error", length=len(b))
        wr.write(b)

    async def do_big(self, rd, wr):
        b = chat_json("y" * 3000000)
        self.head(wr, length=len(b))
        wr.write(b)

    async def _drip(self, rd, wr, piece):
        try:
            while not rd.at_eof():
                wr.write(piece)
                await wr.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            pass
        self.aborted += 1
        return False

    async def do_drip_plain(self, rd, wr):
        self.head(wr, length=100000)
        return await self._drip(rd, wr, b" ")

    async def do_drip_stream(self, rd, wr):
        self.head(wr, ctype="text/event-stream")
        return await self._drip(rd, wr, b"1\r\nd\r\n")

    async def do_half_plain(self, rd, wr):
        b = chat_json()
        self.head(wr, length=len(b))
        wr.write(b[:30])
        await wr.drain()
        await rd.read(1)
        return False
