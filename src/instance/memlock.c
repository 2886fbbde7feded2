#include "memlock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "files.h"

enum { SWAPS_MAX = 64 * 1024, CGROUP_MAX = 1024 };

/* ---- what there is ---- */

static bool read_text(const char *path, struct bz_buf *out) {
    return bz_file_read(AT_FDCWD, path, out) == BZ_OK;
}

/* A device of dm-crypt says so: /sys/class/block/dm-0/dm/uuid is "CRYPT-...". */
static bool encrypted(struct bz_view device) {
    char path[128], mem[64];
    struct bz_buf b;
    if (!bz_view_starts(device, BZ_V("/dev/dm-")) || device.n > 32)
        return false;
    (void)snprintf(path, sizeof path, "/sys/class/block/%.*s/dm/uuid", (int)device.n - 5,
                   (const char *)device.p + 5);
    bz_buf_init_fixed(&b, mem, sizeof mem);
    (void)read_text(path, &b); /* longer ones are cut: the beginning says it */
    return bz_view_starts(bz_buf_view(&b), BZ_V("CRYPT-"));
}

static struct bz_view line_of(struct bz_view *rest) {
    const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    struct bz_view line = bz_view_sub(*rest, 0, n);
    *rest = bz_view_sub(*rest, n + (end != NULL), rest->n);
    return line;
}

/* proc(5): a heading, then a line per place that begins with its name, blanks in it as \040. */
bool bz_swap_listed(struct bz_view swaps, bool (*is_encrypted)(struct bz_view device),
                    struct bz_view *ret_where) {
    (void)line_of(&swaps);
    while (swaps.n > 0) {
        struct bz_view line = line_of(&swaps);
        size_t n = 0;
        while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
            n++;
        struct bz_view name = bz_view_sub(line, 0, n);
        if (n == 0 || bz_view_starts(name, BZ_V("/dev/zram")) || is_encrypted(name))
            continue;
        *ret_where = name;
        return true;
    }
    return false;
}

/* cgroup v2: "0::/a/b" in /proc/self/cgroup; a limit of 0 here or above keeps all of it out of swap. */
static bool cgroup_forbids(void) {
    char mem[CGROUP_MAX], path[CGROUP_MAX + 64], value[32];
    struct bz_buf b, v;
    bz_buf_init_fixed(&b, mem, sizeof mem - 1);
    if (!read_text("/proc/self/cgroup", &b))
        return false;
    struct bz_view rest = bz_buf_view(&b), line = line_of(&rest);
    if (!bz_view_starts(line, BZ_V("0::/")))
        return false;
    struct bz_view group = bz_view_sub(line, 3, line.n);
    while (group.n > 1) {
        (void)snprintf(path, sizeof path, "/sys/fs/cgroup%.*s/memory.swap.max", (int)group.n,
                       (const char *)group.p);
        bz_buf_init_fixed(&v, value, sizeof value);
        if (read_text(path, &v) && bz_view_eq(bz_buf_view(&v), BZ_V("0\n")))
            return true;
        do
            group.n--;
        while (group.n > 1 && group.p[group.n] != '/');
    }
    return false;
}

bool bz_swap_open(struct bz_buf *where) {
    struct bz_buf b;
    struct bz_view name;
    bz_buf_init(&b, SWAPS_MAX);
    /* What cannot be read is taken for the worse. */
    bool readable = read_text("/proc/swaps", &b);
    bool open = !readable || bz_swap_listed(bz_buf_view(&b), encrypted, &name);
    if (open && cgroup_forbids())
        open = false;
    if (open)
        bz_put_safe(where, readable ? name : BZ_V("/proc/swaps cannot be read"));
    bz_buf_free(&b);
    return open;
}

/* ---- locking ---- */

enum bz_swap bz_memory_lock(void) {
    struct rlimit l;
    struct bz_buf where;
    bz_buf_init(&where, 4096);
    bool open = bz_swap_open(&where);
    bz_buf_free(&where);
    if (!open)
        return BZ_SWAP_NONE;
    if (getrlimit(RLIMIT_MEMLOCK, &l) != 0 || l.rlim_cur != RLIM_INFINITY ||
        mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        return BZ_SWAP_OPEN;
    return BZ_SWAP_LOCKED;
}
