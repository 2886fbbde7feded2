/* 7z. Facts: 7zFormat.txt of the LZMA SDK (public domain).
 *
 *   sevenzip_head.c  the headers: streams, folders (chains of coders), files
 *   sevenzip_other.c the same archive as libarchive unpacks it: PPMd, BCJ2 and other chains of coders
 *   sevenzip.c       the format: encoded headers, members, both readings */
#ifndef BZ_ARTIFACT_SEVENZIP_H
#define BZ_ARTIFACT_SEVENZIP_H

#include <bartizan/rd.h>

#include "archive.h"

enum { SZ_HEAD = 32 };

enum sz_way { SZ_UNKNOWN, SZ_ENCRYPTED, SZ_COPY, SZ_CODEC };

struct sz_folder { /* one packed stream; several files in a row come out of it */
    enum sz_way way;
    enum bz_codec codec;
    struct bz_view props;
    uint64_t filter; /* struct bz_codec_raw */
    uint32_t distance;
    uint64_t pack_off, pack_size, size;
    uint64_t packs; /* packed streams it takes; one, where it can be read here */
    uint64_t files; /* streams in it */
    uint32_t crc;
    bool has_crc;
};

struct sz_stream { /* what comes out for one file */
    uint64_t size;
    uint32_t crc;
    bool has_crc;
};

struct sz_file {
    struct bz_view name; /* UTF-8, arena */
    bool has_stream, link;
};

struct sz_head {
    struct bz_scan *s;
    uint64_t base; /* of packed streams */
    struct sz_folder *folders;
    size_t folders_n;
    struct sz_stream *streams;
    size_t streams_n;
    struct sz_file *files;
    size_t files_n;
    const char *bad; /* why it is none */
};

struct sz_taken {              /* a member as the other reader has it */
    struct bz_view name, link; /* link: "", or a symbolic link's target */
    uint64_t at, size;         /* in ->bytes */
    bool named, whole;
};

struct sz_other { /* the other reader's answer */
    bool asked;
    enum bz_status st; /* OK; EUNAVAIL, ELIMIT, ECORRUPT: see struct bz_unpacker */
    bool done, cut;    /* it said that this is the end; of what it could read, not of the archive */
    struct bz_source bytes;
    struct sz_taken *members;
    size_t n;
    struct bz_cleanup cleanup;
    const struct bz_unpacker *reader;
};
/* Asks once. OK (see ->st), ENOMEM. What it gave lives until the object's scan() ends. */
enum bz_status sz_other_ask(struct sz_other *t, struct bz_scan *s,
                            const struct bz_object *o) BZ_MUST_USE;
/* Where its list is not that of our header: the first name; "" in *ret: they agree. What it could not
 * read may be missing at the end. */
bool sz_other_agrees(const struct sz_other *t, const struct sz_head *h, struct bz_view *ret);

/* Streams alone (of an encoded header), or a whole header behind its first byte. OK (see ->bad),
 * ENOMEM. Views lie in the memory of `r`. */
enum bz_status sz_read_streams(struct sz_head *h, struct bz_rd *r) BZ_MUST_USE;
enum bz_status sz_read_head(struct sz_head *h, struct bz_rd *r) BZ_MUST_USE;

#endif
