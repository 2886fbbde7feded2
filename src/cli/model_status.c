/* bartizan model status DIR: what the processes behind the backends have mapped, against the registry. */
#include <stdio.h>
#include <string.h>

#include "admin_client.h"
#include "cmd_model.h"

enum { CALL_MS = 30000 };

/* Words of bartizand; what is none of them was not seen as approved. */
static int outcome_of(struct bz_view verdict) {
    if (bz_view_eq(verdict, BZ_V("approved")))
        return BZ_EXIT_OK;
    return bz_view_eq(verdict, BZ_V("not approved")) ? BZ_EXIT_FINDINGS : BZ_EXIT_UNCHECKED;
}

static const struct bz_json *look_of(const struct bz_json *backend) {
    return bz_json_get(backend, BZ_V("registry"));
}

static bool has_models(const struct bz_json *backend) {
    return !bz_view_eq(bz_json_str(bz_json_get(backend, BZ_V("type"))), BZ_V("mcp"));
}

/* One that is not approved weighs more than one that nobody could look into. */
static int outcome(const struct bz_json *backends) {
    int rc = BZ_EXIT_OK;
    for (const struct bz_json *b = backends == NULL ? NULL : backends->first; b != NULL;
         b = b->next) {
        int now = has_models(b) ? outcome_of(bz_json_str(bz_json_get(look_of(b), BZ_V("verdict"))))
                                : BZ_EXIT_OK;
        if (now == BZ_EXIT_FINDINGS || rc == BZ_EXIT_OK)
            rc = now;
    }
    return rc;
}

static void print_backend(const struct bz_json *b) {
    const struct bz_json *look = look_of(b);
    int64_t files = 0, pid = 0;
    struct bz_view why = bz_json_str(bz_json_get(look, BZ_V("why")));
    struct bz_view health = bz_json_str(bz_json_get(b, BZ_V("health")));
    (void)!bz_json_i64(bz_json_get(look, BZ_V("files")), &files);
    (void)!bz_json_i64(bz_json_get(look, BZ_V("pid")), &pid);
    bz_print_safe(stdout, bz_json_str(bz_json_get(b, BZ_V("name"))));
    (void)printf(": ");
    if (look == NULL) {
        (void)printf("not looked at\n");
        return;
    }
    bz_print_safe(stdout, bz_json_str(bz_json_get(look, BZ_V("verdict"))));
    if (pid > 0)
        (void)printf(", process %lld, %lld model file%s", (long long)pid, (long long)files,
                     files == 1 ? "" : "s");
    (void)printf(bz_view_eq(health, BZ_V("unsafe")) ? ", not used\n" : "\n");
    if (why.n > 0) {
        (void)printf("  ");
        bz_print_safe(stdout, why);
        (void)printf("\n");
    }
}

static void print(const struct bz_json *root, bool off) {
    const struct bz_json *l = bz_json_get(root, BZ_V("backends"));
    for (const struct bz_json *b = l == NULL ? NULL : l->first; b != NULL; b = b->next) {
        if (has_models(b))
            print_backend(b);
    }
    if (off)
        (void)printf("nobody looks into backends: registry.mode is off, or the registry cannot be "
                     "opened\n");
}

static bool nobody_looks(const struct bz_json *backends) {
    for (const struct bz_json *b = backends == NULL ? NULL : backends->first; b != NULL;
         b = b->next) {
        if (look_of(b) != NULL)
            return false;
    }
    return true;
}

static int show(const char *dir, bool json) {
    struct bz_instance in;
    struct bz_answer_json a;
    if (!bz_cli_open(dir, &in))
        return BZ_EXIT_FAILURE;
    enum bz_status st = bz_admin_call(&in, "GET", "/v1/status", bz_view(NULL, 0), CALL_MS, &a);
    int rc = bz_admin_outcome(st, &in, &a);
    if (rc == BZ_EXIT_OK) {
        const struct bz_json *l = bz_json_get(a.root, BZ_V("backends"));
        struct bz_buf b;
        bz_buf_init(&b, 1 << 24);
        if (json && l != NULL) {
            bz_json_write(&b, l);
            (void)printf("{\"backends\":%.*s}\n", (int)b.n, (const char *)b.p);
        } else {
            print(a.root, nobody_looks(l));
        }
        bz_buf_free(&b);
        rc = outcome(l);
    }
    bz_answer_done(&a);
    bz_instance_close(&in);
    return rc;
}

int bz_model_status(int argc, char **argv) {
    static const char *const words[] = {"DIR"};
    const char *dir = NULL;
    bool json = false, help = false;
    size_t n = 0;
    const struct bz_opt list[] = {{"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"}};
    const struct bz_opts o = {
        "bartizan model status DIR [--json]",
        "What the processes behind the backends have mapped, against the registry.\n"
        "Exit codes: 0 all of it is approved, 1 something is not, 2 failure, 3 something cannot "
        "be\nassessed (another user's process, nothing mapped) or was not looked at.",
        list,
        1,
        words,
        1,
        1};
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    return help ? BZ_EXIT_OK : show(dir, json);
}
