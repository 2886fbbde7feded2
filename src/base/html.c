#include <bartizan/html.h>
#include <bartizan/status.h>

static const char common[] =
    ":root{color-scheme:light dark;--b:#fff;--f:#1d2430;--m:#5b6675;--l:#dfe4ea;--c:#f6f8fa;"
    "--critical:#a40e26;--high:#c4501b;--medium:#8a6500;--low:#356a9e;--good:#1a7f37}"
    "@media(prefers-color-scheme:dark){:root{--b:#12161c;--f:#e3e8ef;--m:#98a3b3;--l:#2b333f;"
    "--c:#1a2029;--critical:#ff7b86;--high:#ff9d6b;--medium:#e3b341;--low:#79b8ff;--good:#56d364}}"
    "body{background:var(--b);color:var(--f);font:16px/1.5 system-ui,sans-serif;max-width:64rem;"
    "margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2.5rem 0 .5rem}"
    "p{margin:.3rem 0}.m{color:var(--m)}.good{color:var(--good)}.bad{color:var(--critical)}"
    "code,.id{font-family:ui-monospace,monospace;font-size:.9em}code{overflow-wrap:anywhere}"
    ".n{font-variant-numeric:tabular-nums;white-space:nowrap}.wide{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "td,th{text-align:left;padding:.3rem .5rem;border-bottom:1px solid var(--l);vertical-align:top}"
    "@media print{body{max-width:none;padding:0}tr{break-inside:avoid}}";

static const char *reference(uint8_t c) {
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void bz_html_put(struct bz_buf *out, struct bz_view v) {
    struct bz_buf safe;
    bz_buf_init(&safe, v.n * 8 + 16);
    bz_put_safe(&safe, v);
    if (out->st == BZ_OK)
        out->st = bz_buf_status(&safe);
    for (size_t i = 0; i < safe.n; i++) {
        const char *name = reference(safe.p[i]);
        if (name != NULL)
            bz_buf_puts(out, name);
        else
            bz_buf_putc(out, safe.p[i]);
    }
    bz_buf_free(&safe);
}

void bz_html_begin(struct bz_buf *out, const char *title, struct bz_view subject,
                   const char *style) {
    bz_buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "style-src 'unsafe-inline'\"><meta name=\"viewport\" "
                     "content=\"width=device-width,initial-scale=1\"><title>");
    bz_buf_puts(out, title);
    bz_buf_putc(out, ' ');
    bz_html_put(out, subject);
    bz_buf_puts(out, "</title><style>");
    bz_buf_puts(out, common);
    bz_buf_puts(out, style);
    bz_buf_puts(out, "</style></head><body>\n");
}

void bz_html_end(struct bz_buf *out, const char *tool) {
    bz_buf_puts(out, "<p class=\"m\">");
    bz_buf_puts(out, tool);
    bz_buf_puts(out, " " BZ_VERSION "</p></body></html>\n");
}
