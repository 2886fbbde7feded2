/* run/status.json: what the supervisor knows, for `bartizan status` and `bartizan reload`.
 * docs/ADMIN-API.md has the schema. */
#include <errno.h>
#include <unistd.h>

#include <bartizan/json.h>
#include "opts.h"
#include "up.h"

enum { STATUS_MAX = 64 * 1024 };

static void put_children(struct bz_jw *w, const struct bz_up *u) {
    bz_jw_key(w, "children");
    bz_jw_arr(w);
    for (int c = 0; c < BZ_UP_COUNT; c++) {
        bz_jw_obj(w);
        bz_jw_kstr(w, "name", bz_view_str(bz_up_name[c]));
        bz_jw_kstr(w, "state", bz_view_str(bz_sup_state_text(u->child[c].state)));
        bz_jw_ku64(w, "pid", (uint64_t)u->child[c].pid);
        bz_jw_ku64(w, "restarts", u->child[c].restarts);
        bz_jw_end(w);
    }
    bz_up_cages_status(w, u);
    bz_jw_end(w);
}

/* A full disk must not stop the supervisor: it says so once and goes on. */
static void write_or_say(const struct bz_up *u, struct bz_view v) {
    static bool said;
    bool ok = bz_file_write(u->in.fd, BZ_F_STATUS, v, 0600, BZ_FILE_NO_SYNC) == BZ_OK;
    if (!ok && !said)
        bz_say("warning: %s/%s cannot be written: %s", bz_safe(u->in.path), BZ_F_STATUS,
               strerror(errno));
    said = !ok;
}

void bz_up_status_write(struct bz_up *u) {
    struct bz_buf b, url;
    struct bz_jw w;
    char ca[BZ_DIR_PATH_MAX];
    bz_buf_init(&b, STATUS_MAX);
    bz_buf_init(&url, 512);
    bz_instance_url(u->config, &url);
    bz_jw_init(&w, &b);
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "pid", (uint64_t)getpid());
    bz_jw_kbool(&w, "stopping", u->stopping);
    bz_jw_key(&w, "started");
    bz_jw_time(&w, u->started_unix);
    bz_jw_kstr(&w, "url", bz_buf_view(&url));
    if (!u->config->plain_http && bz_instance_path(&u->in, BZ_F_CA_CERT, ca))
        bz_jw_kstr(&w, "ca", bz_view_str(ca));
    put_children(&w, u);
    bz_jw_key(&w, "reload");
    bz_jw_obj(&w);
    bz_jw_ku64(&w, "seq", u->reload_seq);
    bz_jw_kbool(&w, "ok", u->reload_ok);
    bz_jw_kstr(&w, "message", bz_view_str(u->reload_message));
    bz_jw_end(&w);
    bz_jw_end(&w);
    bz_buf_putc(&b, '\n');
    if (bz_buf_status(&b) == BZ_OK)
        write_or_say(u, bz_buf_view(&b));
    bz_buf_free(&b);
    bz_buf_free(&url);
    u->status_dirty = false;
}
