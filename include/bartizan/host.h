/* Names of hosts as all programs read them alike, and lists of them. */
#ifndef BARTIZAN_HOST_H
#define BARTIZAN_HOST_H

#include <bartizan/view.h>

/* Splits "host[:port]": labels of letters, digits, '-' and '_', or an address in brackets. false: it is none
 * that all programs read alike. Views into text; no port: empty. */
bool bz_host_split(struct bz_view text, struct bz_view *ret_host, struct bz_view *ret_port);
/* An entry of a list ("example.org", "*.example.org") against a host; ASCII case does not count. ":port" of an
 * entry has to be there, an entry without one fits any. */
bool bz_host_fits(struct bz_view entry, struct bz_view host, struct bz_view port);
/* May it stand in a list? "example.org", "*.example.org", "10.0.0.1", "[::1]", each with ":port". */
bool bz_host_entry_ok(struct bz_view entry);

#endif
