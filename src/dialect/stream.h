/* One event of a stream, after framing. */
#ifndef BARTIZAN_DIALECT_STREAM_H
#define BARTIZAN_DIALECT_STREAM_H

#include <bartizan/fields.h>

/* Is this no text that anybody reads? */
static inline bool bz_stream_no_text(const struct bz_span *span) {
    return span->text.n == 0 || (span->field != NULL && (span->field->kind == BZ_FIELD_DATA ||
                                                         span->field->kind == BZ_FIELD_MEDIA ||
                                                         span->field->kind == BZ_FIELD_REPEAT));
}

enum event_fate { EVENT_PASS, EVENT_DROP, EVENT_COUNT };
/* Checks the data of one event, reads usage, notices errors and the end. name: the event's name,
 * may be empty. ret_root: its tree, if there was need of one (always with s->event). Sets s->done, s->why. OK, ESYNTAX and the reader's own errors, EUNAVAIL for an
 * error event. */
enum bz_status bz_stream_event(struct bz_stream *s, struct bz_view name, struct bz_view data,
                               struct bz_arena *scratch, enum event_fate *ret,
                               struct bz_json **ret_root);
/* One event more, for servers that do not count their tokens. */
static inline void bz_stream_count(struct bz_stream *s) {
    s->events++;
    if (!s->usage.known)
        s->usage.completion = s->events;
}

#endif
