/* bartizan redteam run|model|list. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "commands.h"
#include "redteam.h"

enum { REPORT_MAX = 64 << 20, ROUNDS_DEFAULT = 500, MUTANTS_DEFAULT = 2 };
#define SEED_DEFAULT 1

struct wanted {
    const char *target, *url, *key_file, *ca, *model, *compromised, *role;
    const char *rounds, *mutants, *seed, *baseline, *save, *junit, *sarif, *html;
    struct bz_opt_many dialects, corpus, scenarios, families;
    bool own_policy, strict, only_attacks, only_model, no_builtin, json, quiet, no_progress;
};

struct material { /* what is read before anything is sent */
    struct bz_arena ar;
    struct bz_red_corpus corpus;
    struct bz_red_suite suite;
};

/* ---- files ---- */

static bool read_file(const char *path, struct bz_view *ret, struct bz_arena *ar) {
    struct bz_buf b;
    bz_buf_init(&b, BZ_RED_FILE_MAX);
    enum bz_status st = bz_file_read(AT_FDCWD, path, &b);
    if (st == BZ_OK)
        *ret = bz_arena_dup(ar, bz_buf_view(&b));
    else
        bz_say("%s: %s", bz_safe(path),
               st == BZ_EIO || st == BZ_ENOTFOUND ? strerror(errno) : bz_status_text(st));
    bz_buf_free(&b);
    return st == BZ_OK && ret->p != NULL;
}

static bool said(const char *name, enum bz_status st, const struct bz_red_error *err) {
    if (st != BZ_OK)
        bz_say("%s, line %u: %s", bz_safe(name), err->line,
               err->text[0] != '\0' ? bz_safe(err->text) : bz_status_text(st));
    return st == BZ_OK;
}

static bool add_file(struct material *m, const char *path, bool scenarios) {
    struct bz_view text;
    struct bz_red_error err = {.line = 0};
    return read_file(path, &text, &m->ar) &&
           said(path,
                scenarios ? bz_red_suite_add(&m->suite, text, &err)
                          : bz_red_corpus_add(&m->corpus, text, &err),
                &err);
}

static int is_jsonl(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 6 && strcmp(d->d_name + n - 6, ".jsonl") == 0;
}

/* A file, or the .jsonl files of a directory in the order of their names. */
static bool add_path(struct material *m, const char *path, bool scenarios) {
    struct stat sb;
    struct dirent **list = NULL;
    if (stat(path, &sb) != 0 || !S_ISDIR(sb.st_mode))
        return add_file(m, path, scenarios);
    int n = scandir(path, &list, is_jsonl, alphasort);
    bool ok = n > 0;
    if (!ok)
        bz_say("%s: %s", bz_safe(path), n < 0 ? strerror(errno) : "no .jsonl file is in it");
    for (int i = 0; i < n; i++) {
        char file[4096];
        (void)snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
        ok = ok && add_file(m, file, scenarios);
        free(list[i]);
    }
    free(list);
    return ok;
}

static bool load(struct material *m, const struct wanted *q) {
    struct bz_red_error err = {.line = 0};
    struct bz_red_file f;
    bz_arena_init(&m->ar, bz_alloc_heap, (size_t)1 << 30, NULL, 0);
    m->corpus = (struct bz_red_corpus){.ar = &m->ar};
    m->suite = (struct bz_red_suite){.ar = &m->ar};
    for (size_t i = 0; !q->no_builtin && bz_red_builtin(i, &f); i++)
        if (!said("built-in corpus", bz_red_corpus_add(&m->corpus, f.text, &err), &err))
            return false;
    for (size_t i = 0; i < q->corpus.n; i++)
        if (!add_path(m, q->corpus.v[i], false))
            return false;
    if (q->scenarios.n == 0 &&
        !said("built-in scenarios", bz_red_suite_add(&m->suite, bz_red_builtin_scenarios(), &err),
              &err))
        return false;
    for (size_t i = 0; i < q->scenarios.n; i++)
        if (!add_path(m, q->scenarios.v[i], true))
            return false;
    enum bz_status st = bz_red_corpus_check(&m->corpus, &err);
    if (st != BZ_OK)
        bz_say("the corpus: %s",
               err.text[0] != '\0' ? bz_safe(err.text) : "there is no attack in it");
    return st == BZ_OK;
}

/* Only these families; their seeds keep their ids. */
static bool choose_families(struct bz_red_corpus *c, const struct bz_opt_many *names) {
    size_t n = 0;
    uint32_t to[BZ_RED_FAMILIES_MAX];
    if (names->n == 0)
        return true;
    for (size_t i = 0; i < c->families_n; i++) {
        bool wanted = false;
        for (size_t k = 0; k < names->n; k++)
            wanted = wanted || bz_view_eq(c->families[i].name, bz_view_str(names->v[k]));
        to[i] = wanted ? (uint32_t)n : UINT32_MAX;
        if (wanted)
            c->families[n++] = c->families[i];
    }
    if (n < names->n) {
        bz_say("--family names one that is not in the corpus; 'bartizan redteam list' shows them");
        return false;
    }
    size_t seeds = 0;
    for (size_t i = 0; i < c->seeds_n; i++) {
        if (to[c->seeds[i].family] == UINT32_MAX)
            continue;
        c->seeds[seeds] = c->seeds[i];
        c->seeds[seeds++].family = to[c->seeds[i].family];
    }
    c->families_n = n;
    c->seeds_n = seeds;
    struct bz_sha256 h; /* of another choice: not to be compared */
    bz_sha256_init(&h);
    bz_sha256_add(&h, bz_view(c->digest, sizeof c->digest));
    for (size_t i = 0; i < n; i++)
        bz_sha256_add(&h, c->families[i].name);
    bz_sha256_end(&h, c->digest);
    return true;
}

static bool write_report(const char *path, const struct bz_red_result *r,
                         const struct bz_red_comparison *cmp,
                         void (*write)(const struct bz_red_result *,
                                       const struct bz_red_comparison *, struct bz_buf *)) {
    struct bz_buf b;
    if (path == NULL)
        return true;
    bz_buf_init(&b, REPORT_MAX);
    write(r, cmp, &b);
    bool ok = bz_buf_status(&b) == BZ_OK &&
              bz_file_write(AT_FDCWD, path, bz_buf_view(&b), 0600, BZ_FILE_SYNC) == BZ_OK;
    if (!ok)
        bz_say("%s: %s", bz_safe(path), strerror(errno));
    bz_buf_free(&b);
    return ok;
}

/* ---- run ---- */

static bool number(const char *name, const char *text, uint64_t most, uint64_t *ret) {
    if (text == NULL)
        return true;
    if (bz_view_u64(bz_view_str(text), ret) == BZ_OK && *ret <= most)
        return true;
    bz_say("--%s '%s': a number up to %llu", name, bz_safe(text), (unsigned long long)most);
    return false;
}

static bool read_baseline(const char *path, struct bz_arena *ar, struct bz_red_result *ret) {
    struct bz_view text;
    struct bz_diag diag = {.why = NULL};
    if (!read_file(path, &text, ar))
        return false;
    enum bz_status st = bz_red_read(text, ar, ret, &diag);
    if (st != BZ_OK)
        bz_say("%s: byte %llu: %s; it must be a file that --save wrote", bz_safe(path),
               (unsigned long long)diag.offset, diag.why != NULL ? diag.why : bz_status_text(st));
    return st == BZ_OK;
}

/* Dialects that this target serves at all: asked with a harmless request each. */
static bool probe(struct red_target *t, const struct wanted *q, struct red_plan *p) {
    char why[160] = "";
    for (int d = 0; d < BZ_RED_DIALECT_COUNT; d++) {
        struct red_got g;
        struct bz_buf b;
        bool named = q->dialects.n == 0;
        for (size_t i = 0; i < q->dialects.n; i++)
            named =
                named || strcmp(q->dialects.v[i], bz_red_dialect_name((enum bz_red_dialect)d)) == 0;
        if (!named)
            continue;
        red_got_init(&g);
        bz_buf_init(&b, 4096);
        bz_buf_puts(&b, "{\"model\":");
        bz_json_write_str(&b, bz_view_str(t->model_name));
        bz_buf_puts(&b,
                    d == BZ_RED_RESPONSES
                        ? ",\"stream\":false,\"input\":[{\"role\":\"user\",\"content\":\"hello\"}]}"
                        : ",\"stream\":false,\"max_tokens\":8,\"messages\":[{\"role\":\"user\","
                          "\"content\":\"hello\"}]}");
        if (d == BZ_RED_OLLAMA) {
            bz_buf_reset(&b);
            bz_buf_puts(&b, "{\"model\":");
            bz_json_write_str(&b, bz_view_str(t->model_name));
            bz_buf_puts(
                &b, ",\"stream\":false,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}");
        }
        const struct red_ask ask = {.dialect = (enum bz_red_dialect)d,
                                    .body = bz_buf_view(&b),
                                    .conversation = "redteam-probe"};
        bool sent = t->send(t, &ask, &g);
        if (sent && g.checked && g.level != BZ_RED_STOPPED)
            p->dialects[p->dialects_n++] = (enum bz_red_dialect)d;
        else
            (void)snprintf(why, sizeof why, "%s", g.why);
        bz_buf_free(&b);
        red_got_done(&g);
    }
    if (p->dialects_n == 0)
        bz_say("%s: a harmless request is not answered in any dialect; the last: %s", t->name, why);
    return p->dialects_n > 0;
}

static int verdict(const struct bz_red_result *r, const struct bz_red_comparison *cmp) {
    struct bz_red_totals t;
    bz_red_total(r, &t);
    if (t.forbidden_calls + t.leaks + t.links > 0 || (cmp != NULL && cmp->n > 0))
        return BZ_EXIT_FINDINGS;
    for (size_t i = 0; i < r->families_n; i++)
        if (bz_red_sum(r->families[i].attacks) == 0)
            return BZ_EXIT_UNCHECKED;
    for (size_t i = 0; i < r->trials_n; i++)
        if (r->trials[i].rounds == 0)
            return BZ_EXIT_UNCHECKED;
    return BZ_EXIT_OK;
}

static int report(const struct wanted *q, const struct bz_red_result *r,
                  const struct bz_red_comparison *cmp) {
    struct bz_buf b;
    bool ok = write_report(q->save, r, cmp, bz_red_write_json) &&
              write_report(q->junit, r, cmp, bz_red_write_junit) &&
              write_report(q->sarif, r, cmp, bz_red_write_sarif) &&
              write_report(q->html, r, cmp, bz_red_write_html);
    bz_buf_init(&b, REPORT_MAX);
    if (q->json)
        bz_red_write_json(r, cmp, &b);
    else if (!q->quiet)
        bz_red_write_text(r, cmp, &b);
    (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
    return ok ? verdict(r, cmp) : BZ_EXIT_FAILURE;
}

static struct red_target *target(const struct wanted *q, struct material *m, int *ret_exit) {
    if (q->url != NULL) {
        const struct red_live o = {.url = q->url,
                                   .key_file = q->key_file,
                                   .ca = q->ca,
                                   .model = q->model,
                                   .compromised = q->compromised,
                                   .suite = &m->suite};
        return red_live_open(&o, ret_exit);
    }
    const struct red_offline o = {.what = q->target,
                                  .role = q->role != NULL ? q->role : "user",
                                  .own_policy = q->own_policy,
                                  .suite = &m->suite,
                                  .policy = bz_red_builtin_policy()};
    return red_offline_open(&o, ret_exit);
}

static int run_with(const struct wanted *q, struct material *m, struct red_plan *p,
                    const struct bz_red_result *before) {
    struct bz_red_result r = {.time = (uint64_t)time(NULL)};
    struct bz_red_comparison *cmp = bz_arena_zalloc(&m->ar, sizeof *cmp);
    int code = BZ_EXIT_FAILURE;
    struct red_target *t = target(q, m, &code);
    if (t == NULL)
        return code;
    if (cmp == NULL) {
        bz_say("out of memory");
        code = BZ_EXIT_UNCHECKED;
    } else if (p->model && !p->attacks && !t->model) {
        bz_say("--model-only needs the compromised model behind the gateway: --compromised URL");
        code = BZ_EXIT_FAILURE;
    } else if (!probe(t, q, p) || !red_run(t, p, &m->ar, &r)) {
        code = BZ_EXIT_UNCHECKED;
    } else {
        if (before != NULL)
            bz_red_compare(before, &r, cmp);
        code = report(q, &r, before != NULL ? cmp : NULL);
    }
    t->close(t);
    return code;
}

static int run(const struct wanted *q) {
    struct material m;
    struct bz_red_result before;
    struct red_plan p = {.seed = SEED_DEFAULT,
                         .rounds = ROUNDS_DEFAULT,
                         .mutants = MUTANTS_DEFAULT,
                         .attacks = !q->only_model,
                         .model = !q->only_attacks,
                         .corpus = &m.corpus,
                         .suite = &m.suite,
                         .strict = q->strict,
                         .quiet = q->no_progress || q->quiet};
    if (!number("rounds", q->rounds, 10000000, &p.rounds) ||
        !number("mutants", q->mutants, 1000, &p.mutants) ||
        !number("seed", q->seed, (UINT64_C(1) << 52) - 1, &p.seed))
        return BZ_EXIT_FAILURE;
    int code = BZ_EXIT_FAILURE;
    if (load(&m, q) && choose_families(&m.corpus, &q->families) &&
        (q->baseline == NULL || read_baseline(q->baseline, &m.ar, &before)))
        code = run_with(q, &m, &p, q->baseline != NULL ? &before : NULL);
    bz_arena_free(&m.ar);
    return code;
}

static bool fits(const struct wanted *q) {
    enum bz_red_dialect d;
    if ((q->target == NULL) == (q->url == NULL)) {
        bz_say("name an instance or a configuration, or --url URL of a running gateway");
        return false;
    }
    if (q->url != NULL && (q->own_policy || q->role != NULL)) {
        bz_say("--own-policy and --role are for runs without --url");
        return false;
    }
    if (q->url == NULL && (q->key_file != NULL || q->ca != NULL || q->compromised != NULL)) {
        bz_say("--key-file, --ca and --compromised go with --url");
        return false;
    }
    if (q->url != NULL && q->model == NULL) {
        bz_say("--url needs --model NAME: what the gateway calls the model");
        return false;
    }
    if (q->only_attacks && q->only_model) {
        bz_say("--attacks-only and --model-only leave nothing to do");
        return false;
    }
    for (size_t i = 0; i < q->dialects.n; i++) {
        if (!bz_red_dialect_from_name(bz_view_str(q->dialects.v[i]), &d)) {
            bz_say("--dialect '%s': openai, responses, anthropic or ollama",
                   bz_safe(q->dialects.v[i]));
            return false;
        }
    }
    return true;
}

static int redteam_run(int argc, char **argv) {
    struct wanted q = {.target = NULL};
    bool help = false;
    size_t n = 0;
    const struct bz_opt list[] = {
        {"url", BZ_OPT_TEXT, &q.url, "URL", "attack a running gateway: https://host:port"},
        {"key-file", BZ_OPT_TEXT, &q.key_file, "FILE",
         "its API key; otherwise BARTIZAN_API_KEY in the environment"},
        {"ca", BZ_OPT_TEXT, &q.ca, "FILE", "certificates that its certificate must come from"},
        {"model", BZ_OPT_TEXT, &q.model, "NAME", "the model's name at the gateway"},
        {"dialect", BZ_OPT_MANY, &q.dialects, "NAME",
         "openai, responses, anthropic, ollama; all that are served"},
        {"compromised", BZ_OPT_TEXT, &q.compromised, "URL",
         "'bartizan redteam model', which stands behind the gateway"},
        {"role", BZ_OPT_TEXT, &q.role, "NAME", "whose policy is attacked offline; user"},
        {"own-policy", BZ_OPT_FLAG, &q.own_policy, NULL,
         "scenarios meet the configuration's own tools and prompts"},
        {"rounds", BZ_OPT_TEXT, &q.rounds, "N",
         "rounds that evolve, of attacks and of answers each; 500"},
        {"mutants", BZ_OPT_TEXT, &q.mutants, "N", "mutants of each attack, besides itself; 2"},
        {"seed", BZ_OPT_TEXT, &q.seed, "N", "of chance; the same gives the same run; 1"},
        {"family", BZ_OPT_MANY, &q.families, "NAME",
         "only attacks of this family; may be repeated"},
        {"corpus", BZ_OPT_MANY, &q.corpus, "PATH",
         "more attacks: a .jsonl file or a directory of them"},
        {"no-builtin", BZ_OPT_FLAG, &q.no_builtin, NULL, "only those of --corpus"},
        {"scenarios", BZ_OPT_MANY, &q.scenarios, "PATH",
         "these scenarios instead of the built-in ones"},
        {"attacks-only", BZ_OPT_FLAG, &q.only_attacks, NULL, "without the compromised model"},
        {"model-only", BZ_OPT_FLAG, &q.only_model, NULL, "only the compromised model"},
        {"strict", BZ_OPT_FLAG, &q.strict, NULL, "leaks in ways beyond the promise count, too"},
        {"baseline", BZ_OPT_TEXT, &q.baseline, "FILE",
         "compare with this earlier result; worse is exit code 1"},
        {"save", BZ_OPT_TEXT, &q.save, "FILE", "write the result, for a later --baseline"},
        {"junit", BZ_OPT_TEXT, &q.junit, "FILE", "write JUnit XML"},
        {"sarif", BZ_OPT_TEXT, &q.sarif, "FILE", "write SARIF 2.1.0"},
        {"html", BZ_OPT_TEXT, &q.html, "FILE", "write a page for people"},
        {"json", BZ_OPT_FLAG, &q.json, NULL, "print the result as JSON"},
        {"quiet", BZ_OPT_FLAG, &q.quiet, NULL, "print nothing but errors"},
        {"no-progress", BZ_OPT_FLAG, &q.no_progress, NULL, "no progress on the terminal"},
    };
    static const char *const names[] = {"DIR_OR_FILE"};
    const struct bz_opts o = {"bartizan redteam run DIR_OR_FILE|--url URL --model NAME [options]",
                              "Attacks a policy: offline, with the gateway's engine in this "
                              "process, or live. Exit code 0: "
                              "nothing\nforbidden happened and nothing is worse than the baseline; "
                              "1: something was; 3: not "
                              "all could be checked.",
                              list,
                              sizeof list / sizeof list[0],
                              names,
                              0,
                              1};
    if (bz_opts_parse(&o, argc, argv, &q.target, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    return fits(&q) ? run(&q) : BZ_EXIT_FAILURE;
}

/* ---- model, list ---- */

static int redteam_model(int argc, char **argv) {
    const char *listen = NULL, *model = NULL;
    struct wanted q = {.target = NULL};
    struct material m;
    bool help = false;
    size_t n = 0;
    const struct bz_opt list[] = {
        {"listen", BZ_OPT_TEXT, &listen, "ADDR:PORT", "loopback only; 127.0.0.1:9400, port 0: any"},
        {"model", BZ_OPT_TEXT, &model, "NAME", "the name that it serves; compromised"},
        {"scenarios", BZ_OPT_MANY, &q.scenarios, "PATH", "as given to 'redteam run'"},
    };
    const struct bz_opts o = {"bartizan redteam model [--listen 127.0.0.1:PORT] [--model NAME]",
                              "Serves the always-compromised model, for runs with --compromised.",
                              list,
                              sizeof list / sizeof list[0],
                              NULL,
                              0,
                              0};
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    int code = load(&m, &q) ? red_model_serve(listen != NULL ? listen : "127.0.0.1:9400", &m.suite,
                                              model != NULL ? model : "compromised")
                            : BZ_EXIT_FAILURE;
    bz_arena_free(&m.ar);
    return code;
}

static void print_lists(const struct material *m) {
    (void)printf("%zu attacks, each with a benign twin, in %zu families:\n", m->corpus.seeds_n,
                 m->corpus.families_n);
    for (size_t f = 0; f < m->corpus.families_n; f++) {
        size_t seeds = 0;
        for (size_t i = 0; i < m->corpus.seeds_n; i++)
            seeds += m->corpus.seeds[i].family == f;
        (void)printf("  %-14.*s %3zu  %.*s\n", (int)m->corpus.families[f].name.n,
                     (const char *)m->corpus.families[f].name.p, seeds,
                     (int)m->corpus.families[f].title.n,
                     (const char *)m->corpus.families[f].title.p);
    }
    (void)printf("%zu scenarios\n", m->suite.n);
}

static void print_json(const struct material *m) {
    struct bz_buf b;
    struct bz_jw w;
    bz_buf_init(&b, REPORT_MAX);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_key(&w, "attacks");
    bz_jw_arr(&w);
    for (size_t i = 0; i < m->corpus.seeds_n; i++) {
        const struct bz_red_seed *s = &m->corpus.seeds[i];
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "id", s->id);
        bz_jw_kstr(&w, "family", m->corpus.families[s->family].name);
        bz_jw_kstr(&w, "lang", s->lang);
        bz_jw_kstr(&w, "text", s->text);
        bz_jw_kstr(&w, "twin", s->twin);
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_key(&w, "scenarios");
    bz_jw_arr(&w);
    for (size_t i = 0; i < m->suite.n; i++) {
        bz_jw_obj(&w);
        bz_jw_kstr(&w, "id", m->suite.v[i].id);
        bz_jw_kstr(&w, "forbids", bz_view_str(bz_red_forbid_name(m->suite.v[i].forbid)));
        bz_jw_end(&w);
    }
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    (void)fwrite(b.p, 1, b.n, stdout);
    bz_buf_free(&b);
}

static int redteam_list(int argc, char **argv) {
    struct wanted q = {.target = NULL};
    struct material m;
    bool help = false;
    size_t n = 0;
    const struct bz_opt list[] = {
        {"corpus", BZ_OPT_MANY, &q.corpus, "PATH",
         "more attacks: a .jsonl file or a directory of them"},
        {"no-builtin", BZ_OPT_FLAG, &q.no_builtin, NULL, "only those of --corpus"},
        {"scenarios", BZ_OPT_MANY, &q.scenarios, "PATH",
         "these scenarios instead of the built-in ones"},
        {"json", BZ_OPT_FLAG, &q.json, NULL, "print one JSON object, with all texts"},
    };
    const struct bz_opts o = {"bartizan redteam list [--corpus PATH] [--json]",
                              "Shows families and scenarios, and checks files of your own.",
                              list,
                              sizeof list / sizeof list[0],
                              NULL,
                              0,
                              0};
    if (bz_opts_parse(&o, argc, argv, NULL, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    bool ok = load(&m, &q);
    if (ok && q.json)
        print_json(&m);
    else if (ok)
        print_lists(&m);
    bz_arena_free(&m.ar);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}

int bz_cli_redteam(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"run", "attack a policy, live or offline", redteam_run},
        {"model", "serve the always-compromised model on loopback", redteam_model},
        {"list", "families of attacks and scenarios", redteam_list},
    };
    return bz_cli_dispatch("bartizan redteam", list, 3, argc, argv);
}
