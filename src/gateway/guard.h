/* Inside of the stream guard.
 *
 *   guard.c           events: what arrives, the queue of those that wait, what leaves
 *   guard_channel.c   channels: what watches their text, up to where it is decided, edits
 *
 * A channel's text is decided up to the lowest place that all who watch it have decided. The
 * detectors' own watch is part of the channel; whoever else wants to watch writes a `const struct
 * guard_kind` and adds it to the table in guard_channel.c, nothing more. */
#ifndef BZ_GATEWAY_GUARD_H
#define BZ_GATEWAY_GUARD_H

#include "screen.h"

enum guard_when {
    GUARD_PIECE, /* more may come */
    GUARD_PAUSE, /* nothing came for hold_ms: what waits goes, unless it must not; more may come */
    GUARD_LAST,  /* the channel ends */
};
/* A further watcher of one channel. A kind that keeps more begins its own struct with this one. */
struct guard_watcher {
    struct guard_watcher *next;
    const struct guard_kind *kind;
    uint64_t settled;   /* text before this place may leave; UINT64_MAX: nothing is held */
    struct edit *edits; /* what it wants replaced (bz_guard_replace); the channel takes them over */
};
struct guard_kind {
    /* A channel begins with this span (its text is fed right after). *ret: from bz_tx_alloc, settled
     * 0; NULL: nothing to watch here, which costs no byte. OK; anything else ends the stream. */
    enum bz_status (*open)(struct bz_tx *tx, const struct bz_span *span,
                           struct guard_watcher **ret);
    /* The channel's next text, decoded, as it came, whole code points; may be empty unless PIECE.
     * Sets w->settled. At LAST everything is settled, whatever it says. OK; EDENIED: it must not
     * leave: tx->cut_why (enum bz_refusal) was set to say why, the stream ends with that error event
     * and so it does with any other status. */
    enum bz_status (*feed)(struct bz_tx *tx, struct guard_watcher *w, struct bz_view text,
                           enum guard_when when, struct bz_arena *ar);
    /* A text of an event that belongs to no channel (names of tools, whole items), before it leaves
     * and in the order of the stream. As feed; NULL: does not look. */
    enum bz_status (*whole)(struct bz_tx *tx, const struct bz_span *span, struct bz_arena *ar);
    void (*free)(struct bz_tx *tx, struct guard_watcher *w); /* all of it */
};

struct edit {
    struct edit *next;
    uint64_t start, end; /* of the channel's text */
    bool blocks;
    uint16_t head_n; /* if it meets another edit, only this much of its text stays */
    size_t text_n;
    uint8_t text[]; /* the replacement */
};
struct channel {
    struct channel *next;
    uint64_t id, fed;
    uint64_t settled;        /* for all who watch */
    uint64_t seen, since_ns; /* at the last tick: `fed`, and since when it has been that */
    bool ended, json;
    struct guard_watcher *watchers;
    struct edit *edits; /* in order, dropped once no waiting event touches them */
    struct bz_buf raw;  /* undecided text as it came; heap only while there is some */
    struct bz_watch watch, level_watch;
};
struct piece {
    struct channel *c;
    uint64_t start, end;
};
struct event { /* one that waits */
    struct event *next;
    struct bz_view name, data; /* behind the pieces */
    bool whole_edited;         /* a text that is no delta changes */
    uint8_t tool;              /* lowest clearance of the tools whose calls begin here */
    bool call;                 /* part of a call: waits until no call is open (toolgate.h) */
    size_t pieces_n;
    struct piece pieces[];
};
struct guard { /* what most events touch stands first, and is fetched at once */
    struct channel *channels;
    struct event *queue, **queue_last;
    size_t queued, channels_n;
    bool first_used;
    bool edited; /* an event left with another text than it came with */
    bool levels; /* some types may raise the level above what may see this reply: `raises` */
    struct channel first; /* most streams have one */
    struct bz_type_set raises;
};
struct visit { /* one walk over one event */
    struct bz_tx *tx;
    struct guard *g;
    struct bz_arena *ar;
    struct piece *pieces;
    size_t n, cap, next;
    bool whole_edited, whole_blocked; /* texts that are no deltas */
    bool done;                        /* a match that blocks was reached: no text behind it */
    uint8_t tool;                     /* as in struct event */
    bool call;                        /* likewise */
};

/* guard_channel.c */
/* *ret: the span's channel, new if need be. OK; ELIMIT: too many; ENOMEM; what a watcher says. */
enum bz_status bz_guard_channel(struct visit *v, const struct bz_span *span,
                                struct channel **ret) BZ_MUST_USE;
enum bz_status bz_guard_feed(struct visit *v, struct channel *c, struct bz_view text,
                             enum guard_when when) BZ_MUST_USE;
/* Decides what waits. Ended channels stay as they are. */
enum bz_status bz_guard_settle(struct visit *v, struct channel *c, bool end) BZ_MUST_USE;
/* For feed() of a watcher: text of the channel that is to be replaced, not yet settled by it, in order. A
 * replacement that meets another one joins it: the first head_n bytes of this text stay. */
enum bz_status bz_guard_replace(struct bz_tx *tx, struct guard_watcher *w, uint64_t start,
                                uint64_t end, struct bz_view text, size_t head_n) BZ_MUST_USE;
/* A text of no channel, for the further watchers. */
enum bz_status bz_guard_whole(struct visit *v, const struct bz_span *span) BZ_MUST_USE;
/* Is all text of these pieces decided? Is any of it edited? */
bool bz_guard_settled(const struct piece *p, size_t n);
bool bz_guard_edited(const struct piece *p, size_t n);
void bz_guard_drop_edits(struct bz_tx *tx, const struct piece *p, size_t n);
/* The text of a piece after the edits of its channel; *ret_block: it ends where a match begins that
 * ends the stream. */
enum bz_status bz_guard_piece_text(struct bz_arena *ar, const struct piece *p, struct bz_view text,
                                   struct bz_view *ret, bool *ret_block) BZ_MUST_USE;
void bz_guard_channel_free(struct bz_tx *tx, struct channel *c);

extern const struct guard_kind bz_guard_links; /* links.c */

#endif
