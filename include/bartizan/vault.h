/* The vault: which placeholder stands for which value, for whom, for how long.
 *
 * A placeholder is made from the value by a keyed hash, so a value has one placeholder per scope
 * (owner and conversation) without any counter:   <EMAIL_ADDRESS_q7x2m4ka>
 * or, where the policy asks for it, of the value's own form (digits for digits, letters for
 * letters). The vault is a table in memory that the workers share; an entry is found by a keyed name
 * of scope and placeholder and its value is sealed under the scope's key, so another owner's
 * placeholder neither is found nor would open. Pure memory operations; nothing is locked: what two
 * writers tore does not open and counts as not there. */
#ifndef BARTIZAN_VAULT_H
#define BARTIZAN_VAULT_H

#include <bartizan/buf.h>
#include <bartizan/crypto.h>

#define BZ_VAULT_VALUE_MAX 432 /* bytes of one value; longer ones are masked without restore */
#define BZ_PLACEHOLDER_MAX 64  /* "<" type "_" 8 base32 characters ">" */
#define BZ_VAULT_ENTRIES_DEFAULT 16384u /* 512 bytes each */

struct bz_vault_scope {           /* derived once per transaction; wipe after use */
    uint8_t name_key[BZ_KEY_LEN]; /* names of entries */
    uint8_t seal_key[BZ_KEY_LEN]; /* values */
    uint8_t text_key[BZ_KEY_LEN]; /* placeholders */
};
/* conversation may be empty: then the scope is the owner's key (key_id). */
void bz_vault_scope(const uint8_t vault_key[BZ_KEY_LEN], struct bz_view owner,
                    struct bz_view key_id, struct bz_view conversation, struct bz_vault_scope *ret);

/* Placeholder of a value. type: name of the type, cut to 40 characters, "-" and lower case folded to
 * "_" and upper case. Appended to out. */
void bz_placeholder(const struct bz_vault_scope *s, struct bz_view type, struct bz_view value,
                    struct bz_buf *out);
/* Same length and form: every digit replaced by a digit, every ASCII letter by a letter of its case,
 * all else kept; where the digits pass Luhn's check so do the new ones. Below 9 letters and digits
 * two values would soon share one: false, nothing appended (take bz_placeholder). */
#define BZ_SURROGATE_MIN 9
/* attempt: each gives another one; from BZ_SURROGATE_LETTERS on letters are kept. Callers take the
 * first that serves them, so that a value has the same one each time. */
#define BZ_SURROGATE_LETTERS 128
#define BZ_SURROGATE_ATTEMPTS 256
bool bz_surrogate(const struct bz_vault_scope *s, struct bz_view value, unsigned attempt,
                  struct bz_buf *out);

struct bz_vault;                        /* opaque: the mapped file */
size_t bz_vault_size(uint32_t entries); /* entries: a power of two */
enum bz_status bz_vault_format(void *map, size_t n, uint32_t entries) BZ_MUST_USE;
enum bz_status bz_vault_open(void *map, size_t n, struct bz_vault **ret) BZ_MUST_USE;
/* expires, now: unix seconds. A full set loses its entry that expires first. What stands there
 * already for this very value is renewed once an eighth of its time is over. OK; EEXISTS (another
 * value has this placeholder: take another one); ETOOBIG; EINTERNAL. 2 us. */
enum bz_status bz_vault_put(struct bz_vault *v, const struct bz_vault_scope *s,
                            struct bz_view placeholder, struct bz_view value, uint64_t expires,
                            uint64_t now) BZ_MUST_USE;
/* OK with the value appended to out; ENOTFOUND (unknown, expired, of another scope, overwritten, or
 * just being written by somebody). 2 us. */
enum bz_status bz_vault_get(const struct bz_vault *v, const struct bz_vault_scope *s,
                            struct bz_view placeholder, uint64_t now,
                            struct bz_buf *out) BZ_MUST_USE;
/* Wipes expired entries; returns how many. O(entries). Earlier erasure: a new vault key. */
size_t bz_vault_sweep(struct bz_vault *v, uint64_t now);

#endif
