"""A model server that says what the test wants, cut as the test wants. For tests only.

What it got is in .log as the other stand-in keeps it. `say` makes the answer's text of a request; without one it says back
the first placeholder that it was sent. `size` characters go into one event, `cut` says where the bytes of a stream are cut.
"""
import asyncio
import re
import sys

import pathlib
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from hostile_upstream import Reply, Upstream, events, whole # noqa: E402

PLACEHOLDER = re.compile(r"<[A-Z0-9_]+_[a-km-np-z2-9]{8}>")


def back(q):
    found = PLACEHOLDER.search(q.body.decode())
    return "It is %s, is it not?" % (found.group(0) if found else "nothing")


class Echo(Upstream):
    def __init__(self):
        super().__init__()
        self.reset()

    def reset(self):
        self.say, self.size, self.cut, self.shape, self.stop_before = back, 0, None, None, None
        self.clear()
        return self

    async def answer(self, w, q):
        if q.method != "POST":
            return await super().answer(w, q)
        r = Reply(w, q, None, None)
        text = self.say(q)
        parts = [text[i:i + self.size] for i in range(0, len(text), self.size)] if self.size else [text]
        body = self.shape(q, parts) if self.shape else events(q, parts) if q.stream else whole(q, parts)
        if not isinstance(body, list):
            await r.json(body)
        else:
            await self.stream(r, body)
        return r.keep

    async def stream(self, r, body):
        await r.begin()
        if self.stop_before is not None: # until the test says so: Upstream.step()
            for i, e in enumerate(body):
                if i == self.stop_before:
                    await self.steps.setdefault("", asyncio.Semaphore(0)).acquire()
                await r.chunk(e)
        else:
            data = b"".join(body)
            begin = 0
            for end in [*(self.cut(data) if self.cut else []), len(data)]:
                if end > begin:
                    await r.chunk(data[begin:end])
                    if end < len(data):
                        await asyncio.sleep(0.001) # or the kernel puts the pieces together again
                begin = end
        await r.raw(b"0\r\n\r\n")
