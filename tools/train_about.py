"""Documents that speak about prompt injection and quote it, for the injection classifier, and their twins that do it.

Blogs, manuals, advisories, release notes, tickets, lessons, alerts: label 0, whatever they quote. The twin is the same
document with one live instruction in it, addressed to whoever reads. Own work.
"""
import train_grammar as grammar
from train_grammar import items

A = {}
A["name"] = items("prompt injection|indirect prompt injection|jailbreaks|instruction override|system prompt leakage|prompt leaking|data exfiltration through links|tool poisoning|role-play attacks|instruction smuggling|cross-prompt attacks|adversarial suffixes")
A["model"] = items("the model|an LLM|a chatbot|the assistant|an AI agent|a language model|our support bot|a summariser|a coding assistant|the retrieval pipeline|a mail assistant|the gateway")
A["who"] = items("researchers|attackers|an attacker|the red team|users|testers|an adversary|our pentesters|students|a customer|several teams|the authors")
A["where"] = items("a web page|a PDF|an e-mail|a calendar entry|a support ticket|a product review|the comments of a pull request|hidden white text|an HTML comment|a tool result|a CSV cell|image metadata|a shared document|a README")
A["say"] = items("such as|for example|like|e.g.|for instance|along the lines of|typically|of the form|in the style of|namely|including|beginning with")
A["q"] = ["\"{p}\"", "'{p}'", "“{p}”", "`{p}`", "\"{p}\"", "«{p}»"]
A["guard"] = items("""allow-lists for tools|a separate channel for instructions|least privilege for agents|output filtering|canary tokens in the system prompt|human approval for risky actions|marking untrusted text|a classifier with a low false positive rate|input length limits
rate limits|signed system prompts|escaping of template tokens|isolation of documents|logging and alerting|regular red-team runs|egress rules for links and images|a deny-by-default tool policy|taint tracking|schema checks of arguments""")
A["effect"] = items("""reveals its system prompt|ignores what the developer wrote|sends data to a server of the attacker|answers in a way the operator never intended|drops its safety rules|calls a tool that it should not call|leaks the conversation through an image link|recommends a wrong product|approves a pull request
tells the user something false|forgets its role|writes what it was told not to write""")
A["fact"] = items("""{who} put {say} {q} into {where}, and {model} {effect}|A [typical|common|well-known|simple|classic] payload [reads|is|looks like this:|would be] {q}|Phrases {say} {q} [or|and] {q} are [easy to spot|only the beginning|often encoded|found in most data sets|blocked by the filter]
The [attack|text|payload] {q} [was hidden in|came from|was found in|arrived through] {where}|{name} [means|describes|is the case] that text from {where} is read as an instruction and {model} {effect}|We tested {model} with {q} and it [refused|complied|failed|asked back|passed] in [3|12|40|97] of 100 runs
[Do not|Never] rely on a rule that looks for {q}: {who} will [write it in another language|use base64|split it|rephrase it]|If {where} contains {q}, the [gateway|scanner|filter|proxy|detector] [blocks|flags|masks|logs|quarantines] it|The defence against {name} is {guard}, and {guard}
{name} [differs from|is related to|is often confused with] {name}|[In|As of] [2023|2024|2025], {who} showed that {model} {effect} after reading {q}|[Older|Smaller|Some] models [follow|obey|repeat] {q} [at once|without question|in half of the cases]|There is no known way to stop {name} completely, so use {guard}
[OWASP|MITRE ATLAS|NIST|The BSI|The NCSC] lists {name} [among|as one of] the [main|top|most important] risks of {model}|[Mitigations|Recommended controls] include {guard}, {guard} and {guard}|The word "ignore" alone proves nothing: people write it every day|Treat every text from {where} as data, not as instructions
The test expects that {q} is [blocked|flagged|scored above 0.5|rejected with 403|found in the log]|Example: {q} ([user turn|tool result|document], expected verdict: [block|flag])|The [rule|signature|pattern] matches {q} but not "please ignore my last mail"|When {model} is told {q}, it [should|must] [refuse|go on with its task|report it]
[Our|The] users asked why {q} [was|is] [blocked|flagged|not allowed]|[A false positive|False alarms] [happened|occurred|were seen] with texts about {name}|The [word list|training set|corpus] has [200|3,000|41] sentences {say} {q}|An agent that reads {where} may be told {q}; {guard} keeps that harmless""")
A["title"] = items("""What is {name}?|Understanding {name}|{name} explained|How to defend {model} against {name}|Lessons from a red-team exercise: {name}|Security advisory: {name} in {model}|Release notes 1.[2|4|7]|Detection of {name}|Threat model: {name}|Testing for {name}|FAQ: {name}
A short history of {name}|Policy: use of language models at work|Incident report: {name} through {where}|Checklist for {model}|Abstract|Related work|Workshop: {name}|Ticket [4711|218|90]: {q} is blocked|Changelog|Glossary|Attack catalogue|Research notes on {name}""")
A["json"] = ["{\"rule\": \"override\", \"verdict\": \"[block|flag]\", \"score\": 0.[71|88|93], \"matched\": {q}, \"channel\": \"[user|tool|document]\"}", "[2026-03-01T10:22:07Z|2025-11-20 08:01:44] WARN guard: [blocked|flagged] {q} from {where}",
             "- id: override-[1|7|12]\n  pattern: {q}\n  action: [block|flag]", "| {name} | {q} | [blocked|flagged|missed] |", "assert judge({q}) == [BLOCK|FLAG]", "# {name}: {q}", "{fact}:\n- {q}\n- {q}", "{fact}:\n> {q}", "{fact}:\n```\n{p}\n```", "test(\"{name}\", {q})", "| attack | example |\n|---|---|\n| {name} | {q} |"]
A["fact_de"] = items("""Ein [typischer|bekannter|einfacher] Angriff lautet {qd}|Unter {name} versteht man Texte wie {qd} in [einer Webseite|einer Mail|einem PDF]|Sätze wie {qd} werden vom Filter [erkannt|gemeldet|blockiert]|Gegen {name} helfen [Rechte nach Bedarf|Freigaben durch Menschen|markierte fremde Texte|Protokolle]
Die Prüfer schrieben {qd} in [ein Ticket|einen Kommentar|eine Datei], und das Modell [gab seine Anweisungen preis|lehnte ab|antwortete wie sonst]|Das BSI nennt {name} als [Risiko|Gefahr] für [Chatbots|Assistenten|Sprachmodelle]|Behandeln Sie Text aus fremden Quellen als Daten, nie als Anweisung|Beispiel: {qd} (erwartet: blockiert)""")
A["qd"] = ["\"{pd}\"", "„{pd}“", "'{pd}'", "»{pd}«"]
A["talk"] = [t for t in A["fact"] if "{q}" not in t]
A["talk_de"] = [t for t in A["fact_de"] if "{qd}" not in t]
LIVE = ["override", "extract", "jailbreak", "privilege", "output", "tool", "german"]


def _payload(rnd, name):
    templates, slots, _ = grammar.FAMILIES[name]
    text = grammar.expand(rnd, rnd.choice(templates), slots)
    return text if len(text) < 240 else text[:rnd.randrange(60, 200)] + " ..."


def _fill(rnd, text):
    """Slots first, then what is quoted: attacks have brackets and braces of their own."""
    quoted = {"p": ["\1"], "pd": ["\2"]}
    text = grammar.expand(rnd, text, {**A, **quoted})
    for mark, families in (("\1", ("override", "override", "extract", "jailbreak", "privilege", "tool")), ("\2", ("german",))):
        while mark in text:
            text = text.replace(mark, _payload(rnd, rnd.choice(families)).rstrip(".").replace(mark, ""), 1)
    return text


def document(rnd, quotes):
    """Paragraphs about the subject, as a list of blocks; with examples of attacks in quotation marks or without any."""
    kind = ("fact" if quotes else "talk") + ("_de" if rnd.random() < 0.15 else "")
    blocks = [rnd.choice(["# ", "", "## ", "Title: ", "Subject: "]) + "{title}"] if rnd.random() < 0.7 else []
    for i in range(rnd.choice([1, 1, 2, 3, 5])):
        if quotes and i > 0 and rnd.random() < 0.25:
            blocks.append("{json}")
        else:
            facts = ["{" + kind + "}" for _ in range(rnd.choice([1, 2, 3, 4]))]
            blocks.append(rnd.choice([". ", ". ", "\n- "]).join(facts) + ".")
    return [_fill(rnd, b) for b in blocks]


def harmless(rnd, quotes):
    return "\n\n".join(b[:1].upper() + b[1:] for b in document(rnd, quotes))


def twin(rnd):
    """The same kind of document with one instruction that is not quoted."""
    blocks = document(rnd, rnd.random() < 0.5)
    templates, slots, _ = grammar.FAMILIES[rnd.choice(LIVE)]
    live = grammar.expand(rnd, rnd.choice(templates), slots)
    at = rnd.randrange(len(blocks) + 1)
    if rnd.random() < 0.5:
        blocks.insert(at, live)
    else:
        blocks[at - 1] = blocks[at - 1] + " " + live
    return "\n\n".join(blocks)
