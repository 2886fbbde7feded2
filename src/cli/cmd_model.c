/* bartizan model ...: what is served, what is registered, signatures. */
#include "cmd_model.h"

#include <stdio.h>

#include "admin_client.h"

enum { CALL_MS = 30000 };

/* ---- list ---- */

static void show_models(const struct bz_answer_json *a) {
    const struct bz_json *l = bz_json_get(a->root, BZ_V("models"));
    for (const struct bz_json *m = l == NULL ? NULL : l->first; m != NULL; m = m->next) {
        struct bz_view name = bz_json_str(bz_json_get(m, BZ_V("name"))),
                       target = bz_json_str(bz_json_get(m, BZ_V("target")));
        const struct bz_json *bs = bz_json_get(m, BZ_V("backends"));
        bz_print_safe(stdout, name);
        if (!bz_view_eq(name, target)) {
            (void)printf(" -> ");
            bz_print_safe(stdout, target);
        }
        (void)printf(bs == NULL || bs->first == NULL ? "  (no backend has it)" : "  on");
        for (const struct bz_json *b = bs == NULL ? NULL : bs->first; b != NULL; b = b->next) {
            (void)printf(" ");
            bz_print_safe(stdout, bz_json_str(b));
        }
        (void)printf("\n");
    }
}

static int model_list(int argc, char **argv) {
    bool json = false, help = false, registered = false;
    const struct bz_opt list[] = {
        {"registered", BZ_OPT_FLAG, &registered, NULL, "those of the registry instead"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    static const char *const names[] = {"DIR"};
    const struct bz_opts o = {"bartizan model list DIR [--registered] [--json]",
                              "Lists the models that clients can name, or those of the registry.",
                              list,
                              2,
                              names,
                              1,
                              1};
    const char *dir = NULL;
    size_t n = 0;
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (registered)
        return bz_model_registered(dir, json);
    return bz_admin_run(dir, "GET", "/v1/models", bz_view(NULL, 0), CALL_MS, json, show_models);
}

int bz_cli_model(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"list", "list the models that are served, or registered", model_list},
        {"add", "copy a model into the registry, scan and sign it", bz_model_add},
        {"show", "show a registered model", bz_model_show},
        {"approve", "let backends serve a registered model", bz_model_approve},
        {"reject", "end what waits for approval", bz_model_reject},
        {"retire", "take an approval back", bz_model_retire},
        {"status", "what backends have mapped, against the registry", bz_model_status},
        {"verify", "check a model against its signature", bz_model_verify},
        {"sign", "sign a model", bz_model_sign},
        {"sbom", "bill of materials of a model: CycloneDX, SPDX", bz_cli_model_sbom},
    };
    return bz_cli_dispatch("bartizan model", list, sizeof list / sizeof list[0], argc, argv);
}
