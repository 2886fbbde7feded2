/* Texts of /proc. Names in them are chosen by strangers; numbers are the kernel's. */
#include <bartizan/registry.h>

enum { FIELDS_MAX = 24 };

static struct bz_view next_line(struct bz_view *rest) {
    size_t n = 0;
    while (n < rest->n && rest->p[n] != '\n')
        n++;
    struct bz_view l = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n < rest->n ? n + 1 : n, rest->n);
    return l;
}

/* The next word between blanks. */
static struct bz_view word(struct bz_view *l) {
    size_t from = 0;
    while (from < l->n && l->p[from] == ' ')
        from++;
    size_t to = from;
    while (to < l->n && l->p[to] != ' ')
        to++;
    struct bz_view w = bz_view_sub(*l, from, to - from);
    *l = bz_view_sub(*l, to, l->n);
    return w;
}

static bool hex(struct bz_view v, uint64_t *ret) {
    uint64_t n = 0;
    if (v.n == 0 || v.n > 16)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        unsigned d = c >= '0' && c <= '9'   ? c - 48u
                     : c >= 'a' && c <= 'f' ? c - 87u
                     : c >= 'A' && c <= 'F' ? c - 55u
                                            : 16u;
        if (d > 15)
            return false;
        n = n << 4 | d;
    }
    *ret = n;
    return true;
}

/* Two hex numbers with a mark between them. */
static bool pair(struct bz_view v, uint8_t mark, uint64_t *a, uint64_t *b) {
    const uint8_t *m = v.n == 0 ? NULL : memchr(v.p, mark, v.n);
    if (m == NULL)
        return false;
    size_t at = (size_t)(m - v.p);
    return hex(bz_view_sub(v, 0, at), a) && hex(bz_view_sub(v, at + 1, v.n), b);
}

/* ---- maps ---- */

static bool ends(struct bz_view v, struct bz_view end) {
    return v.n >= end.n && bz_view_eq(bz_view_sub(v, v.n - end.n, v.n), end);
}

static bool read_map(struct bz_view l, struct bz_proc_map *ret) {
    struct bz_proc_map m = {.start = 0};
    struct bz_view range = word(&l), mode = word(&l), offset = word(&l), dev = word(&l),
                   inode = word(&l);
    uint64_t major = 0, minor = 0;
    if (!pair(range, '-', &m.start, &m.end) || m.end < m.start || mode.n != 4 ||
        !hex(offset, &m.offset) || !pair(dev, ':', &major, &minor) ||
        bz_view_u64(inode, &m.inode) != BZ_OK || major > UINT32_MAX || minor > UINT32_MAX)
        return false;
    m.major = (uint32_t)major;
    m.minor = (uint32_t)minor;
    m.write = mode.p[1] == 'w';
    m.exec = mode.p[2] == 'x';
    m.shared = mode.p[3] == 's';
    while (l.n > 0 && l.p[0] == ' ')
        l = bz_view_sub(l, 1, l.n);
    m.deleted = ends(l, BZ_V(" (deleted)"));
    m.path = m.deleted ? bz_view_sub(l, 0, l.n - 10) : l;
    *ret = m;
    return true;
}

enum bz_status bz_proc_map_next(struct bz_view *rest, struct bz_proc_map *ret) {
    while (rest->n > 0) {
        struct bz_proc_map m;
        if (!read_map(next_line(rest), &m))
            return BZ_ESYNTAX;
        if (m.inode == 0 || m.path.n == 0 || m.path.p[0] != '/')
            continue; /* anonymous, [heap], [stack] ... */
        *ret = m;
        return BZ_OK;
    }
    return BZ_MORE;
}

/* ---- net/tcp, net/tcp6 ---- */

/* Addresses are 32-bit words in the processor's own order. */
static bool read_address(struct bz_view v, bool v6, struct bz_proc_listener *ret) {
    const size_t digits = v6 ? 32 : 8;
    uint64_t port = 0;
    if (v.n != digits + 1 + 4 || v.p[digits] != ':' || !hex(bz_view_sub(v, digits + 1, 4), &port))
        return false;
    for (size_t i = 0; i < digits / 8; i++) {
        uint64_t w = 0;
        if (!hex(bz_view_sub(v, 8 * i, 8), &w))
            return false;
        uint32_t word32 = (uint32_t)w;
        memcpy(ret->address + 4 * i, &word32, 4);
    }
    ret->port = (uint16_t)port;
    ret->v6 = v6;
    return true;
}

enum bz_status bz_proc_listener_next(struct bz_view *rest, bool v6, struct bz_proc_listener *ret) {
    while (rest->n > 0) {
        struct bz_view l = next_line(rest), field[FIELDS_MAX];
        struct bz_proc_listener s = {.v6 = v6};
        uint64_t state = 0, uid = 0;
        for (size_t i = 0; i < 10; i++)
            field[i] = word(&l);
        if (bz_view_eq(field[0], BZ_V("sl")))
            continue; /* the heading */
        if (!read_address(field[1], v6, &s) || !hex(field[3], &state) ||
            bz_view_u64(field[7], &uid) != BZ_OK || uid > UINT32_MAX ||
            bz_view_u64(field[9], &s.inode) != BZ_OK)
            return BZ_ESYNTAX;
        if (state != 0x0a)
            continue;
        s.uid = (uint32_t)uid;
        *ret = s;
        return BZ_OK;
    }
    return BZ_MORE;
}

bool bz_proc_listens(const struct bz_proc_listener *l, const uint8_t address[16], bool v6,
                     uint16_t port) {
    static const uint8_t any[16] = {0};
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const size_t n = v6 ? 16 : 4;
    if (l->port != port)
        return false;
    if (l->v6 == v6)
        return bz_view_eq(bz_view(l->address, n), bz_view(any, n)) ||
               bz_view_eq(bz_view(l->address, n), bz_view(address, n));
    /* "::" and ::ffff:a.b.c.d take IPv4 too */
    return l->v6 && (bz_view_eq(bz_view(l->address, 16), bz_view(any, 16)) ||
                     (bz_view_eq(bz_view(l->address, 12), bz_view(mapped, 12)) &&
                      bz_view_eq(bz_view(l->address + 12, 4), bz_view(address, 4))));
}

/* ---- stat ---- */

enum bz_status bz_proc_stat(struct bz_view text, uint32_t *ret_parent, uint64_t *ret_begun) {
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != ')') /* the name may hold anything, ')' too */
        at--;
    struct bz_view l = bz_view_sub(text, at, text.n);
    uint64_t parent = 0, begun = 0;
    if (at == 0)
        return BZ_ESYNTAX;
    for (unsigned field = 3; field <= 22; field++) {
        struct bz_view w = word(&l);
        if ((field == 4 && bz_view_u64(w, &parent) != BZ_OK) ||
            (field == 22 && bz_view_u64(w, &begun) != BZ_OK))
            return BZ_ESYNTAX;
    }
    if (parent > UINT32_MAX)
        return BZ_ESYNTAX;
    *ret_parent = (uint32_t)parent;
    *ret_begun = begun;
    return BZ_OK;
}

/* ---- which files count ---- */

static bool is_safetensors(struct bz_view h, uint64_t size) {
    uint64_t n = 0;
    if (h.n < 9 || h.p[8] != '{')
        return false;
    for (size_t i = 8; i > 0; i--)
        n = n << 8 | h.p[i - 1];
    return size >= 8 && n <= size - 8;
}

static bool is_pickle(struct bz_view h) {
    return h.n >= 2 && h.p[0] == 0x80 && h.p[1] >= 2 && h.p[1] <= 5;
}

static bool marked(struct bz_view h) {
    static const struct bz_view marks[] = {
        {(const uint8_t *)"GGUF", 4},        {(const uint8_t *)"PK\3\4", 4},
        {(const uint8_t *)"\x89HDF\r\n", 6}, {(const uint8_t *)"\x93NUMPY", 6},
        {(const uint8_t *)"ggjt", 4},        {(const uint8_t *)"tjgg", 4},
        {(const uint8_t *)"lmgg", 4},        {(const uint8_t *)"fmgg", 4},
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (bz_view_starts(h, marks[i]))
            return true;
    return h.n >= 8 && bz_view_eq(bz_view_sub(h, 4, 4), BZ_V("TFL3"));
}

static bool named(struct bz_view path) {
    static const char *const list[] = {".gguf", ".safetensors", ".bin",    ".pt",     ".pth",
                                       ".onnx", ".onnx_data",   ".tflite", ".engine", ".ckpt",
                                       ".npz",  ".npy",         ".pkl",    ".h5",     ".keras"};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (ends(path, bz_view_str(list[i])))
            return true;
    return false;
}

/* Big and of no known kind is weights until somebody says otherwise; what the distribution installs is not. */
static bool big_and_unknown(struct bz_view path, uint64_t size) {
    static const char *const system[] = {"/usr/lib/", "/usr/share/", "/usr/bin/", "/lib/",
                                         "/dev/",     "/proc/",      "/sys/"};
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
        if (bz_view_starts(path, bz_view_str(system[i])))
            return false;
    return size >= 16u << 20;
}

bool bz_model_file_like(struct bz_view head, struct bz_view path, uint64_t size) {
    if (bz_view_starts(head, BZ_V("\177ELF")) || size == 0)
        return false;
    if (bz_view_starts(head, BZ_V("PK\3\4")) &&
        (ends(path, BZ_V(".whl")) || ends(path, BZ_V(".zip")) || ends(path, BZ_V(".jar"))))
        return false; /* programs of Python and Java */
    return marked(head) || is_safetensors(head, size) || is_pickle(head) || named(path) ||
           big_and_unknown(path, size);
}
