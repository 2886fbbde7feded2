"""Data protection with the default policy: what the model server gets, what the client gets back, in every API."""
import concurrent.futures
import json
import random
import re
import unittest
import zlib

from harness import Case, backend
from echo_upstream import PLACEHOLDER, Echo

DIGITS62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def card(rng):
    digits = [4, 9, 2, 9] + [rng.randrange(10) for _ in range(11)]
    total = sum(d if i % 2 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(digits))
    return "".join(map(str, digits)) + str(-total % 10)


def iban(rng):
    account = "370400440" + "".join(str(rng.randrange(10)) for _ in range(9))
    return "DE%02d%s" % (98 - int(account + "131400") % 97, account)


def token(rng):
    random_part = "".join(rng.choice(DIGITS62) for _ in range(30))
    rest, crc = "", zlib.crc32(random_part.encode())
    for _ in range(6):
        rest, crc = DIGITS62[crc % 62] + rest, crc // 62
    return "gh" + "p_" + random_part + rest # in pieces: no scanner takes this file for a leak


RNG = random.Random(7)
CARD, IBAN, TOKEN = card(RNG), iban(RNG), token(RNG)


def chat_parts(data):
    return "".join(c["delta"].get("content") or "" for e in sse(data) for c in e["choices"])


def sse(data):
    return [json.loads(e[e.index(b"data: ") + 6:]) for e in data.split(b"\n\n") if b"data: {" in e]


def lines(data):
    return [json.loads(x) for x in data.splitlines() if x]


class Api:
    """One API: how a text is asked, where it stands in a whole answer and in a stream."""

    def __init__(self, path, model, ask, whole, stream):
        self.path, self.model, self.ask, self.whole, self.stream = path, model, ask, whole, stream

    def body(self, text, stream):
        return {"model": self.model, "stream": stream} | self.ask(text)


def said(text):
    return {"messages": [{"role": "user", "content": text}]}


APIS = {
    "chat": Api("/v1/chat/completions", "m", said, lambda j: j["choices"][0]["message"]["content"], chat_parts),
    "completions": Api("/v1/completions", "m", lambda t: {"prompt": t}, lambda j: j["choices"][0]["text"],
                       lambda d: "".join(c["text"] for e in sse(d) for c in e["choices"])),
    "responses": Api("/v1/responses", "m", lambda t: {"input": t}, lambda j: j["output"][0]["content"][0]["text"],
                     lambda d: "".join(e["delta"] for e in sse(d) if e["type"] == "response.output_text.delta")),
    "messages": Api("/v1/messages", "claude", lambda t: {"max_tokens": 99} | said(t), lambda j: j["content"][0]["text"],
                    lambda d: "".join(e["delta"]["text"] for e in sse(d) if e["type"] == "content_block_delta")),
    "ollama chat": Api("/api/chat", "olla", said, lambda j: j["message"]["content"],
                       lambda d: "".join(e["message"]["content"] for e in lines(d))),
    "ollama generate": Api("/api/generate", "olla", lambda t: {"prompt": t}, lambda j: j["response"],
                           lambda d: "".join(e["response"] for e in lines(d))),
    "llama.cpp": Api("/completion", "cpp", lambda t: {"prompt": t}, lambda j: j["content"],
                     lambda d: "".join(e["content"] for e in sse(d))),
}


class Echoing(Case):
    """One instance and one stand-in for all tests of a class."""
    extra = ""

    @classmethod
    def setUpClass(cls):
        from harness import Instance
        cls.up = Echo().start()
        url = "http://127.0.0.1:%d" % cls.up.port
        cls.i = Instance([backend("o", "openai", url, ["m"]), backend("a", "anthropic", url, ["claude"]),
                          backend("l", "ollama", url, ["olla"]), backend("c", "llama.cpp", url, ["cpp"])], extra=cls.extra).start()

    @classmethod
    def tearDownClass(cls):
        cls.i.close()
        cls.up.stop()

    def setUp(self):
        self.up.reset()

    def ask(self, api, text, stream=False, conn=None, **kw):
        r = self.i.post(api.path, api.body(text, stream), conn=conn, **kw)
        self.assertEqual(r.status, 200, r)
        return r

    def answer(self, api, text, stream=False, **kw):
        r = self.ask(api, text, stream, **kw)
        return api.stream(r.body) if stream else api.whole(r.json)

    def got(self):
        """What the model server was sent last."""
        return self.up.log[-1]["body"]

    def sees_none(self, *values):
        for e in self.up.log:
            whole = json.dumps(e)
            for v in values:
                self.assertNotIn(v, whole)


class Restored(Echoing):
    def test_every_api_whole_and_streamed(self):
        for name, api in APIS.items():
            for value in (CARD, IBAN):
                for stream in (False, True):
                    with self.subTest(api=name, value=value, stream=stream):
                        text = self.answer(api, "Pay with %s now." % value, stream)
                        self.assertEqual(text, "It is %s, is it not?" % value)
                        self.assertRegex(self.got(), r"Pay with <[A-Z_]+_[a-z2-9]{8}> now\.")
        self.sees_none(CARD, IBAN)

    def test_every_delta_boundary(self):
        for name, api in APIS.items():
            conn = self.i.connection()
            for size in range(1, 45):
                self.up.size = size
                with self.subTest(api=name, size=size):
                    self.assertEqual(self.answer(api, "Pay with %s now." % CARD, True, conn=conn), "It is %s, is it not?" % CARD)
            conn.close()
        self.sees_none(CARD)

    def test_every_byte_of_the_wire(self):
        for name, api in APIS.items():
            seen = []
            self.up.size, self.up.cut = 15, lambda data: seen.append(data) or []
            want = self.ask(api, CARD, True).body
            self.assertEqual(api.stream(want), "It is %s, is it not?" % CARD)
            places = iter(range(1, len(seen[0])))
            self.up.cut = lambda data: [next(places)]

            def some(n):
                conn = self.i.connection()
                bad = [r.body for r in (self.ask(api, CARD, True, conn=conn) for _ in range(n)) if r.body != want]
                conn.close()
                return bad
            with concurrent.futures.ThreadPoolExecutor(8) as pool: # whose cut is where does not matter: all have to be the same
                for bad in pool.map(some, [(len(seen[0]) - 1) // 8] * 8):
                    self.assertEqual(bad, [], name)
            self.up.cut = lambda data: range(1, len(data))
            self.assertEqual(self.ask(api, CARD, True).body, want)

    def test_secrets_are_masked_for_good(self):
        for name, api in APIS.items():
            for stream in (False, True):
                with self.subTest(api=name, stream=stream):
                    self.up.reset()
                    text = self.answer(api, "use %s today" % TOKEN, stream)
                    self.assertRegex(text, r"^It is <GITHUB_PAT_[a-z2-9]{8}>, is it not\?$")
                    self.sees_none(TOKEN)
                    self.up.say = lambda q: "take %s or %s." % (TOKEN, CARD) # nobody sent these
                    self.up.size = 3
                    text = self.answer(api, "hello", stream)
                    self.assertRegex(text, r"^take <GITHUB_PAT_[a-z2-9]{8}> or <CREDIT_CARD_[a-z2-9]{8}>\.$")

    def test_another_key_gets_nothing_back(self):
        other = self.i.new_key("bob")["key"]
        for name, api in APIS.items():
            mine = self.answer(api, "Pay with %s." % CARD)
            self.assertIn(CARD, mine)
            placeholder = PLACEHOLDER.search(self.got()).group(0)
            self.up.say = lambda q: "It is %s." % placeholder
            for stream in (False, True):
                for key, headers in ((other, None), ("user", {"x-bartizan-conversation": "c-1"}), ("admin", None)):
                    with self.subTest(api=name, stream=stream, key=key == other):
                        self.assertEqual(self.answer(api, "hello", stream, key=key, headers=headers), "It is %s." % placeholder)
                self.assertEqual(self.answer(api, "hello", stream), "It is %s." % CARD)
            self.up.reset()

    def test_a_conversation_is_its_owners(self):
        headers = {"x-bartizan-conversation": "case-7"}
        second = self.i.new_key("carol")["key"], self.i.new_key("carol")["key"], self.i.new_key("dave")["key"]
        self.answer(APIS["chat"], "Pay with %s." % CARD, key=second[0], headers=headers)
        placeholder = PLACEHOLDER.search(self.got()).group(0)
        self.up.say = lambda q: placeholder
        for key, want in zip(second, (CARD, CARD, placeholder)): # two keys of one user share it, another user does not
            self.assertEqual(self.answer(APIS["chat"], "hello", key=key, headers=headers), want)

    def test_the_log_holds_no_values(self):
        for api in APIS.values():
            for value in (CARD, IBAN, TOKEN):
                self.ask(api, "a %s b" % value)
        text = json.dumps(self.i.export())
        for value in (CARD, IBAN, TOKEN):
            self.assertNotIn(value, text)
        for what in ("request:CREDIT_CARD:restore:1", "reply:PLACEHOLDER:restore:1", "request:github-pat:mask:1", "request:IBAN_CODE:restore:1"):
            self.assertIn(what, text)
        for f in self.i.dir.rglob("*"):
            if f.is_file():
                data = f.read_bytes()
                for value in (CARD, IBAN, TOKEN):
                    self.assertNotIn(value.encode(), data, f)


class EveryField(Echoing):
    """Values where people do not look for them."""

    def check(self, path, body, count):
        """Every @ in the body is a card."""
        text = json.dumps(body)
        self.assertEqual(text.count("@"), count)
        r = self.i.post(path, text.replace("@", CARD), key="admin")
        self.assertEqual(r.status, 200, r)
        self.sees_none(CARD, CARD[:12])
        self.assertEqual(len(PLACEHOLDER.findall(self.got())), count, self.got())

    def test_chat(self):
        self.check("/v1/chat/completions", {
            "model": "m", "messages": [
                {"role": "system", "content": "of @"}, {"role": "user", "name": "@", "content": [{"type": "text", "text": "@"}]},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {
                    "name": "pay", "arguments": '{"with": "@", "@": [1, {"n": @}]}'}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "paid with @"}],
            "tools": [{"type": "function", "function": {"name": "pay", "description": "with @", "parameters": {
                "type": "object", "properties": {"@": {"enum": ["@"], "description": "@"}}}}}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"const": "@"}}},
            "stop": ["@"], "user": "@", "metadata": {"k": "@", "@": "v"}}, 16)

    def test_messages(self):
        self.check("/v1/messages", {
            "model": "claude", "max_tokens": 9, "system": [{"type": "text", "text": "@"}], "messages": [
                {"role": "user", "content": [{"type": "text", "text": "@"}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "pay", "input": {"with": "@", "@": ["@"]}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "@"}]}]}],
            "tools": [{"name": "pay", "description": "@", "input_schema": {"type": "object", "properties": {"@": {"type": "string"}}}}],
            "metadata": {"user_id": "@"}, "stop_sequences": ["@"]}, 10)

    def test_responses(self):
        self.check("/v1/responses", {
            "model": "m", "instructions": "@", "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "@"}]},
                {"type": "function_call", "call_id": "c", "name": "pay", "arguments": '{"a": "@"}'},
                {"type": "function_call_output", "call_id": "c", "output": "@"}],
            "tools": [{"type": "function", "name": "pay", "description": "@", "parameters": {"properties": {"@": {}}}}],
            "metadata": {"k": "@"}}, 7)

    def test_ollama(self):
        self.check("/api/chat", {
            "model": "olla", "stream": False, "messages": [
                {"role": "user", "content": "@"},
                {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "pay", "arguments": {"with": "@", "@": 1}}}]},
                {"role": "tool", "content": "@", "tool_name": "pay"}],
            "tools": [{"type": "function", "function": {"name": "pay", "description": "@", "parameters": {"properties": {"@": {}}}}}],
            "format": {"type": "object", "properties": {"x": {"const": "@"}}}}, 7)
        self.check("/api/generate", {"model": "olla", "stream": False, "prompt": "@", "system": "@", "suffix": "@"}, 3)

    def test_completions_embeddings_and_native(self):
        self.check("/v1/completions", {"model": "m", "prompt": ["@", "and @"], "suffix": "@", "stop": "@"}, 4)
        self.check("/v1/embeddings", {"model": "m", "input": ["@", "x @ y"]}, 2)
        self.check("/completion", {"model": "cpp", "prompt": "@", "grammar": 'root ::= "@"', "stop": ["@"]}, 3)


def call(arguments, name="pay"):
    return {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}


class Tools(Echoing):
    """Arguments of tools are JSON in pieces: what is restored there stays JSON."""
    value = 'CASE "7\\" of\tM\u00fcller' # has to be escaped
    extra = 'data:\n  custom:\n    - {name: CASE, words: [%s], whole_word: false}\n  rules:\n    - {types: [CASE], action: restore}\n' % json.dumps(value)

    def arguments(self, q):
        return json.dumps({"a": PLACEHOLDER.search(q.body.decode()).group(0), "b": [True, 'x"y']})

    def test_openai(self):
        api = APIS["chat"]
        want = {"a": self.value, "b": [True, 'x"y']}

        def shape(q, parts):
            args = self.arguments(q)
            base = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
            if not q.stream:
                return base | {"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                    "role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "pay", "arguments": args}}]}}]}
            base["object"] += ".chunk"
            deltas = [{"tool_calls": [call("")]}] + [{"tool_calls": [{"index": 0, "function": {"arguments": args[i:i + self.n]}}]}
                                                    for i in range(0, len(args), self.n)]
            chunks = [base | {"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
            chunks.append(base | {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
            return [b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks] + [b"data: [DONE]\n\n"]
        self.up.shape = shape
        j = self.ask(api, self.value).json
        self.assertEqual(json.loads(j["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]), want)
        for self.n in range(1, 30):
            body = self.ask(api, self.value, True).body
            text = "".join(t["function"]["arguments"] for e in sse(body) for c in e["choices"] for t in c["delta"].get("tool_calls", []))
            self.assertEqual(json.loads(text), want, self.n)
        self.sees_none("M\u00fcller")

    def test_anthropic(self):
        api = APIS["messages"]

        def shape(q, parts):
            args = self.arguments(q)
            if not q.stream:
                return {"id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use", "stop_sequence": None,
                        "content": [{"type": "tool_use", "id": "t", "name": "pay", "input": json.loads(args)}],
                        "usage": {"input_tokens": 1, "output_tokens": 1}}
            out = [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": [],
                                                         "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}},
                   {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "pay", "input": {}}}]
            out += [{"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": args[i:i + self.n]}}
                    for i in range(0, len(args), self.n)]
            out += [{"type": "content_block_stop", "index": 0},
                    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 1}},
                    {"type": "message_stop"}]
            return [("event: %s\ndata: %s\n\n" % (e["type"], json.dumps(e))).encode() for e in out]
        self.up.shape = shape
        want = {"a": self.value, "b": [True, 'x"y']}
        self.assertEqual(self.ask(api, self.value).json["content"][0]["input"], want)
        for self.n in range(1, 30):
            body = self.ask(api, self.value, True).body
            text = "".join(e["delta"]["partial_json"] for e in sse(body) if e["type"] == "content_block_delta")
            self.assertEqual(json.loads(text), want, self.n)

    def test_ollama_gives_objects(self):
        api = APIS["ollama chat"]

        def shape(q, parts):
            last = {"model": "olla", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": ""}, "done": True,
                    "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 1}
            one = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "pay", "arguments": json.loads(self.arguments(q))}}]}
            if not q.stream:
                return last | {"message": one}
            return [json.dumps(x).encode() + b"\n" for x in (last | {"message": one, "done": False}, last)]
        self.up.shape = shape
        want = {"a": self.value, "b": [True, 'x"y']}
        self.assertEqual(self.ask(api, self.value).json["message"]["tool_calls"][0]["function"]["arguments"], want)
        first = lines(self.ask(api, self.value, True).body)[0]
        self.assertEqual(first["message"]["tool_calls"][0]["function"]["arguments"], want)


class InForm(Echoing):
    """Stand-ins that look like the value: a card for a card, an address for an address."""
    extra = 'data:\n  rules:\n    - {types: [CREDIT_CARD, IBAN_CODE, EMAIL_ADDRESS], action: restore, form: true}\n'

    def test_forms_come_back(self):
        spaced = " ".join(CARD[i:i + 4] for i in range(0, 16, 4))
        for value in (CARD, spaced, IBAN, "grace.hopper@example.org"):
            for name in ("chat", "messages", "ollama chat"):
                api = APIS[name]
                self.up.reset()
                self.up.say = lambda q: "It is %s, is it not?" % re.search(r"Pay (.*?) now", q.body.decode()).group(1)
                for self.up.size in (0, 1, 2, 5, 9):
                    with self.subTest(api=name, value=value, size=self.up.size):
                        self.assertEqual(self.answer(api, "Pay %s now." % value, self.up.size > 0), "It is %s, is it not?" % value)
                        sent = re.search(r"Pay (.*?) now", self.got()).group(1)
                        self.assertNotEqual(sent, value)
                        if "@" not in value and value != IBAN:
                            self.assertEqual(re.sub(r"\d", "9", sent), re.sub(r"\d", "9", value))
                self.sees_none(value)

    def test_nobody_elses_form_comes_back(self):
        other = self.i.new_key("eve")["key"]
        self.up.say = lambda q: "ok"
        self.answer(APIS["chat"], "Pay %s now." % CARD)
        fake = re.search(r"Pay (.*?) now", self.got()).group(1)
        self.up.say = lambda q: "It is %s." % fake
        self.assertEqual(self.answer(APIS["chat"], "hello"), "It is %s." % CARD)
        for stream in (False, True):
            text = self.answer(APIS["chat"], "hello", stream, key=other)
            self.assertNotIn(CARD, text)


if __name__ == "__main__":
    unittest.main()
