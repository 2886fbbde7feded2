/* What libhdf5 says of a file, as JSON lines: every link that is not a plain one, every dataset that
 * is stored elsewhere or through a filter of its own, every attribute and small dataset that holds
 * text or bytes. Weights are not read. Objects are visited once, whatever the links do. */
#include <stdlib.h>
#include <string.h>

#include <bartizan/json.h>
#include <bartizan/limits.h>
#include <bartizan/text.h>

#include "hdf5_child.h"

enum {
    DEPTH_MAX = 128,
    OBJECTS_MAX = 200000,
    BYTES_MAX = 16 << 20, /* of one attribute or dataset */
    ITEMS_MAX = 100000,   /* of an array of texts */
    PATH_BYTES = 4096,
    TRAILING_MIN = 64, /* some writers leave a few bytes */
    NAME_BYTES = 1024, /* of another file */
};

struct walk {
    struct bz_buf *out;
    haddr_t *seen; /* open addressing, addresses plus one */
    size_t seen_n, seen_cap;
    char path[PATH_BYTES];
    size_t path_n;
    unsigned depth;
    bool stop;
};

static struct bz_jw line(struct walk *w, const char *kind) {
    struct bz_jw j;
    bz_jw_init(&j, w->out);
    bz_jw_obj(&j);
    bz_jw_kstr(&j, "kind", bz_view_str(kind));
    bz_jw_kstr(&j, "of", w->path_n == 0 ? BZ_V("/") : bz_view(w->path, w->path_n));
    return j;
}

static void line_end(struct walk *w, struct bz_jw *j) {
    bz_jw_end(j);
    bz_buf_putc(w->out, '\n');
    if (w->out->st != BZ_OK)
        w->stop = true;
}

static void say(struct walk *w, const char *kind, const char *key, const char *text) {
    struct bz_jw j = line(w, kind);
    if (key != NULL)
        bz_jw_kstr(&j, key, bz_view_str(text));
    line_end(w, &j);
}

/* ---- objects seen -------------------------------------------------------------------------------- */

static bool grow(struct walk *w) {
    size_t cap = w->seen_cap == 0 ? 1024 : w->seen_cap * 2;
    haddr_t *table = calloc(cap, sizeof *table);
    if (table == NULL)
        return false;
    for (size_t i = 0; i < w->seen_cap; i++) {
        if (w->seen[i] == 0)
            continue;
        size_t at = (size_t)(w->seen[i] * 0x9e3779b97f4a7c15u) & (cap - 1);
        while (table[at] != 0)
            at = (at + 1) & (cap - 1);
        table[at] = w->seen[i];
    }
    free(w->seen);
    w->seen = table;
    w->seen_cap = cap;
    return true;
}

static bool first_time(struct walk *w, haddr_t addr) {
    if (w->seen_n >= OBJECTS_MAX || (w->seen_n * 2 >= w->seen_cap && !grow(w))) {
        if (!w->stop)
            say(w, "cap", "what", "objects");
        w->stop = true;
        return false;
    }
    size_t at = (size_t)((addr + 1) * 0x9e3779b97f4a7c15u) & (w->seen_cap - 1);
    while (w->seen[at] != 0 && w->seen[at] != addr + 1)
        at = (at + 1) & (w->seen_cap - 1);
    if (w->seen[at] != 0)
        return false;
    w->seen[at] = addr + 1;
    w->seen_n++;
    return true;
}

/* ---- values ----------------------------------------------------------------------------------------- */

static void put_bytes(struct walk *w, const char *kind, const char *name, struct bz_view v) {
    struct bz_jw j = line(w, kind);
    bz_jw_kstr(&j, "name", bz_view_str(name));
    bool text = bz_utf8_valid(v) == v.n && (v.n == 0 || memchr(v.p, 0, v.n) == NULL);
    if (text)
        bz_jw_kstr(&j, "text", v);
    else {
        bz_jw_key(&j, "b64");
        struct bz_buf b;
        bz_buf_init(&b, 4 * (v.n / 3) + 8);
        bz_buf_put_b64(&b, v);
        bz_jw_str(&j, bz_buf_view(&b));
        bz_buf_free(&b);
    }
    line_end(w, &j);
}

static void too_big(struct walk *w, const char *name) {
    struct bz_jw j = line(w, "cap");
    bz_jw_kstr(&j, "what", BZ_V("bytes of a value"));
    bz_jw_kstr(&j, "name", bz_view_str(name));
    line_end(w, &j);
}

/* Reads through whichever of the two it is. */
static bool fetch(hid_t attr, hid_t data, hid_t type, void *buf) {
    return attr >= 0 ? H5Aread(attr, type, buf) >= 0
                     : H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buf) >= 0;
}

struct value {
    hid_t attr, data, type, space; /* attr or data is -1 */
    size_t items, size;            /* elements, and bytes of one */
    const char *kind, *name;
};

static void fixed_texts(struct walk *w, const struct value *v) {
    size_t n = v->items * v->size;
    char *buf = calloc(1, n + 1);
    if (buf == NULL || !fetch(v->attr, v->data, v->type, buf))
        say(w, "unread", "name", v->name);
    else {
        for (size_t i = 0; i < v->items && !w->stop; i++)
            put_bytes(w, v->kind, v->name,
                      bz_view(buf + i * v->size, strnlen(buf + i * v->size, v->size)));
    }
    free(buf);
}

static void variable_texts(struct walk *w, const struct value *v) {
    char **list = calloc(v->items + 1, sizeof *list);
    if (list == NULL || !fetch(v->attr, v->data, v->type, list)) {
        say(w, "unread", "name", v->name);
        free(list);
        return;
    }
    for (size_t i = 0; i < v->items && !w->stop; i++) {
        size_t n = list[i] == NULL ? 0 : strlen(list[i]);
        if (n > BYTES_MAX)
            too_big(w, v->name);
        else
            put_bytes(w, v->kind, v->name, bz_view(list[i] == NULL ? "" : list[i], n));
    }
    (void)H5Dvlen_reclaim(v->type, v->space, H5P_DEFAULT, list);
    free(list);
}

static void variable_bytes(struct walk *w, const struct value *v) {
    hvl_t *list = calloc(v->items + 1, sizeof *list);
    if (list == NULL || !fetch(v->attr, v->data, v->type, list)) {
        say(w, "unread", "name", v->name);
        free(list);
        return;
    }
    for (size_t i = 0; i < v->items && !w->stop; i++) {
        if (list[i].len > BYTES_MAX)
            too_big(w, v->name);
        else
            put_bytes(w, v->kind, v->name, bz_view(list[i].p, list[i].len));
    }
    (void)H5Dvlen_reclaim(v->type, v->space, H5P_DEFAULT, list);
    free(list);
}

static void plain_bytes(struct walk *w, const struct value *v) {
    size_t n = v->items * v->size;
    uint8_t *buf = calloc(1, n + 1);
    if (buf == NULL || !fetch(v->attr, v->data, v->type, buf))
        say(w, "unread", "name", v->name);
    else
        put_bytes(w, v->kind, v->name, bz_view(buf, n));
    free(buf);
}

static bool vlen_of_bytes(hid_t type) {
    hid_t base = H5Tget_super(type);
    if (base < 0)
        return false;
    H5T_class_t c = H5Tget_class(base);
    bool bytes = (c == H5T_INTEGER || c == H5T_OPAQUE) && H5Tget_size(base) == 1;
    (void)H5Tclose(base);
    return bytes;
}

/* Text, bytes, or nothing that could be more than numbers. `most`: items that are looked at. */
static void value(struct walk *w, struct value *v, size_t most) {
    hssize_t items = H5Sget_simple_extent_npoints(v->space);
    H5T_class_t c = H5Tget_class(v->type);
    v->size = H5Tget_size(v->type);
    v->items = items < 0 ? 0 : (size_t)items;
    if (v->items == 0 || v->size == 0)
        return;
    bool variable = c == H5T_STRING && H5Tis_variable_str(v->type) > 0;
    bool bytes = (c == H5T_INTEGER && v->size == 1) || c == H5T_OPAQUE;
    bool vlen = c == H5T_VLEN && vlen_of_bytes(v->type);
    if (c != H5T_STRING && !bytes && !vlen)
        return;
    if (v->items > most || (!variable && !vlen && v->size > BYTES_MAX / v->items)) {
        if (v->attr >= 0)
            too_big(w, v->name);
        return;
    }
    if (variable)
        variable_texts(w, v);
    else if (vlen)
        variable_bytes(w, v);
    else if (c == H5T_STRING)
        fixed_texts(w, v);
    else
        plain_bytes(w, v);
}

static herr_t attribute(hid_t obj, const char *name, const H5A_info_t *info, void *ctx) {
    struct walk *w = ctx;
    (void)info;
    struct value v = {.data = -1, .kind = "attribute", .name = name};
    v.attr = H5Aopen(obj, name, H5P_DEFAULT);
    v.type = v.attr < 0 ? -1 : H5Aget_type(v.attr);
    v.space = v.attr < 0 ? -1 : H5Aget_space(v.attr);
    if (v.type < 0 || v.space < 0)
        say(w, "unread", "name", name);
    else
        value(w, &v, ITEMS_MAX);
    if (v.space >= 0)
        (void)H5Sclose(v.space);
    if (v.type >= 0)
        (void)H5Tclose(v.type);
    if (v.attr >= 0)
        (void)H5Aclose(v.attr);
    return w->stop ? 1 : 0;
}

static void attributes(struct walk *w, hid_t obj) {
    hsize_t at = 0;
    if (H5Aiterate2(obj, H5_INDEX_NAME, H5_ITER_NATIVE, &at, attribute, w) < 0)
        say(w, "unread", "name", "attributes");
}

/* ---- datasets ----------------------------------------------------------------------------------------- */

/* Kept outside of the file: in raw files, or assembled from datasets of other files. */
static bool elsewhere(struct walk *w, hid_t plist) {
    char name[NAME_BYTES] = "";
    off_t off = 0;
    hsize_t n = 0;
    size_t count = 0;
    int files = H5Pget_external_count(plist);
    for (int i = 0; i < files && i < 64; i++) {
        if (H5Pget_external(plist, (unsigned)i, sizeof name - 1, name, &off, &n) >= 0)
            say(w, "external", "file", name);
    }
    bool virtual = H5Pget_layout(plist) == H5D_VIRTUAL;
    if (virtual && H5Pget_virtual_count(plist, &count) < 0)
        count = 0;
    for (size_t i = 0; i < count && i < 64; i++) {
        if (H5Pget_virtual_filename(plist, i, name, sizeof name) >= 0)
            say(w, "virtual", "file", name);
    }
    return files > 0 || virtual;
}

/* Filters beyond those that the library brings along. */
static bool filtered(struct walk *w, hid_t plist) {
    bool other = false;
    int n = H5Pget_nfilters(plist);
    for (int i = 0; i < n; i++) {
        unsigned flags = 0, config = 0;
        size_t values = 0;
        char name[128] = "";
        H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &values, NULL, sizeof name - 1,
                                         name, &config);
        if (id >= 0 && id < H5Z_FILTER_RESERVED)
            continue;
        struct bz_jw j = line(w, "filter");
        bz_jw_key(&j, "id");
        bz_jw_i64(&j, id);
        bz_jw_kstr(&j, "name", bz_view_str(name));
        line_end(w, &j);
        other = true;
    }
    return other;
}

static void dataset(struct walk *w, hid_t obj) {
    struct value v = {.attr = -1, .data = obj, .kind = "dataset", .name = ""};
    hid_t plist = H5Dget_create_plist(obj);
    if (plist < 0) {
        say(w, "unread", "name", "properties");
        return;
    }
    bool outside = elsewhere(w, plist);
    outside = filtered(w, plist) || outside;
    (void)H5Pclose(plist);
    v.type = H5Dget_type(obj);
    v.space = H5Dget_space(obj);
    if (v.type < 0 || v.space < 0)
        say(w, "unread", "name", "type");
    else if (!outside && !w->stop)
        value(w, &v,
              H5Tget_class(v.type) == H5T_STRING || H5Tget_class(v.type) == H5T_VLEN
                  ? 64
                  : (size_t)1 << 20);
    if (v.space >= 0)
        (void)H5Sclose(v.space);
    if (v.type >= 0)
        (void)H5Tclose(v.type);
}

/* ---- groups and links ---------------------------------------------------------------------------------- */

static void object(struct walk *w, hid_t parent, const char *name);

static void away(struct walk *w, hid_t group, const char *name, const H5L_info_t *info) {
    size_t n = info->u.val_size;
    const char *file = "", *path = "";
    char *buf = n > PATH_BYTES ? NULL : calloc(1, n + 1);
    unsigned flags = 0;
    bool got = buf != NULL && H5Lget_val(group, name, buf, n, H5P_DEFAULT) >= 0;
    const char *kind = info->type == H5L_TYPE_SOFT       ? "soft"
                       : info->type == H5L_TYPE_EXTERNAL ? "elink"
                                                         : "ulink";
    if (got && info->type == H5L_TYPE_EXTERNAL)
        got = H5Lunpack_elink_val(buf, n, &flags, &file, &path) >= 0;
    if (got && info->type == H5L_TYPE_SOFT)
        path = buf;
    struct bz_jw j = line(w, kind);
    bz_jw_kstr(&j, "name", bz_view_str(name));
    bz_jw_kstr(&j, "file", bz_view_str(got ? file : ""));
    bz_jw_kstr(&j, "path", bz_view_str(got ? path : ""));
    line_end(w, &j);
    free(buf);
}

static herr_t link_of(hid_t group, const char *name, const H5L_info_t *info, void *ctx) {
    struct walk *w = ctx;
    size_t n = strlen(name), was = w->path_n;
    if (n > sizeof w->path - 2 - w->path_n) {
        say(w, "cap", "what", "length of a path");
        return w->stop ? 1 : 0;
    }
    w->path[w->path_n++] = '/';
    memcpy(w->path + w->path_n, name, n);
    w->path_n += n;
    if (info->type == H5L_TYPE_HARD)
        object(w, group, name);
    else
        away(w, group, name, info);
    w->path_n = was;
    return w->stop ? 1 : 0;
}

static void group(struct walk *w, hid_t obj) {
    hsize_t at = 0;
    if (w->depth >= DEPTH_MAX) {
        say(w, "cap", "what", "depth");
        return;
    }
    w->depth++;
    if (H5Literate(obj, H5_INDEX_NAME, H5_ITER_NATIVE, &at, link_of, w) < 0)
        say(w, "unread", "name", "links");
    w->depth--;
}

static void object(struct walk *w, hid_t parent, const char *name) {
    H5O_info_t info;
    hid_t obj = H5Oopen(parent, name, H5P_DEFAULT);
    if (obj < 0 || H5Oget_info2(obj, &info, H5O_INFO_BASIC) < 0) {
        say(w, "unread", "name", name);
        if (obj >= 0)
            (void)H5Oclose(obj);
        return;
    }
    if (first_time(w, info.addr)) {
        attributes(w, obj);
        if (info.type == H5O_TYPE_DATASET && !w->stop)
            dataset(w, obj);
        if (info.type == H5O_TYPE_GROUP && !w->stop)
            group(w, obj);
    }
    (void)H5Oclose(obj);
}

void bz_h5_walk(hid_t access, uint64_t size, struct bz_buf *out) {
    static struct walk w;
    w = (struct walk){.out = out};
    hid_t file = H5Fopen("file", H5F_ACC_RDONLY, access);
    if (file < 0) {
        say(&w, "refused", NULL, NULL);
        return;
    }
    if (size >= bz_h5_end() + TRAILING_MIN) {
        struct bz_jw j = line(&w, "trailing");
        bz_jw_ku64(&j, "end", bz_h5_end());
        bz_jw_ku64(&j, "size", size);
        line_end(&w, &j);
    }
    object(&w, file, "/");
    struct bz_jw j = line(&w, w.stop ? "cap" : "done");
    bz_jw_ku64(&j, "objects", w.seen_n);
    line_end(&w, &j);
    (void)H5Fclose(file);
    free(w.seen);
}
