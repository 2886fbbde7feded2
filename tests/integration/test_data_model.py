"""Restoring from a real llama-server: a schema or a grammar makes it say what it was sent, truly tokenised and streamed."""
import json
import unittest

from harness import Case, backend
from test_data import CARD, IBAN, TOKEN, chat_parts, sse
from test_model import start_server

TEXT = "Pay %s to %s, M\u00fcller \"now\" \\ \U0001f642 <b>" % (CARD, IBAN)


def schema(text):
    return {"type": "json_schema", "json_schema": {"name": "s", "schema": {
        "type": "object", "properties": {"say": {"type": "string", "enum": [text]}}, "required": ["say"], "additionalProperties": False}}}


class RealModel(Case):
    """All in one instance: the server takes seconds to start."""

    @classmethod
    def setUpClass(cls):
        from harness import Instance
        cls.guard = unittest.TestCase()
        cls.i = Instance([backend("demo", "llama.cpp", start_server(cls.guard))],
                         extra="roles:\n  - {name: user, params: {allow_grammar: true, max_choices: 4}}\n").start()
        cls.i.served("tiny")

    @classmethod
    def tearDownClass(cls):
        cls.i.close()
        cls.guard.doCleanups()

    def stream(self, **more):
        s = self.i.stream("tiny", max_tokens=400, **more)
        self.assertEqual(s.status, 200)
        data = b"".join(s.events())
        s.close()
        return data

    def test_schema_whole_and_streamed(self):
        r = self.i.chat("tiny", max_tokens=400, response_format=schema(TEXT))
        self.assertEqual(r.status, 200, r)
        self.assertEqual(json.loads(r.json["choices"][0]["message"]["content"]), {"say": TEXT})
        self.assertEqual(json.loads(chat_parts(self.stream(response_format=schema(TEXT)))), {"say": TEXT})

    def test_grammar_with_logprobs(self):
        grammar = "root ::= " + json.dumps("card %s." % CARD)
        data = self.stream(grammar=grammar, logprobs=True)
        self.assertEqual(chat_parts(data), "card %s." % CARD)
        self.assertNotIn(b"CREDIT", data)
        r = self.i.chat("tiny", max_tokens=100, grammar=grammar, logprobs=True)
        self.assertEqual(r.json["choices"][0]["message"]["content"], "card %s." % CARD)
        self.assertNotIn(b"CREDIT", r.body)

    def test_secrets_stay_masked(self):
        grammar = "root ::= " + json.dumps("use %s now" % TOKEN)
        self.assertRegex(chat_parts(self.stream(grammar=grammar)), r"^use <GITHUB_PAT_[a-z2-9]{8}> now$")

    def test_tool_arguments(self):
        tool = {"type": "function", "function": {"name": "pay", "description": "pays", "parameters": {
            "type": "object", "properties": {"card": {"type": "string", "enum": [CARD]}}, "required": ["card"], "additionalProperties": False}}}
        kw = {"tools": [tool], "tool_choice": "required"}
        r = self.i.chat("tiny", max_tokens=400, **kw)
        self.assertEqual(r.status, 200, r)
        self.assertEqual(json.loads(r.json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]), {"card": CARD})
        data = self.stream(**kw)
        args = "".join(t["function"].get("arguments", "") for e in sse(data) for c in e["choices"] for t in c["delta"].get("tool_calls", []))
        self.assertEqual(json.loads(args), {"card": CARD}, data)

    def test_several_prompts_streamed(self):
        """llama-server begins such a stream with `data: null`."""
        for path, more in (("/v1/completions", {}), ("/completion", {})):
            body = {"model": "tiny", "stream": True, "max_tokens": 60, "n_predict": 60, "prompt": ["one", "two"],
                    "grammar": "root ::= " + json.dumps("card %s." % CARD)}
            body.pop("max_tokens" if path == "/completion" else "n_predict")
            r = self.i.post(path, body)
            self.assertEqual(r.status, 200, r)
            self.assertNotIn(b"error", r.body, path)
            texts = ["", ""]
            for e in sse(r.body):
                for c in e.get("choices", [e]):
                    texts[c["index"]] += c["text"] if "text" in c else c["content"]
            self.assertEqual(texts, ["card %s." % CARD] * 2, path)

    def test_messages(self):
        body = {"model": "tiny", "max_tokens": 400, "messages": [{"role": "user", "content": "hi"}], "tool_choice": {"type": "any"},
                "tools": [{"name": "pay", "description": "pays", "input_schema": {
                    "type": "object", "properties": {"card": {"type": "string", "enum": [CARD]}}, "required": ["card"], "additionalProperties": False}}]}
        r = self.i.post("/v1/messages", body)
        self.assertEqual(r.status, 200, r)
        self.assertEqual([c["input"] for c in r.json["content"] if c["type"] == "tool_use"], [{"card": CARD}])
        data = self.i.post("/v1/messages", body | {"stream": True}).body
        self.assertEqual(json.loads("".join(e["delta"].get("partial_json", "") for e in sse(data) if e["type"] == "content_block_delta")), {"card": CARD})
        self.assertNotIn(b"CREDIT", data)

    def test_responses(self):
        """It says its text several times; all of them are the owner's value again."""
        body = {"model": "tiny", "input": "hi", "max_output_tokens": 400, "tool_choice": "required", "tools": [{
            "type": "function", "name": "pay", "description": "pays", "strict": True, "parameters": {
                "type": "object", "properties": {"card": {"type": "string", "enum": [CARD]}}, "required": ["card"], "additionalProperties": False}}]}
        r = self.i.post("/v1/responses", body)
        self.assertEqual(r.status, 200, r)
        self.assertEqual([json.loads(o["arguments"]) for o in r.json["output"] if o["type"] == "function_call"], [{"card": CARD}])
        data = self.i.post("/v1/responses", body | {"stream": True}).body
        self.assertEqual(json.loads("".join(e["delta"] for e in sse(data) if e["type"] == "response.function_call_arguments.delta")), {"card": CARD})
        self.assertGreater(data.count(CARD.encode()), 1)
        self.assertNotIn(b"CREDIT", data)


if __name__ == "__main__":
    unittest.main()
