/* What writing and reading an archive share. */
#ifndef BZ_BACKUP_INT_H
#define BZ_BACKUP_INT_H

#include <bartizan/backup.h>

enum {
    BACKUP_END = 5 * 8, /* bytes of END: frames, chunks, their bytes, manifest, index */
    BACKUP_AD = 16 + BZ_HASH_LEN + 1 + 8,
    BACKUP_SIGNED = 20 + BZ_HASH_LEN,
};

/* Authenticated with a frame: whose, what and where it is. */
void backup_ad(const uint8_t head_digest[BZ_HASH_LEN], uint8_t type, uint64_t frame,
               uint8_t out[BACKUP_AD]);
/* What the instance signs. `h` is not used up. */
void backup_signed(const struct bz_sha256 *h, uint8_t out[BACKUP_SIGNED]);
void backup_head_digest(const struct bz_backup_head *h, uint8_t out[BZ_HASH_LEN]);

#endif
