/* A file, or what an URL gives, as a descriptor of bounded length. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <curl/curl.h>

#include "advisory.h"
#include "opts.h"

enum { CONNECT_S = 15, SLOW_S = 30, SLOW_BYTES = 1000, REDIRECTS = 5 };

struct sink {
    int fd;
    uint64_t n, most;
    bool too_long;
};

static size_t on_data(char *p, size_t size, size_t n, void *ctx) {
    struct sink *s = ctx;
    size_t left = size * n;
    s->n += left;
    s->too_long = s->n > s->most;
    while (left > 0 && !s->too_long) {
        ssize_t k = write(s->fd, p, left);
        if (k <= 0 && errno != EINTR)
            return 0;
        p += k > 0 ? k : 0;
        left -= k > 0 ? (size_t)k : 0;
    }
    return s->too_long ? 0 : size * n;
}

static int temporary(void) {
    char path[] = "/tmp/bartizan-XXXXXX";
    const char *dir = getenv("TMPDIR");
    int fd = dir == NULL ? -1 : open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

static CURLcode transfer(const char *url, struct sink *s, long *ret_status) {
    CURL *h = curl_easy_init();
    if (h == NULL)
        return CURLE_OUT_OF_MEMORY;
    (void)curl_easy_setopt(h, CURLOPT_URL, url);
    /* Plain HTTP never: archives carry no signature of their own. */
    (void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https,file");
    (void)curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    (void)curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
    (void)curl_easy_setopt(h, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    (void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    (void)curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    (void)curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
    (void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(h, CURLOPT_FAILONERROR, 1L);
    (void)curl_easy_setopt(h, CURLOPT_USERAGENT, "bartizan/" BZ_VERSION);
    (void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_data);
    (void)curl_easy_setopt(h, CURLOPT_WRITEDATA, s);
    CURLcode rc = curl_easy_perform(h);
    *ret_status = 0;
    (void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, ret_status);
    curl_easy_cleanup(h);
    return rc;
}

static int from_url(const char *url, uint64_t most) {
    long status = 0;
    struct sink s = {.fd = temporary(), .most = most};
    if (s.fd < 0) {
        bz_say("no temporary file can be made: %s", strerror(errno));
        return -1;
    }
    CURLcode rc = transfer(url, &s, &status);
    if (rc == CURLE_OK && lseek(s.fd, 0, SEEK_SET) == 0)
        return s.fd;
    if (s.too_long)
        bz_say("%s: longer than %llu MiB", bz_safe(url), (unsigned long long)(most >> 20));
    else if (rc == CURLE_UNSUPPORTED_PROTOCOL)
        bz_say("%s: only https: and file: are taken", bz_safe(url));
    else if (status >= 400)
        bz_say("%s: the server answers with status %ld", bz_safe(url), status);
    else
        bz_say("%s: %s", bz_safe(url), curl_easy_strerror(rc));
    (void)close(s.fd);
    return -1;
}

static int from_file(const char *path, uint64_t most) {
    struct stat sb;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &sb) != 0) {
        bz_say("%s: %s", bz_safe(path), strerror(errno));
    } else if (!S_ISREG(sb.st_mode)) {
        bz_say("%s: it is no file", bz_safe(path));
    } else if ((uint64_t)sb.st_size > most) {
        bz_say("%s: longer than %llu MiB", bz_safe(path), (unsigned long long)(most >> 20));
    } else {
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

int bz_advisory_fetch(const char *what, uint64_t most) {
    return strstr(what, "://") != NULL ? from_url(what, most) : from_file(what, most);
}
