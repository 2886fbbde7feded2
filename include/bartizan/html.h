/* Reports for people: one page that needs nothing else, in light and dark, on screen and on paper. It holds
 * no script, and its policy forbids any. What is written is UTF-8; failures are latched in `out`. */
#ifndef BARTIZAN_HTML_H
#define BARTIZAN_HTML_H

#include <bartizan/buf.h>

/* Text from outside, as HTML and XML want it, between tags and within quotes: control and invisible
 * characters are made visible first (bz_put_safe), then < > & " ' become references. ENOMEM is latched
 * where the copy does not fit. O(v.n), one allocation of at most 8 times v.n. */
void bz_html_put(struct bz_buf *out, struct bz_view v);
/* From the doctype to <body>. The title is `title`, a blank, and `subject`, which is escaped; `style` is the
 * page's own CSS behind the common one: ours, written as it is.
 * The common one has the colours --b (background), --f (text), --m (muted), --l (lines), --c (boxes),
 * --critical, --high, --medium, --low and --good; and the classes m (muted), n (numbers that do not break),
 * good, bad, id (names of ours) and wide (around a table: it scrolls, not the page). */
void bz_html_begin(struct bz_buf *out, const char *title, struct bz_view subject,
                   const char *style);
/* A line that says what wrote the page, and the end of it. `tool` as in bz_sarif_begin. */
void bz_html_end(struct bz_buf *out, const char *tool);

#endif
