/* tiny-gguf: computes a tiny, real llama model and writes it as GGUF v3.
 *
 * Nothing is trained and nothing is downloaded. The weights are a bigram table of the corpus, laid
 * out as a llama of one layer: embeddings are one-hot, so that after the norm a token is sqrt(dim)
 * on its own axis; the feed-forward part is zero; row j of the output matrix holds log P(j |
 * current token) / sqrt(dim). Mean-pooled embeddings are therefore bags of tokens, and their cosine
 * means something.
 *
 * One attention head is set by hand. The chat template ends the last user message with <|call|>
 * when tools are offered. The head's query fires on a newline only (the one after
 * "<|im_start|>assistant"), its key only on
 * <|call|>, and its value raises the unused axis of <|endoftext|>, which the output matrix turns
 * into
 * "<tool_call>". The server's grammar shapes the rest. Without the mark the head averages over
 * nothing.
 *
 * The same corpus gives the same file, byte for byte, on every machine with IEEE doubles. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    VOCAB = 1024, /* a multiple of 32: rows of quantised or f16 matrices are padded to that */
    SPECIALS = 6,
    LEARNED = VOCAB - SPECIALS,
    HEAD = 64,
    FFN = 32,
    CONTEXT = 16384,
    PIECE_MAX = 48, /* longer runs of one class are cut: they say nothing about language */
    BUCKETS = 1 << 15,
    CORPUS_MAX = 16 << 20,
    FILES_MAX = 128,
};
enum { ID_END = LEARNED, ID_OPEN, ID_CLOSE, ID_CALL, ID_TOOL, ID_TOOL_END };

static const char *const special_text[SPECIALS] = {
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|call|>", "<tool_call>", "</tool_call>",
};

/* ChatML with Hermes tool calls. The generation prompt is the same with and without tools:
 * llama-server aborts on a template that lengthens it, hence the mark inside the user's message. */
static const char chat_template[] =
    "{%- set lead = messages[0].content if messages[0].role == 'system' else '' %}\n"
    "{%- if tools %}\n"
    "{{- '<|im_start|>system\\n' }}\n"
    "{%- if lead %}{{- lead + '\\n\\n' }}{%- endif %}\n"
    "{{- \"# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n"
    "You are provided with function signatures within <tools></tools> XML tags:\\n<tools>\" }}\n"
    "{%- for tool in tools %}{{- \"\\n\" }}{{- tool | tojson }}{%- endfor %}\n"
    "{{- \"\\n</tools>\\n\\nFor each function call, return a json object with function name and "
    "arguments within <tool_call></tool_call> XML tags:\\n<tool_call>\\n{\\\"name\\\": "
    "<function-name>, "
    "\\\"arguments\\\": <args-json-object>}\\n</tool_call><|im_end|>\\n\" }}\n"
    "{%- elif lead %}{{- '<|im_start|>system\\n' + lead + '<|im_end|>\\n' }}{%- endif %}\n"
    "{%- for message in messages %}\n"
    "{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}\n"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content }}\n"
    "{%- if tools and loop.last and message.role == 'user' %}{{- '<|call|>' }}{%- endif %}\n"
    "{{- '<|im_end|>\\n' }}\n"
    "{%- elif message.role == 'assistant' %}\n"
    "{{- '<|im_start|>assistant\\n' }}\n"
    "{%- if message.content %}{{- message.content }}{%- endif %}\n"
    "{%- if message.tool_calls %}\n"
    "{%- for call in message.tool_calls %}\n"
    "{%- if not loop.first or message.content %}{{- '\\n' }}{%- endif %}\n"
    "{%- if call.function %}{%- set call = call.function %}{%- endif %}\n"
    "{{- '<tool_call>\\n{\"name\": \"' + call.name + '\", \"arguments\": ' }}\n"
    "{%- if call.arguments is string %}{{- call.arguments }}"
    "{%- else %}{{- call.arguments | tojson }}{%- endif %}\n"
    "{{- '}\\n</tool_call>' }}\n"
    "{%- endfor %}\n"
    "{%- endif %}\n"
    "{{- '<|im_end|>\\n' }}\n"
    "{%- elif message.role == 'tool' %}\n"
    "{%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}"
    "{{- '<|im_start|>user' }}{%- endif %}\n"
    "{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}\n"
    "{%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}"
    "{{- '<|im_end|>\\n' }}{%- endif %}\n"
    "{%- endif %}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

struct word { /* a distinct piece of the corpus and how it is cut into tokens so far */
    uint8_t text[PIECE_MAX];
    uint16_t sym[PIECE_MAX];
    uint32_t count, next;
    uint8_t len, syms;
};
struct model {
    uint8_t *corpus;
    size_t corpus_n;
    struct word *words;
    size_t words_n, words_cap;
    uint32_t bucket[BUCKETS]; /* index + 1 of the first word of a chain */
    uint32_t pair[VOCAB][VOCAB];
    uint8_t token[LEARNED][PIECE_MAX];
    uint8_t token_len[LEARNED];
    size_t tokens; /* learned so far; the rest of LEARNED are unused ones */
    struct {
        uint16_t left, right;
    } merge[LEARNED];
    size_t merges;
    float out[VOCAB][VOCAB];
};

static void die(const char *what, const char *name) {
    fprintf(stderr, "tiny-gguf: %s%s%s\n", what, name != NULL ? ": " : "",
            name != NULL ? name : "");
    exit(2);
}

/* ---- corpus ------------------------------------------------------------------------------------
 */

static void load_file(struct model *m, const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        die(strerror(errno), path);
    m->corpus_n += fread(m->corpus + m->corpus_n, 1, (size_t)CORPUS_MAX - m->corpus_n - 3, f);
    if (ferror(f) != 0)
        die("cannot read", path);
    fclose(f);
    memcpy(m->corpus + m->corpus_n, "\n\n", 2); /* a file's end ends its last paragraph */
    m->corpus_n += 2;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void load_dir(struct model *m, const char *path) {
    char *name[FILES_MAX];
    size_t n = 0;
    DIR *d = opendir(path);
    if (d == NULL)
        die(strerror(errno), path);
    for (struct dirent *e = readdir(d); e != NULL && n < FILES_MAX; e = readdir(d)) {
        char full[1024];
        struct stat st;
        int len = snprintf(full, sizeof full, "%s/%s", path, e->d_name);
        /* lstat: /usr/share/common-licenses names some texts twice, through links */
        if (len < 0 || (size_t)len >= sizeof full || lstat(full, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        name[n] = strdup(full);
        if (name[n] == NULL)
            die("out of memory", NULL);
        n++;
    }
    closedir(d);
    qsort(name, n, sizeof name[0], by_name);
    for (size_t i = 0; i < n; i++) {
        load_file(m, name[i]);
        free(name[i]);
    }
}

static void load(struct model *m, const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        die(strerror(errno), path);
    if (S_ISDIR(st.st_mode))
        load_dir(m, path);
    else
        load_file(m, path);
}

/* ---- pieces: GPT-2's pre-tokeniser, on bytes --------------------------------------------------
 */

enum class { SPACE, LETTER, DIGIT, OTHER };

static enum class class_of(uint8_t c) {
    if (c == ' ' || (c >= 9 && c <= 13)) return SPACE;
    if (c >= 0x80 || ((c | 0x20) >= 'a' &&
                      (c | 0x20) <= 'z')) return LETTER; /* UTF-8 beyond ASCII counts as letters:
                                                            close enough for counting */
    return c >= '0' && c <= '9' ? DIGIT : OTHER;
}

static size_t piece(const uint8_t *p, size_t n) {
    size_t i = 0;
    if (n > 1 && p[0] == ' ' && class_of(p[1]) != SPACE)
        i = 1;
    enum class c = class_of(p[i]);
    size_t start = i;
    while (i < n && i < PIECE_MAX && class_of(p[i]) == c)
        i++;
    /* blanks before a word leave the last one to it */
    if (c == SPACE && i < n && i - start > 1 && class_of(p[i]) != SPACE)
        i--;
    return i;
}

static struct word *word_of(struct model *m, const uint8_t *p, size_t n) {
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619U;
    uint32_t *slot = &m->bucket[h % BUCKETS];
    for (uint32_t i = *slot; i != 0; i = m->words[i - 1].next)
        if (m->words[i - 1].len == n && memcmp(m->words[i - 1].text, p, n) == 0)
            return &m->words[i - 1];
    if (m->words_n == m->words_cap) {
        m->words_cap = m->words_cap == 0 ? 4096 : m->words_cap * 2;
        m->words = realloc(m->words, m->words_cap * sizeof *m->words);
        if (m->words == NULL)
            die("out of memory", NULL);
    }
    struct word *w = &m->words[m->words_n++];
    *w = (struct word){.len = (uint8_t)n, .syms = (uint8_t)n, .next = *slot};
    *slot = (uint32_t)m->words_n;
    memcpy(w->text, p, n);
    for (size_t i = 0; i < n; i++)
        w->sym[i] = p[i];
    return w;
}

static void count_words(struct model *m) {
    for (size_t i = 0; i < m->corpus_n;) {
        size_t n = piece(m->corpus + i, m->corpus_n - i);
        word_of(m, m->corpus + i, n)->count++;
        i += n;
    }
}

/* ---- byte pair encoding -------------------------------------------------------------------------
 */

static void count_pairs(struct model *m, const struct word *w, bool add) {
    for (size_t i = 1; i < w->syms; i++) {
        uint32_t *c = &m->pair[w->sym[i - 1]][w->sym[i]];
        *c = add ? *c + w->count : *c - w->count;
    }
}

/* Two merges may spell the same token: it is one entry of the vocabulary then. */
static uint16_t token_named(struct model *m, const uint8_t *text, size_t n) {
    for (size_t i = 0; i < m->tokens; i++)
        if (m->token_len[i] == n && memcmp(m->token[i], text, n) == 0)
            return (uint16_t)i;
    memcpy(m->token[m->tokens], text, n);
    m->token_len[m->tokens] = (uint8_t)n;
    return (uint16_t)m->tokens++;
}

static void apply_merge(struct word *w, uint16_t left, uint16_t right, uint16_t both) {
    uint8_t o = 0;
    for (uint8_t i = 0; i < w->syms; i++) {
        bool hit = i + 1 < w->syms && w->sym[i] == left && w->sym[i + 1] == right;
        w->sym[o++] = hit ? both : w->sym[i];
        i = (uint8_t)(i + hit);
    }
    w->syms = o;
}

static bool has_pair(const struct word *w, uint16_t left, uint16_t right) {
    for (size_t i = 1; i < w->syms; i++)
        if (w->sym[i - 1] == left && w->sym[i] == right)
            return true;
    return false;
}

static bool learn_one(struct model *m) {
    uint32_t best = 1;
    uint16_t left = 0, right = 0;
    for (size_t i = 0; i < m->tokens; i++)
        for (size_t j = 0; j < m->tokens; j++)
            if (m->pair[i][j] > best) {
                best = m->pair[i][j];
                left = (uint16_t)i;
                right = (uint16_t)j;
            }
    if (best < 2)
        return false;
    uint8_t text[2 * PIECE_MAX];
    size_t a = m->token_len[left], b = m->token_len[right];
    memcpy(text, m->token[left], a);
    memcpy(text + a, m->token[right], b);
    uint16_t both = token_named(m, text, a + b);
    m->merge[m->merges].left = left;
    m->merge[m->merges++].right = right;
    for (size_t i = 0; i < m->words_n; i++) {
        struct word *w = &m->words[i];
        if (!has_pair(w, left, right))
            continue;
        count_pairs(m, w, false);
        apply_merge(w, left, right, both);
        count_pairs(m, w, true);
    }
    return true;
}

static void learn(struct model *m) {
    for (size_t i = 0; i < 256; i++)
        token_named(m, &(uint8_t){(uint8_t)i}, 1);
    count_words(m);
    for (size_t i = 0; i < m->words_n; i++)
        count_pairs(m, &m->words[i], true);
    while (m->tokens < LEARNED && m->merges < LEARNED && learn_one(m))
        continue;
}

/* ---- bigrams ------------------------------------------------------------------------------------
 */

static bool blank_line_at(const struct model *m, size_t i) {
    return m->corpus[i] == '\n' && i + 1 < m->corpus_n && m->corpus[i + 1] == '\n';
}

/* Each paragraph is one answer: a newline (what stands after "assistant"), its tokens, <|im_end|>.
 */
static void count_bigrams(struct model *m) {
    memset(m->pair, 0, sizeof m->pair);
    uint16_t last = '\n';
    for (size_t i = 0; i < m->corpus_n;) {
        if (blank_line_at(m, i)) {
            if (last != '\n')
                m->pair[last][ID_CLOSE]++;
            last = '\n';
            while (i < m->corpus_n && class_of(m->corpus[i]) == SPACE)
                i++;
            continue;
        }
        size_t n = piece(m->corpus + i, m->corpus_n - i);
        size_t gap = 0; /* a piece of blanks may reach over the paragraph's end */
        while (gap < n && !blank_line_at(m, i + gap))
            gap++;
        n = gap > 0 ? gap : n;
        const struct word *w = word_of(m, m->corpus + i, n);
        for (size_t k = 0; k < w->syms; k++) {
            m->pair[last][w->sym[k]]++;
            last = w->sym[k];
        }
        i += n;
    }
}

static bool is_blank(const struct model *m, size_t id) {
    if (id >= m->tokens)
        return false;
    for (size_t i = 0; i < m->token_len[id]; i++)
        if (class_of(m->token[id][i]) != SPACE)
            return false;
    return true;
}

/* Log probabilities with a unigram floor, so that a grammar can always find a way on. */
static void fill_output(struct model *m) {
    static double base[VOCAB];
    double all = 0;
    static uint64_t seen[VOCAB];
    for (size_t i = 0; i < VOCAB; i++)
        for (size_t j = 0; j < VOCAB; j++)
            seen[j] += m->pair[i][j];
    for (size_t j = 0; j < VOCAB; j++)
        all += (double)seen[j];
    for (size_t j = 0; j < VOCAB; j++) {
        bool speakable = j < m->tokens || j == ID_CLOSE;
        base[j] = speakable ? log(((double)seen[j] + 0.01) / (all + 0.01 * VOCAB)) : -30.0;
        if (j < 256 && strchr("{}[]:,\"", (int)j) != NULL && j != 0)
            base[j] = fmax(base[j], -8.0); /* licences hold few braces; JSON needs them */
    }
    for (size_t i = 0; i < VOCAB; i++) {
        double n = 0;
        for (size_t j = 0; j < VOCAB; j++)
            n += m->pair[i][j];
        double rest = fmax(1.0 / (1.0 + n), 1e-3);
        for (size_t j = 0; j < VOCAB; j++) {
            double p = rest * exp(base[j]) + (n > 0 ? (1.0 - rest) * m->pair[i][j] / n : 0);
            m->out[j][i] = (float)log(p);
        }
    }
}

/* JSON under a grammar would otherwise wander off into blanks, which every JSON grammar allows. */
static void keep_json_compact(struct model *m) {
    for (size_t i = 0; i < m->tokens; i++) {
        uint8_t end = m->token[i][m->token_len[i] - 1];
        bool opens = memchr("{[:", end, 3) != NULL;
        bool parts = end == ',' || end == '"';
        for (size_t j = 0; j < m->tokens; j++) {
            if (!is_blank(m, j))
                continue;
            if (is_blank(m, i))
                m->out[j][i] -= 20.0F;
            if (opens || (parts && j != ' '))
                m->out[j][i] -= 12.0F;
        }
        m->out['"'][i] += 1.5F; /* strings end before the caller's patience does */
    }
    m->out['\n']['}'] += 3.0F; /* a tool call is seldom followed by another */
}

static void wire_tool_calls(struct model *m) {
    for (size_t j = 0; j < VOCAB; j++) {
        m->out[j][ID_TOOL] = j == '\n' ? 0.0F : -30.0F;
        m->out[j][ID_TOOL_END] = j == ID_CLOSE ? 0.0F : -30.0F;
        m->out[j][ID_END] = j == ID_TOOL ? 80.0F : j == ID_TOOL_END ? 70.0F : 0.0F;
    }
    float scale = sqrtf((float)VOCAB);
    for (size_t j = 0; j < VOCAB; j++)
        for (size_t i = 0; i < VOCAB; i++)
            m->out[j][i] /= scale;
}

/* ---- GGUF v3
 * -------------------------------------------------------------------------------------- */

enum gguf_type { G_U32 = 4, G_I32 = 5, G_F32 = 6, G_BOOL = 7, G_STRING = 8, G_ARRAY = 9 };
enum tensor_type { T_F32 = 0, T_F16 = 1 };

struct out {
    FILE *f;
    uint64_t at;
};

static void put(struct out *o, const void *p, size_t n) {
    if (fwrite(p, 1, n, o->f) != n)
        die("cannot write", strerror(errno));
    o->at += n;
}

static void put_uint(struct out *o, uint64_t v, size_t bytes) {
    uint8_t b[8];
    for (size_t i = 0; i < bytes; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    put(o, b, bytes);
}

static void put_string(struct out *o, const char *s) {
    put_uint(o, strlen(s), 8);
    put(o, s, strlen(s));
}

static void put_float(struct out *o, float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_uint(o, bits, 4);
}

/* binary16, nearest; small numbers become zero, large ones the largest: no infinity gets into a
 * weight. */
static void put_half(struct out *o, float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000U;
    int32_t exponent = (int32_t)(bits >> 23 & 0xff) - 127 + 15;
    uint32_t mantissa = bits & 0x7fffffU;
    if (exponent <= 0)
        return put_uint(o, sign, 2);
    if (exponent >= 31)
        return put_uint(o, sign | 0x7bffU, 2);
    uint32_t half = ((uint32_t)exponent << 10 | mantissa >> 13) + (mantissa >> 12 & 1U);
    put_uint(o, sign | half, 2);
}

static void pad(struct out *o) {
    static const uint8_t zero[32];
    put(o, zero, (size_t)(-o->at & 31U));
}

static void kv(struct out *o, const char *key, enum gguf_type t) {
    put_string(o, key);
    put_uint(o, t, 4);
}

static void kv_u32(struct out *o, const char *key, uint32_t v) {
    kv(o, key, G_U32);
    put_uint(o, v, 4);
}

static void kv_f32(struct out *o, const char *key, float v) {
    kv(o, key, G_F32);
    put_float(o, v);
}

static void kv_string(struct out *o, const char *key, const char *v) {
    kv(o, key, G_STRING);
    put_string(o, v);
}

static void kv_array(struct out *o, const char *key, enum gguf_type of, size_t n) {
    kv(o, key, G_ARRAY);
    put_uint(o, of, 4);
    put_uint(o, n, 8);
}

/* GPT-2 writes bytes as printable characters; those that are none are moved to U+0100 and up. */
static size_t spell(const uint8_t *p, size_t n, char *out) {
    size_t o = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t moved = 256;
        for (uint32_t c = 0; c < p[i]; c++)
            moved += !((c >= 33 && c < 127) || (c >= 161 && c != 173));
        bool as_is = (p[i] >= 33 && p[i] < 127) || (p[i] >= 161 && p[i] != 173);
        uint32_t cp = as_is ? p[i] : moved;
        if (cp >= 0x80)
            out[o++] = (char)(0xc0 | cp >> 6);
        out[o++] = (char)(cp >= 0x80 ? 0x80 | (cp & 0x3f) : cp);
    }
    out[o] = '\0';
    return o;
}

static void put_tokenizer(const struct model *m, struct out *o) {
    char text[4 * PIECE_MAX + 2];
    kv_string(o, "tokenizer.ggml.model", "gpt2");
    kv_string(o, "tokenizer.ggml.pre", "gpt-2");
    kv_array(o, "tokenizer.ggml.tokens", G_STRING, VOCAB);
    for (size_t i = 0; i < LEARNED; i++) {
        if (i < m->tokens)
            spell(m->token[i], m->token_len[i], text);
        else
            snprintf(text, sizeof text, "[unused%zu]", i);
        put_string(o, text);
    }
    for (size_t i = 0; i < SPECIALS; i++)
        put_string(o, special_text[i]);
    kv_array(o, "tokenizer.ggml.token_type", G_I32, VOCAB);
    for (size_t i = 0; i < VOCAB;
         i++) /* 1 normal, 3 control, 4 user defined (seen in text), 5 unused */
        put_uint(o, i < m->tokens ? 1 : i < LEARNED ? 5 : i >= ID_TOOL ? 4 : 3, 4);
    kv_array(o, "tokenizer.ggml.merges", G_STRING, m->merges);
    for (size_t i = 0; i < m->merges; i++) {
        size_t n = spell(m->token[m->merge[i].left], m->token_len[m->merge[i].left], text);
        text[n++] = ' ';
        spell(m->token[m->merge[i].right], m->token_len[m->merge[i].right], text + n);
        put_string(o, text);
    }
    kv_u32(o, "tokenizer.ggml.bos_token_id", ID_END);
    kv_u32(o, "tokenizer.ggml.eos_token_id", ID_CLOSE);
    kv_u32(o, "tokenizer.ggml.eot_token_id", ID_CLOSE);
    kv_u32(o, "tokenizer.ggml.padding_token_id", ID_END);
    kv(o, "tokenizer.ggml.add_bos_token", G_BOOL);
    put_uint(o, 0, 1);
    kv_string(o, "tokenizer.chat_template", chat_template);
}

static void put_settings(struct out *o, const char *name) {
    kv_string(o, "general.architecture", "llama");
    kv_string(o, "general.name", name);
    kv_u32(o, "general.file_type", T_F16);
    kv_u32(o, "llama.context_length", CONTEXT);
    kv_u32(o, "llama.embedding_length", VOCAB);
    kv_u32(o, "llama.block_count", 1);
    kv_u32(o, "llama.feed_forward_length", FFN);
    kv_u32(o, "llama.attention.head_count", 1);
    kv_u32(o, "llama.attention.head_count_kv", 1);
    kv_u32(o, "llama.attention.key_length", HEAD);
    kv_u32(o, "llama.attention.value_length", HEAD);
    kv_u32(o, "llama.rope.dimension_count", HEAD);
    kv_f32(o, "llama.attention.layer_norm_rms_epsilon", 1e-6F);
    kv_f32(o, "llama.rope.freq_base", 10000.0F);
    kv_u32(o, "llama.vocab_size", VOCAB);
}
enum { KV_COUNT = 15 + 11 };

/* Every matrix is a function of (row, column); GGUF stores rows, the first dimension running
 * fastest. */
typedef float cell(const struct model *m, size_t row, size_t col);

static float cell_zero(const struct model *m, size_t row, size_t col) {
    (void)m, (void)row, (void)col;
    return 0;
}

static float cell_one(const struct model *m, size_t row, size_t col) {
    (void)m, (void)row, (void)col;
    return 1;
}

static float cell_identity(const struct model *m, size_t row, size_t col) {
    (void)m;
    return row == col;
}

static float cell_output(const struct model *m, size_t row, size_t col) {
    return m->out[row][col];
}

/* Query and key meet on the last pair of the head, whose RoPE angle turns slowest: the score is
 * 16 * 16 / sqrt(64) = 32 where <|call|> stands and 0 elsewhere, at any distance in the context. */
static float cell_query(const struct model *m, size_t row, size_t col) {
    (void)m;
    return row == HEAD - 2 && col == '\n' ? 16.0F / sqrtf((float)VOCAB) : 0;
}

static float cell_key(const struct model *m, size_t row, size_t col) {
    (void)m;
    return row == HEAD - 2 && col == ID_CALL ? 16.0F / sqrtf((float)VOCAB) : 0;
}

static float cell_value(const struct model *m, size_t row, size_t col) {
    (void)m;
    return row == 0 && col == ID_CALL ? 1.0F / sqrtf((float)VOCAB) : 0;
}

static float cell_raise(const struct model *m, size_t row, size_t col) {
    (void)m;
    return row == ID_END && col == 0;
}

static const struct tensor {
    const char *name;
    size_t cols, rows; /* rows 0: a vector, kept in f32 */
    cell *at;
} tensors[] = {
    {"token_embd.weight", VOCAB, VOCAB, cell_identity},
    {"output_norm.weight", VOCAB, 0, cell_one},
    {"output.weight", VOCAB, VOCAB, cell_output},
    {"blk.0.attn_norm.weight", VOCAB, 0, cell_one},
    {"blk.0.ffn_norm.weight", VOCAB, 0, cell_one},
    {"blk.0.attn_q.weight", VOCAB, HEAD, cell_query},
    {"blk.0.attn_k.weight", VOCAB, HEAD, cell_key},
    {"blk.0.attn_v.weight", VOCAB, HEAD, cell_value},
    {"blk.0.attn_output.weight", HEAD, VOCAB, cell_raise},
    {"blk.0.ffn_gate.weight", VOCAB, FFN, cell_zero},
    {"blk.0.ffn_up.weight", VOCAB, FFN, cell_zero},
    {"blk.0.ffn_down.weight", FFN, VOCAB, cell_zero},
};
enum { TENSORS = sizeof tensors / sizeof tensors[0] };

static uint64_t tensor_size(const struct tensor *t) {
    uint64_t n = t->rows == 0 ? t->cols * 4 : t->cols * t->rows * 2;
    return (n + 31U) & ~(uint64_t)31U;
}

static void put_tensors(const struct model *m, struct out *o) {
    uint64_t at = 0;
    for (size_t i = 0; i < TENSORS; i++) {
        const struct tensor *t = &tensors[i];
        put_string(o, t->name);
        put_uint(o, t->rows == 0 ? 1 : 2, 4);
        put_uint(o, t->cols, 8);
        if (t->rows != 0)
            put_uint(o, t->rows, 8);
        put_uint(o, t->rows == 0 ? T_F32 : T_F16, 4);
        put_uint(o, at, 8);
        at += tensor_size(t);
    }
    pad(o);
    for (size_t i = 0; i < TENSORS; i++) {
        const struct tensor *t = &tensors[i];
        for (size_t r = 0; r < (t->rows == 0 ? 1 : t->rows); r++)
            for (size_t c = 0; c < t->cols; c++)
                t->rows == 0 ? put_float(o, t->at(m, r, c)) : put_half(o, t->at(m, r, c));
        pad(o);
    }
}

int main(int argc, char **argv) {
    if (argc < 2 || argv[1][0] == '-') {
        fputs("usage: tiny-gguf OUT.gguf [TEXT|DIRECTORY ...]\n"
              "Computes a tiny chat model from texts (default: /usr/share/common-licenses).\n",
              stderr);
        return 2;
    }
    struct model *m = calloc(1, sizeof *m);
    if (m == NULL || (m->corpus = malloc(CORPUS_MAX)) == NULL)
        die("out of memory", NULL);
    if (argc == 2)
        load(m, "/usr/share/common-licenses");
    for (int i = 2; i < argc; i++)
        load(m, argv[i]);
    if (m->corpus_n < 1024)
        die("the corpus is too small", NULL);
    learn(m);
    count_bigrams(m);
    fill_output(m);
    keep_json_compact(m);
    wire_tool_calls(m);
    struct out o = {.f = fopen(argv[1], "wb")};
    if (o.f == NULL)
        die(strerror(errno), argv[1]);
    put(&o, "GGUF", 4);
    put_uint(&o, 3, 4);
    put_uint(&o, TENSORS, 8);
    put_uint(&o, KV_COUNT, 8);
    put_settings(&o, "bartizan-demo");
    put_tokenizer(m, &o);
    put_tensors(m, &o);
    if (fclose(o.f) != 0)
        die(strerror(errno), argv[1]);
    printf("%s: %zu tokens, %zu merges, %zu distinct words, %llu bytes\n", argv[1], m->tokens,
           m->merges, m->words_n, (unsigned long long)o.at);
    free(m->corpus);
    free(m->words);
    free(m);
    return 0;
}
