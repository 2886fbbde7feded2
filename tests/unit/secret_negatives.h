/* Texts that look like secrets to a careless eye, and hold none. Generated; one family per row. */
#ifndef SECRET_NEGATIVES_H
#define SECRET_NEGATIVES_H

#include "samples_secrets.h"

/* {x40} and friends as in samples_secrets.h; {W} a word of prose, {C} a CamelCase name, {s} a
 * snake_case name, {N5} a number of five digits that does not begin with 0, {B400} wrapped base64,
 * {P} a line of prose. */
static const char *const secret_negatives[] = {
    "{P} {P} {P}",
    "commit {x40}\nAuthor: {C} <{W}@example.com>\nDate: Mon Nov 3 10:{N2}:00 2025\n",
    "sha256:{x64}  {W}-{N1}.{N1}.{N2}.tar.gz\nFROM registry.example.com/{W}@sha256:{x64}\n",
    "\"integrity\": \"sha512-{b86}==\",\n\"resolved\": "
    "\"https://registry.example.org/{W}/-/{W}-4.17.21.tgz\"",
    "id: {U}\nrequest {U} took {N3} ms, trace {x32}\n",
    "<img src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA{b300}\">",
    "!function(e,t){var n=e.{s};for(var r=0;r<t.length;r++)n[t[r].key]=t[r].val2;"
    "return n}(window,[{key:\"{W}\",a:{N3}}]);",
    "/usr/lib/x86_64-linux-gnu/lib{W}.so.6.{N2}\n/home/{W}/src/{s}/test_{s}.py:{N3}\n",
    ".{W}-{W}{background:#{x6};margin:{N2}px {N1}em;color:rgba({N2},{N2},{N2},.5)}\n",
    "{W}=={N1}.{N2}.{N1}\n{W}>=1.{N2}.0rc1,<2\nversion: 2.{N2}.{N1}-beta.{N1}+build.{N4}\n",
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{B700}\n=abCD\n-----END PGP PUBLIC KEY BLOCK-----\n",
    "-----BEGIN CERTIFICATE-----\nMIID{b60}\n{B900}\n-----END CERTIFICATE-----\n",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b43} {W}@{W}\nssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABgQ{b300}\n",
    "https://{W}.example.com/{W}/{N6}?page={N2}&sort={W}&utm_source={W}#section-{N1}\n",
    "api_key = \"your_api_key_here\"\nTOKEN=<your-token>\nsecret: xxxxxxxxxxxxxxxxxxxx\npassword: "
    "********\n",
    "export API_TOKEN=${GITHUB_TOKEN}\nkey: $(cat /run/secrets/{W})\npassword: {{ vault_{s} }}\n",
    "token = get_token(request.headers[\"X-{C}\"])\nself.secret_key = config.{s}\npassword = "
    "os.environ[\"DB_PASS\"]\n",
    "Order {N9} of customer {N6}: {N2} items, total {N3}.{N2} EUR, parcel 00{N9}{N9}\n",
    "2025-11-0{N1}T12:{N2}:{N2}.{N3}Z INFO  [{C}Thread-{N2}] {s}: {W} {W} in {N4} us (0x{x12})\n",
    "[[package]]\nname = \"{W}\"\nversion = \"0.{N2}.{N1}\"\nchecksum = \"{x64}\"\n",
    "golang.org/x/{W} v0.{N2}.0 h1:{b43}=\ngolang.org/x/{W} v0.{N2}.0/go.mod h1:{b43}=\n",
    "| {W} | {N4} | {C} |\n|-----|------|-----|\n| token count | {N5} | max_tokens={N4} |\n",
    "\"password\": {\"type\": \"string\", \"minLength\": {N1}, \"format\": \"password\"}, "
    "\"token\": {\"$ref\": \"#/{C}\"}",
    "{\"usage\": {\"prompt_tokens\": {N4}, \"completion_tokens\": {N3}, \"total_tokens\": {N4}}, "
    "\"token_type\": \"bearer\"}",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {W}-{W}\n  uid: {U}\n",
    "inet 10.{N2}.{N2}.{N1}/24 ether 0{N1}:1a:2b:{N2}:4d:5e mtu 1500 fe80::{x4}:{x4}:{x4}\n",
    "password: \"Passwort\"\nforgotPassword: \"Passwort vergessen?\"\nsecret_label: "
    "{W}\napi_key_hint: {W} {W}\n",
    "re.compile(r\"^(?:token|key)[=:]\\s*([A-Za-z0-9_-]{20,})$\")\n",
    "GATTACA{W}TTGACCATGACCATGATTACGCCAAGC Donaudampfschifffahrtsgesellschaft {C}{C}{C}\n",
    "<div class=\"{W}-{W} col-md-{N1}\" id=\"{s}-{N3}\" data-key=\"{W}\">{P}</div>\n",
    "CREATE TABLE {s} (id BIGINT PRIMARY KEY, password_hash CHAR(60) NOT NULL, token_id INT, "
    "foreign_key INT);\n",
    "Write to {W}.{W}@example.org or call; the password is required and the secret is patience.\n",
    "\\begin{equation}\\label{eq:{W}{N1}} x_{N1}=\\alpha^{N2}\\end{equation} key: "
    "\\cite{{W}{N4}}\n",
    "The bearer of this token was {W}. Authorization: Basic means a password in base64. curl -u "
    "user:password\n",
    "def test_{s}(self): assert key == \"{W}\" and token != None and secret is not None\n",
    "key_id: {x16}\npublic_key: {b44}\nfingerprint: SHA256:{b43}\ncache_key: {W}:{N5}:v{N1}\n",
    "if (token.type === TokenType.{C} && keyword.value2 == '{W}') return secret.length > {N2};\n",
    "etag: \"{x32}\"\ncontent-md5: {b22}==\nx-amz-request-id: {A16}\nnext_page_token: none\n",
    "'password' => 'required|string|min:{N1}|confirmed', 'api_token' => 'nullable|size:{N2}'\n",
    "\"AWS::IAM::AccessKey\": \"{x16}\", \"AWS::SecretsManager::Secret\": \"{x16}\"\n",
    "accessToken: OAuth{N1}{C}; refreshToken?: {C}V{N1}Response | null; apiKeys: "
    "Array<ApiKey{N1}>;\n",
    "if line == '-----BEGIN RSA PRIVATE KEY-----' or line == '-----END RSA PRIVATE KEY-----': "
    "{s}()\n",
    "\"NextToken\": \"{b60}\", \"continuation_token\": \"{b40}\", \"secret_id\": \"{U}\"\n",
    "kind: ConfigMap\ndata:\n  {s}: production\n  LOG_LEVEL: {W}\n  REPLICAS: \"{N2}\"\n",
};
enum { SECRET_NEGATIVES = sizeof secret_negatives / sizeof secret_negatives[0] };

static inline void negative_words(struct sample_out *o, char kind) {
    static const char *const words[] = {
        "river",  "quiet",  "server", "monitor", "yellow",   "report", "battery", "monkey",
        "orange", "kernel", "secret", "token",   "keyboard", "window", "passage", "author",
        "letter", "basket", "number", "travel",  "linear",   "global", "discord", "sentry",
        "asking", "skills", "patent", "testing", "sonar",    "notion", "hf",      "do",
    };
    enum { n = sizeof words / sizeof words[0] };
    const char *w = words[sample_random(o) % n];
    if (kind == 'C') {
        sample_put(o, (char)(w[0] - 32));
        sample_text(o, w + 1);
        w = words[sample_random(o) % n];
        sample_put(o, (char)(w[0] - 32));
        sample_text(o, w + 1);
    } else if (kind == 's') {
        sample_text(o, w);
        sample_put(o, '_');
        sample_text(o, words[sample_random(o) % n]);
    } else if (kind == 'P') {
        for (int i = 0; i < 12; i++) {
            sample_text(o, words[sample_random(o) % n]);
            sample_text(o, i == 11 ? "." : i % 5 == 4 ? ", " : " ");
        }
    } else {
        sample_text(o, w);
    }
}

static inline size_t secret_negative(size_t family, uint64_t seed, char *out, size_t cap) {
    struct sample_out o = {.p = out, .cap = cap, .rnd = seed * 104729 + family * 31 + 7};
    for (const char *t = secret_negatives[family]; *t != '\0'; t++) {
        const char *close = strchr(t, '}');
        size_t n = 0;
        bool ours = *t == '{' && close != NULL && close - t <= 5 && close - t >= 2;
        for (const char *d = t + 2; ours && d < close; d++) {
            ours = *d >= '0' && *d <= '9';
            n = n * 10 + (size_t)(*d - '0');
        }
        if (!ours || strchr("WCsPUNBxbkAwa", t[1]) == NULL || (n == 0 && close - t > 2)) {
            sample_put(&o, *t);
            continue;
        }
        if (t[1] == 'U') {
            sample_uuid(&o);
        } else if (t[1] == 'N') {
            sample_put(&o, (char)('1' + sample_random(&o) % 9));
            for (size_t i = 1; i < n; i++)
                sample_put(&o, (char)('0' + sample_random(&o) % 10));
        } else if (t[1] == 'B') {
            for (size_t i = 0; i < n; i += 64) {
                sample_class(&o, 'b', 64);
                sample_put(&o, '\n');
            }
        } else if (n > 0) {
            sample_class(&o, t[1], n);
        } else {
            negative_words(&o, t[1]);
        }
        t = close;
    }
    return o.n;
}

#endif
