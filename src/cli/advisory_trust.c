/* bartizan advisory trust list|add|remove: whose packs an instance takes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "advisory.h"
#include "opts.h"

static const char *from_name(enum bz_advisory_trust_from f) {
    switch (f) {
    case BZ_TRUST_BUILT_IN:
        return "built in";
    case BZ_TRUST_CONFIGURED:
        return "bartizan.yaml";
    case BZ_TRUST_ADDED:
        return "added";
    }
    return "added";
}

static bool read_trust(const struct bz_advisory_opened *o, struct bz_advisory_trust *t) {
    enum bz_status st = bz_advisory_trust_read(&o->in, o->config, t);
    if (st != BZ_OK)
        bz_say("%s: %s", BZ_F_ADVISORY_KEYS,
               st == BZ_ESYNTAX ? "a line of it is no key" : bz_status_text(st));
    return st == BZ_OK;
}

static void put_key(struct bz_jw *w, const struct bz_advisory_trusted *k, struct bz_view key) {
    bz_jw_obj(w);
    bz_jw_kstr(w, "key", key);
    bz_jw_kstr(w, "from", bz_view_str(from_name(k->from)));
    bz_jw_kstr(w, "note", bz_view_str(k->note));
    bz_jw_end(w);
}

static void print_keys(const struct bz_advisory_trust *t, bool json) {
    struct bz_buf out, key;
    struct bz_jw w;
    bz_buf_init(&out, 1 << 20);
    bz_buf_init(&key, 256);
    bz_jw_init(&w, &out);
    bz_jw_obj(&w);
    bz_jw_key(&w, "keys");
    bz_jw_arr(&w);
    for (size_t i = 0; i < t->n; i++) {
        bz_buf_reset(&key);
        bz_advisory_key_text(&t->list[i].key, &key);
        put_key(&w, &t->list[i], bz_buf_view(&key));
        if (!json)
            (void)printf("%.*s  %-13s  %s\n", (int)key.n, (const char *)key.p,
                         from_name(t->list[i].from), bz_safe(t->list[i].note));
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    if (json)
        (void)printf("%.*s\n", (int)out.n, (const char *)out.p);
    else if (t->n == 0)
        (void)printf("no key is trusted: the pack that is built in is the only one\n");
    bz_buf_free(&out);
    bz_buf_free(&key);
}

static int trust_list(int argc, char **argv) {
    static const char *const words[] = {"DIR"};
    const char *w[1];
    size_t n = 0;
    bool help = false, json = false;
    struct bz_advisory_opened o;
    struct bz_advisory_trust t;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts opts = {"bartizan advisory trust list DIR [--json]",
                                 "The keys whose packs of advisories this instance takes.",
                                 list,
                                 1,
                                 words,
                                 1,
                                 1};
    if (bz_opts_parse(&opts, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!bz_advisory_open(w[0], &o))
        return BZ_EXIT_FAILURE;
    bool ok = read_trust(&o, &t);
    if (ok)
        print_keys(&t, json);
    bz_advisory_close(&o);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

static int add(const struct bz_advisory_opened *o, const char *key, const char *note) {
    struct bz_advisory_trust t;
    if (!read_trust(o, &t))
        return BZ_EXIT_FAILURE;
    enum bz_status st = bz_advisory_trust_add(
        &o->in, &t, bz_view_str(key), note == NULL ? (struct bz_view){0} : bz_view_str(note));
    if (st == BZ_OK || st == BZ_EEXISTS) {
        (void)printf("%s\n", st == BZ_OK ? "packs of this key are taken from now on"
                                         : "this key is trusted already");
        return BZ_EXIT_OK;
    }
    if (st == BZ_ESYNTAX)
        bz_say("'%s' is no key: ed25519: and 64 hex digits, as its owner publishes it",
               bz_safe(key));
    else if (st == BZ_EINVAL)
        bz_say("--note: one line without control characters");
    else if (st == BZ_ETOOBIG)
        bz_say("more than %d keys, or a note of more than 63 bytes", BZ_ADVISORY_KEYS);
    else
        bz_say("%s: %s", BZ_F_ADVISORY_KEYS, strerror(errno));
    return BZ_EXIT_FAILURE;
}

static int trust_add(int argc, char **argv) {
    static const char *const words[] = {"DIR", "KEY"};
    const char *w[2], *note = NULL;
    size_t n = 0;
    bool help = false;
    struct bz_advisory_opened o;
    const struct bz_opt list[] = {{"note", BZ_OPT_TEXT, &note, "TEXT", "whose key it is"}};
    const struct bz_opts opts = {
        "bartizan advisory trust add DIR KEY [--note TEXT]",
        "Takes packs of advisories that this key has signed. KEY: ed25519:..., from its owner and\n"
        "by another way than the packs; no key is ever taken from a pack.",
        list,
        1,
        words,
        2,
        2};
    if (bz_opts_parse(&opts, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!bz_advisory_open(w[0], &o))
        return BZ_EXIT_FAILURE;
    int rc = add(&o, w[1], note);
    bz_advisory_close(&o);
    return rc;
}

static bool may_remove(const struct bz_advisory_trust *t, const struct bz_advisory_key *k) {
    for (size_t i = 0; i < t->n; i++) {
        if (!bz_advisory_key_same(&t->list[i].key, k))
            continue;
        if (t->list[i].from == BZ_TRUST_CONFIGURED)
            bz_say("it stands in bartizan.yaml: take it out of advisories.keys there");
        else if (t->list[i].from == BZ_TRUST_BUILT_IN)
            bz_say("it is built into this program");
        return t->list[i].from == BZ_TRUST_ADDED;
    }
    bz_say("this key is not trusted");
    return false;
}

/* The packs go first: after a crash in between the key is trusted and has none. */
static int remove_key(const struct bz_advisory_opened *o, const char *text) {
    struct bz_advisory_trust t;
    struct bz_advisory_key k;
    struct bz_buf names;
    if (bz_advisory_key_parse(bz_view_str(text), &k) != BZ_OK) {
        bz_say("'%s' is no key: ed25519: and 64 hex digits", bz_safe(text));
        return BZ_EXIT_FAILURE;
    }
    if (!read_trust(o, &t) || !may_remove(&t, &k))
        return BZ_EXIT_FAILURE;
    bz_buf_init(&names, 8192);
    enum bz_status st = bz_advisories_drop(&o->in, &k, &names);
    if (st == BZ_OK)
        st = bz_advisory_trust_remove(&o->in, &t, &k);
    if (st != BZ_OK)
        bz_say("%s: %s", BZ_F_ADVISORIES, strerror(errno));
    else if (names.n > 0)
        (void)printf("no longer trusted; its packs are removed: %.*s\n", (int)names.n,
                     (const char *)names.p);
    else
        (void)printf("no longer trusted\n");
    bz_buf_free(&names);
    return st == BZ_OK ? bz_advisory_tell(&o->in) : BZ_EXIT_FAILURE;
}

static int trust_remove(int argc, char **argv) {
    static const char *const words[] = {"DIR", "KEY"};
    const char *w[2];
    size_t n = 0;
    bool help = false;
    struct bz_advisory_opened o;
    const struct bz_opts opts = {"bartizan advisory trust remove DIR KEY",
                                 "Takes no packs of this key any more and removes those that are "
                                 "here, with their virtual patches.",
                                 NULL,
                                 0,
                                 words,
                                 2,
                                 2};
    if (bz_opts_parse(&opts, argc, argv, w, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (!bz_advisory_open(w[0], &o))
        return BZ_EXIT_FAILURE;
    int rc = remove_key(&o, w[1]);
    bz_advisory_close(&o);
    return rc;
}

int bz_advisory_trust(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"list", "keys whose packs are taken", trust_list},
        {"add", "take packs of a key", trust_add},
        {"remove", "take none of a key any more", trust_remove},
    };
    return bz_cli_dispatch("bartizan advisory trust", list, sizeof list / sizeof list[0], argc,
                           argv);
}
