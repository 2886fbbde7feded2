/* How libhdf5 reads: a driver over one descriptor that is open already. No path, no write, no lock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hdf5_child.h"
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

struct file {
    H5FD_t pub; /* first, as libhdf5 wants it */
    haddr_t eoa, eof;
};

static int file_fd = -1;
static haddr_t last_end;

haddr_t bz_h5_end(void) {
    return last_end;
}

static H5FD_t *file_open(const char *name, unsigned flags, hid_t fapl, haddr_t max) {
    struct stat sb;
    (void)name;
    (void)fapl;
    (void)max;
    if ((flags & H5F_ACC_RDWR) != 0 || fstat(file_fd, &sb) != 0 || sb.st_size < 0)
        return NULL;
    struct file *f = calloc(1, sizeof *f);
    if (f != NULL)
        f->eof = (haddr_t)sb.st_size;
    return (H5FD_t *)f;
}

static herr_t file_close(H5FD_t *pub) {
    free(pub);
    return 0;
}

/* One file only: a second open (an external link to any name) is the same one. */
static int file_cmp(const H5FD_t *a, const H5FD_t *b) {
    (void)a;
    (void)b;
    return 0;
}

static herr_t file_query(const H5FD_t *pub, unsigned long *flags) {
    (void)pub;
    if (flags != NULL)
        *flags = 0;
    return 0;
}

static haddr_t file_get_eoa(const H5FD_t *pub, H5FD_mem_t type) {
    (void)type;
    return ((const struct file *)pub)->eoa;
}

static herr_t file_set_eoa(H5FD_t *pub, H5FD_mem_t type, haddr_t addr) {
    (void)type;
    ((struct file *)pub)->eoa = addr;
    last_end = addr;
    return 0;
}

static haddr_t file_get_eof(const H5FD_t *pub, H5FD_mem_t type) {
    (void)type;
    return ((const struct file *)pub)->eof;
}

static herr_t file_read(H5FD_t *pub, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t n,
                        void *buf) {
    const struct file *f = (const struct file *)pub;
    uint8_t *to = buf;
    (void)type;
    (void)dxpl;
    if (addr > f->eof || n > f->eof - addr)
        return -1;
    while (n > 0) {
        ssize_t k = pread(file_fd, to, n, (off_t)addr);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return -1;
        to += k;
        addr += (haddr_t)k;
        n -= (size_t)k;
    }
    return 0;
}

static herr_t file_write(H5FD_t *pub, H5FD_mem_t type, hid_t dxpl, haddr_t addr, size_t n,
                         const void *buf) {
    (void)pub;
    (void)type;
    (void)dxpl;
    (void)addr;
    (void)n;
    (void)buf;
    return -1;
}

static const H5FD_class_t class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)(H5_VFD_RESERVED + 1),
#endif
    .name = "bartizan",
    .maxaddr = HADDR_MAX / 2,
    .fc_degree = H5F_CLOSE_STRONG,
    .open = file_open,
    .close = file_close,
    .cmp = file_cmp,
    .query = file_query,
    .get_eoa = file_get_eoa,
    .set_eoa = file_set_eoa,
    .get_eof = file_get_eof,
    .read = file_read,
    .write = file_write,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t bz_h5_access(int fd) {
    file_fd = fd;
    hid_t driver = H5FDregister(&class);
    hid_t access = driver < 0 ? -1 : H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_driver(access, driver, NULL) < 0)
        return -1;
    return access;
}
