/* Sealed bodies for bartizand, in DIR/bodies/spool. Only when the policy wants bodies kept; the file is
 * small and goes to the page cache, so the worker writes it itself. */
#include "ngx_http_bartizan.h"

#include <fcntl.h>

#include "files.h"

static bool path_of(const char *name, const char *end, char out[PATH_MAX]) {
    const ngx_str_t *dir = &bz_ngx_worker.dir;
    int n = snprintf(out, PATH_MAX, "%.*s/bodies/spool/%s%s", (int)dir->len,
                     (const char *)dir->data, name, end);
    return n > 0 && n < PATH_MAX;
}

/* Whole or not at all: bartizand looks at names without ".tmp" only. */
static bool write_file(const char *name, struct bz_view v) {
    char path[PATH_MAX];
    if (!path_of("", "", path))
        return false;
    BZ_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir >= 0 && bz_file_write(dir, name, v, 0600, BZ_FILE_NO_SYNC) == BZ_OK;
}

/* While bartizand is away the disk must not fill up. It takes files in whole batches: when the marked one is
 * gone, so is nearly all that came before its bytes were counted. */
static bool spool_has_room(size_t n) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    char path[PATH_MAX];
    if (w->spool_bytes + n <= BZ_SPOOL_MAX)
        return true;
    if (!path_of(w->spool_mark, "", path) || access(path, F_OK) == 0)
        return false;
    w->spool_bytes = 0;
    return true;
}

static void count_file(const char *name, size_t n) {
    struct bz_ngx_worker *w = &bz_ngx_worker;
    if (w->spool_bytes == 0)
        memcpy(w->spool_mark, name, sizeof w->spool_mark);
    w->spool_bytes += n;
}

bool bz_ngx_spool(struct bz_ngx_req *q, enum bz_body_part part) {
    char name[BZ_BODY_NAME];
    struct bz_buf out;
    size_t room = bz_tx_spool_room(q->tx, part);
    if (room == 0)
        return true;
    bz_buf_init(&out, room);
    enum bz_status st = bz_tx_spool(q->tx, part, name, &out);
    if (st == BZ_OK && !spool_has_room(out.n))
        st = BZ_ELIMIT;
    bool ok = st == BZ_OK && write_file(name, bz_buf_view(&out));
    if (ok)
        count_file(name, out.n);
    bz_buf_free(&out);
    if (!ok && st != BZ_ENOTFOUND)
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, st == BZ_OK ? ngx_errno : 0,
                      "bartizan: the %s %*s cannot be stored as the policy asks (%s)",
                      bz_body_part_name(part), (size_t)BZ_REQUEST_ID_TEXT, bz_tx_id(q->tx).p,
                      bz_status_text(st));
    return ok || st == BZ_ENOTFOUND;
}
