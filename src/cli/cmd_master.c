/* bartizan master: what opens the master key, and changing it. The key itself stays the same. */
#include <stdio.h>
#include <sys/stat.h>

#include "commands.h"
#include "opts.h"
#include "secret_input.h"

static bool reseal(const struct bz_instance *in, enum bz_master_source to,
                   const struct bz_secret_input *from, const struct bz_secret_input *next) {
    struct bz_secret master = {NULL, 0};
    struct bz_buf secret, why;
    bz_buf_init(&secret, BZ_MASTER_SECRET_MAX);
    bz_buf_init(&why, 4096);
    bool ok = bz_master_input(in, from, &master) && bz_secret_input(to, next, &secret);
    if (ok) {
        enum bz_status st = bz_master_write(in->fd, to, master.p, bz_buf_view(&secret), &why);
        ok = st == BZ_OK;
        if (!ok)
            bz_master_say(st, &why);
    }
    bz_secret_free(&master);
    bz_buf_wipe_free(&secret);
    bz_buf_free(&why);
    return ok;
}

static void show(const struct bz_instance *in, bool json) {
    enum bz_master_source s;
    enum bz_status st = bz_master_source(in->fd, &s);
    const char *name = st == BZ_OK ? bz_master_source_name(s) : "none";
    if (json)
        (void)printf("{\"source\":\"%s\"}\n", name);
    else
        (void)printf("The master key is opened by: %s\n", name);
}

int bz_cli_master(int argc, char **argv) {
    const char *dir = NULL, *to = NULL;
    struct bz_secret_input from = {NULL, false}, next = {NULL, true};
    bool json = false, help = false;
    size_t n = 0;
    struct bz_instance in;
    enum bz_master_source source = BZ_MASTER_FILE;
    static const char *const names[] = {"DIR"};
    const struct bz_opt list[] = {
        {"to", BZ_OPT_TEXT, &to, "SOURCE", "from now on by: file, passphrase, credential or tpm"},
        {"new-file", BZ_OPT_TEXT, &next.file, "FILE",
         "the new passphrase or credential; a missing credential file is made"},
        {"file", BZ_OPT_TEXT, &from.file, "FILE", "the passphrase or credential of now"},
        {"json", BZ_OPT_FLAG, &json, NULL, "print one JSON object"},
    };
    const struct bz_opts o = {
        "bartizan master DIR [--to SOURCE] [--new-file FILE] [--file FILE] [--json]",
        "Shows what opens the master key, or seals the same key under something else.",
        list,
        4,
        names,
        1,
        1};
    if (bz_opts_parse(&o, argc, argv, &dir, &n, &help) != BZ_OK)
        return BZ_EXIT_FAILURE;
    if (help)
        return BZ_EXIT_OK;
    if (to != NULL && !bz_master_source_parse(to, &source)) {
        bz_say("--to '%s': file, passphrase, credential or tpm", bz_safe(to));
        return BZ_EXIT_FAILURE;
    }
    (void)umask(077);
    if (!bz_cli_open(dir, &in))
        return BZ_EXIT_FAILURE;
    bool ok = to == NULL || reseal(&in, source, &from, &next);
    if (ok)
        show(&in, json);
    bz_instance_close(&in);
    return ok ? BZ_EXIT_OK : BZ_EXIT_FAILURE;
}
