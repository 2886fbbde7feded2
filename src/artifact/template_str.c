/* Strings made of constants: whatever builds one is computed, so that a name cannot be hidden in
 * the way it is put together. Bytes are taken for characters where it makes no difference. */
#include "template_int.h"

#include <bartizan/text.h>

static uint16_t taint(const struct tpl_val *a, const struct tpl_val *b) {
    uint16_t flags = a->flags | (b == NULL ? 0 : b->flags);
    if (((a->flags | (b == NULL ? 0 : b->flags)) & TF_MESSAGE) != 0)
        flags |= TF_CONTENT; /* all of it, as text */
    return flags & (TF_TAINT | TF_PARTIAL);
}

/* From collected text. */
static const struct tpl_val *of_text(struct tpl *t, const struct tpl_text *x, uint16_t flags) {
    flags |= x->cut ? TF_PARTIAL : 0;
    return tpl_str(t, x->n == 0 ? BZ_V("") : bz_view(x->p, x->n), flags);
}

const struct tpl_val *tpl_concat(struct tpl *t, const struct tpl_val *a, const struct tpl_val *b) {
    struct tpl_text x = {.n = 0};
    if (a->kind != TV_STR && b->kind != TV_STR && a->kind == TV_UNKNOWN && b->kind == TV_UNKNOWN)
        return tpl_unknown(
            t, (uint16_t)((taint(a, b) & ~TF_PARTIAL) | ((a->flags | b->flags) & TF_COMPUTED)));
    tpl_text_val(t, &x, a);
    tpl_text_val(t, &x, b);
    return of_text(t, &x, (uint16_t)((x.flags & TF_PARTIAL) | taint(a, b)));
}

const struct tpl_val *tpl_repeat(struct tpl *t, uint32_t off, const struct tpl_val *text,
                                 int64_t n) {
    struct tpl_text x = {.n = 0};
    uint64_t all = 0;
    if (n <= 0)
        return tpl_str(t, BZ_V(""), 0);
    if (__builtin_mul_overflow((uint64_t)n, text->text.n, &all) || all > BZ_TEMPLATE_MAX)
        tpl_found(t, TPL_R_DOS, off, BZ_V("a string, many times"));
    for (int64_t i = 0; i < n && x.n < BZ_TEMPLATE_STRING_MAX && text->text.n > 0 && tpl_step(t);
         i++)
        tpl_text_put(t, &x, text->text);
    return of_text(t, &x, taint(text, NULL));
}

/* ---- characters ------------------------------------------------------------------------------ */

const struct tpl_val *tpl_chars(struct tpl *t, const struct tpl_val *v) {
    struct tpl_val *list = tpl_is_text(v) ? tpl_new(t, TV_LIST) : NULL;
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < v->text.n && tpl_step(t);) {
        uint32_t cp = 0;
        size_t n = bz_utf8_next(bz_view_sub(v->text, i, 4), &cp);
        n = n == 0 ? 1 : n;
        tpl_put(t, list->obj, BZ_V(""),
                tpl_str(t, bz_view_sub(v->text, i, n), v->flags & TF_TAINT));
        i += n;
    }
    list->flags = v->flags & TF_TAINT;
    list->obj->open = list->obj->open || (v->flags & TF_PARTIAL) != 0;
    return list;
}

static const struct tpl_val *from_chars(struct tpl *t, const struct tpl_obj *o, uint16_t flags) {
    struct tpl_text x = {.n = 0};
    for (uint32_t i = 0; i < o->n; i++)
        tpl_text_put(t, &x, o->items[i].val->text);
    return of_text(t, &x, flags);
}

static int64_t bound(const struct tpl_val *v, int64_t n, int64_t otherwise, int64_t step) {
    if (v == NULL || v->kind == TV_NONE)
        return otherwise;
    int64_t i = v->num;
    if (i < 0)
        i = i + n < 0 ? (step < 0 ? -1 : 0) : i + n;
    else if (i >= n)
        i = step < 0 ? n - 1 : n;
    return i;
}

static bool is_bound(const struct tpl_val *v) {
    return v == NULL || v->kind == TV_NONE || (v->kind == TV_INT && v->alt == NULL);
}

/* of[from:to:step], of a string or a list. */
const struct tpl_val *tpl_slice(struct tpl *t, const struct tpl_val *of, const struct tpl_val *from,
                                const struct tpl_val *to, const struct tpl_val *step) {
    const struct tpl_val *list = of->kind == TV_STR ? tpl_chars(t, of) : of;
    if (list == NULL || list->kind != TV_LIST || list->alt != NULL || list->obj->open ||
        !is_bound(from) || !is_bound(to) || !is_bound(step))
        return NULL;
    int64_t n = list->obj->n, by = step == NULL || step->kind == TV_NONE ? 1 : step->num;
    if (by == 0 || by == INT64_MIN)
        return NULL;
    int64_t i = bound(from, n, by < 0 ? n - 1 : 0, by), end = bound(to, n, by < 0 ? -1 : n, by);
    struct tpl_val *part = tpl_new(t, TV_LIST);
    if (part == NULL)
        return NULL;
    by = by > n ? n + 1 : by < -n ? -n - 1 : by;
    for (; (by > 0 ? i < end : i > end) && i >= 0 && i < n && tpl_step(t); i += by)
        tpl_put(t, part->obj, BZ_V(""), list->obj->items[i].val);
    part->flags = of->flags & TF_TAINT;
    return of->kind == TV_STR ? from_chars(t, part->obj, of->flags & TF_TAINT) : part;
}

/* ---- lists -> strings ------------------------------------------------------------------------ */

const struct tpl_val *tpl_list_join(struct tpl *t, const struct tpl_val *list,
                                    const struct tpl_val *sep) {
    struct tpl_text x = {.n = 0};
    if (list->alt != NULL || (sep != NULL && !tpl_is_text(sep)))
        return NULL;
    if (list->kind == TV_STR)
        list = tpl_chars(t, list);
    if (list == NULL || (list->kind != TV_LIST && list->kind != TV_DICT))
        return NULL;
    for (uint32_t i = 0; i < list->obj->n && tpl_step(t); i++) {
        if (i > 0 && sep != NULL)
            tpl_text_put(t, &x, sep->text);
        if (list->kind == TV_DICT)
            tpl_text_put(t, &x, list->obj->items[i].key);
        else
            tpl_text_val(t, &x, list->obj->items[i].val);
    }
    return of_text(t, &x,
                   (uint16_t)((x.flags & (TF_TAINT | TF_PARTIAL)) | (list->flags & TF_TAINT) |
                              (list->obj->open ? TF_PARTIAL : 0)));
}

/* ---- formats --------------------------------------------------------------------------------- */

static void put_code(struct tpl *t, struct tpl_text *x, const struct tpl_val *v) {
    uint8_t out[4];
    if (v->kind == TV_INT && v->num >= 0 && v->num <= 0x10ffff)
        tpl_text_put(t, x, bz_view(out, bz_utf8_encode((uint32_t)v->num, out)));
    else
        tpl_text_val(t, x, v);
}

static void put_value(struct tpl *t, struct tpl_text *x, const struct tpl_val *v, uint8_t how) {
    uint8_t mem[40];
    struct bz_buf b;
    x->flags |= v->flags & TF_TAINT;
    if (how == 'c') {
        put_code(t, x, v);
    } else if ((how == 'x' || how == 'o' || how == 'X') && v->kind == TV_INT) {
        bz_buf_init_fixed(&b, mem, sizeof mem);
        bz_buf_printf(&b,
                      how == 'o'   ? "%llo"
                      : how == 'x' ? "%llx"
                                   : "%llX",
                      (unsigned long long)v->num);
        tpl_text_put(t, x, bz_buf_view(&b));
    } else {
        tpl_text_val(t, x, v);
    }
}

/* Digits at *i as a width; a huge one is a cheap way to use up memory. */
static void width(struct tpl *t, uint32_t off, struct bz_view f, size_t *i) {
    uint64_t n = 0;
    for (; *i < f.n && f.p[*i] >= '0' && f.p[*i] <= '9'; (*i)++)
        n = n > BZ_TEMPLATE_MAX ? n : n * 10 + (uint64_t)(f.p[*i] - '0');
    if (n > BZ_TEMPLATE_MAX)
        tpl_found(t, TPL_R_DOS, off, f);
}

static const struct tpl_val *named(const struct tpl_args *args, struct bz_view name) {
    for (size_t i = 0; i < args->named_n; i++) {
        if (bz_view_eq(args->names[i], name))
            return args->named[i];
    }
    for (size_t i = 0; i < args->n; i++) { /* '%(a)s' % {'a': ...} */
        const struct tpl_val *v =
            args->pos[i]->kind == TV_DICT ? tpl_get(args->pos[i]->obj, name) : NULL;
        if (v != NULL)
            return v;
    }
    return NULL;
}

/* '%s %c' % args */
const struct tpl_val *tpl_percent(struct tpl *t, uint32_t off, const struct tpl_val *format,
                                  const struct tpl_args *args) {
    struct bz_view f = format->text;
    struct tpl_text x = {.n = 0};
    size_t next = 0;
    if (!tpl_is_text(format))
        return tpl_unknown(t, (format->flags | args->flags) & (TF_TAINT | TF_COMPUTED));
    for (size_t i = 0; i < f.n && tpl_step(t);) {
        const uint8_t *p = memchr(f.p + i, '%', f.n - i);
        size_t to = p == NULL ? f.n : (size_t)(p - f.p);
        tpl_text_put(t, &x, bz_view_sub(f, i, to - i));
        i = to + 1;
        if (i >= f.n)
            break;
        const struct tpl_val *v = NULL;
        if (f.p[i] == '(') {
            const uint8_t *end = memchr(f.p + i, ')', f.n - i);
            size_t close = end == NULL ? f.n : (size_t)(end - f.p);
            v = named(args, bz_view_sub(f, i + 1, close - i - 1));
            i = close + 1;
        }
        while (i < f.n && strchr("#0- +.*", f.p[i]) != NULL && f.p[i] != 0)
            i++;
        width(t, off, f, &i);
        while (i < f.n && (f.p[i] == '.' || (f.p[i] >= '0' && f.p[i] <= '9')))
            i++;
        if (i >= f.n)
            break;
        uint8_t how = f.p[i++];
        if (how == '%') {
            tpl_text_put(t, &x, BZ_V("%"));
            continue;
        }
        v = v != NULL ? v : next < args->n ? args->pos[next++] : tpl_unknown(t, 0);
        put_value(t, &x, v, how);
    }
    return of_text(t, &x, (uint16_t)((x.flags & (TF_TAINT | TF_PARTIAL)) | taint(format, NULL)));
}

/* "0.a.__class__[b]": the parts behind the first are attributes. */
static void field_path(struct tpl *t, uint32_t off, struct bz_view path) {
    size_t from = 0;
    for (size_t i = 0; i <= path.n; i++) {
        if (i == path.n || path.p[i] == '.' || path.p[i] == '[' || path.p[i] == ']') {
            if (from > 0)
                tpl_reach_name(t, off, bz_view_sub(path, from, i - from));
            from = i + 1;
        }
    }
}

static const struct tpl_val *field(struct tpl *t, uint32_t off, struct bz_view path, size_t *next,
                                   const struct tpl_args *args) {
    size_t n = 0;
    uint64_t index = 0;
    while (n < path.n && path.p[n] != '.' && path.p[n] != '[')
        n++;
    field_path(t, off, path);
    if (n < path.n)
        return tpl_unknown(t, TF_COMPUTED);
    if (n == 0)
        index = (*next)++;
    else if (bz_view_u64(path, &index) != BZ_OK)
        index = UINT64_MAX;
    const struct tpl_val *v = index < args->n ? args->pos[index] : named(args, path);
    return v == NULL ? tpl_unknown(t, 0) : v;
}

/* '{} {0} {a:c}'.format(...) */
const struct tpl_val *tpl_format(struct tpl *t, uint32_t off, const struct tpl_val *format,
                                 const struct tpl_args *args) {
    struct bz_view f = format->text;
    struct tpl_text x = {.n = 0};
    size_t next = 0;
    if (!tpl_is_text(format))
        return tpl_unknown(t, (format->flags | args->flags) & (TF_TAINT | TF_COMPUTED));
    for (size_t i = 0; i < f.n && tpl_step(t);) {
        if ((f.p[i] != '{' && f.p[i] != '}') || (i + 1 < f.n && f.p[i + 1] == f.p[i])) {
            tpl_text_put(t, &x, bz_view_sub(f, i, 1));
            i += f.p[i] == '{' || f.p[i] == '}' ? 2 : 1;
            continue;
        }
        size_t end = ++i, colon = 0;
        while (end < f.n && f.p[end] != '}') {
            colon = colon == 0 && (f.p[end] == ':' || f.p[end] == '!') ? end : colon;
            end++;
        }
        size_t path = (colon != 0 ? colon : end) - i;
        const struct tpl_val *v = field(t, off, bz_view_sub(f, i, path), &next, args);
        for (size_t k = colon; colon != 0 && k < end;) {
            if (f.p[k] >= '1' && f.p[k] <= '9')
                width(t, off, f, &k);
            else
                k++;
        }
        put_value(t, &x, v, colon != 0 && end > colon + 1 ? f.p[end - 1] : 's');
        i = end + 1;
    }
    return of_text(t, &x, (uint16_t)((x.flags & (TF_TAINT | TF_PARTIAL)) | taint(format, NULL)));
}

/* ---- methods and filters of one string ------------------------------------------------------- */

static const struct tpl_val *mapped(struct tpl *t, const struct tpl_val *in, char how) {
    uint8_t *p = bz_arena_alloc(t->ar, in->text.n + 1);
    bool start = true;
    if (p == NULL)
        return NULL;
    for (size_t i = 0; i < in->text.n; i++) {
        uint8_t c = in->text.p[i];
        bool low = c >= 'a' && c <= 'z', high = c >= 'A' && c <= 'Z';
        bool up = how == 'u' || (how == 's' && low) || ((how == 't' || how == 'c') && start);
        bool down = how == 'l' || (how == 's' && high) || ((how == 't' || how == 'c') && !start);
        p[i] = up && low ? c & 0xdf : down && high ? c | 0x20 : c;
        start = how == 't' ? !(low || high) : false;
    }
    t->steps += in->text.n / 64;
    return tpl_str(t, bz_view(p, in->text.n), in->flags & (TF_TAINT | TF_PARTIAL));
}

static const struct tpl_val *reversed(struct tpl *t, const struct tpl_val *in) {
    const struct tpl_val *chars = tpl_chars(t, in);
    struct tpl_text x = {.n = 0};
    if (chars == NULL)
        return NULL;
    for (uint32_t i = chars->obj->n; i-- > 0;)
        tpl_text_put(t, &x, chars->obj->items[i].val->text);
    return of_text(t, &x, in->flags & (TF_TAINT | TF_PARTIAL));
}

static bool in_set(uint8_t c, const struct tpl_val *set) {
    if (set == NULL)
        return c == ' ' || (c >= '\t' && c <= '\r');
    return set->text.n > 0 && memchr(set->text.p, c, set->text.n) != NULL;
}

static const struct tpl_val *stripped(struct tpl *t, const struct tpl_val *in,
                                      const struct tpl_val *set, bool left, bool right) {
    struct bz_view v = in->text;
    if (set != NULL && !tpl_is_exact(set))
        return NULL;
    while (left && v.n > 0 && in_set(v.p[0], set))
        v = bz_view_sub(v, 1, v.n);
    while (right && v.n > 0 && in_set(v.p[v.n - 1], set))
        v.n--;
    return tpl_str(t, v, in->flags & (TF_TAINT | TF_PARTIAL));
}

static const struct tpl_val *replaced(struct tpl *t, const struct tpl_val *in,
                                      const struct tpl_val *from, const struct tpl_val *to) {
    struct tpl_text x = {.n = 0};
    if (from == NULL || to == NULL || !tpl_is_exact(from) || !tpl_is_text(to) || from->text.n == 0)
        return NULL;
    for (size_t i = 0; i < in->text.n && tpl_step(t);) {
        const uint8_t *p = memmem(in->text.p + i, in->text.n - i, from->text.p, from->text.n);
        size_t at = p == NULL ? in->text.n : (size_t)(p - in->text.p);
        tpl_text_put(t, &x, bz_view_sub(in->text, i, at - i));
        if (p != NULL)
            tpl_text_put(t, &x, to->text);
        i = at + from->text.n;
    }
    return of_text(t, &x, taint(in, to));
}

static const struct tpl_val *split(struct tpl *t, const struct tpl_val *in,
                                   const struct tpl_val *sep) {
    struct bz_view by = sep == NULL || sep->kind == TV_NONE ? BZ_V(" ") : sep->text;
    if (!tpl_is_exact(in) || (sep != NULL && sep->kind != TV_NONE && !tpl_is_exact(sep)) ||
        by.n == 0)
        return NULL;
    struct tpl_val *list = tpl_new(t, TV_LIST);
    for (size_t i = 0; list != NULL && i <= in->text.n && tpl_step(t);) {
        const uint8_t *p =
            i == in->text.n ? NULL : memmem(in->text.p + i, in->text.n - i, by.p, by.n);
        size_t at = p == NULL ? in->text.n : (size_t)(p - in->text.p);
        tpl_put(t, list->obj, BZ_V(""),
                tpl_str(t, bz_view_sub(in->text, i, at - i), in->flags & TF_TAINT));
        if (p == NULL)
            break;
        i = at + by.n;
    }
    return list;
}

static const struct tpl_val *affix(struct tpl *t, const struct tpl_val *in,
                                   const struct tpl_val *what, bool front) {
    struct bz_view v = in->text;
    if (what == NULL || !tpl_is_exact(what) || !tpl_is_exact(in))
        return NULL;
    if (front && bz_view_starts(v, what->text))
        v = bz_view_sub(v, what->text.n, v.n);
    else if (!front && v.n >= what->text.n &&
             bz_view_eq(bz_view_sub(v, v.n - what->text.n, v.n), what->text))
        v.n -= what->text.n;
    return tpl_str(t, v, in->flags & TF_TAINT);
}

static const struct {
    const char *name;
    char how;
} ops[] = {
    {"upper", 'u'},        {"lower", 'l'},      {"swapcase", 's'},
    {"title", 't'},        {"capitalize", 'c'}, {"casefold", 'l'},
    {"reverse", 'r'},      {"strip", 'b'},      {"trim", 'b'},
    {"lstrip", 'L'},       {"rstrip", 'R'},     {"replace", 'p'},
    {"split", '/'},        {"rsplit", '/'},     {"string", '='},
    {"safe", '='},         {"escape", '='},     {"e", '='},
    {"forceescape", '='},  {"list", '['},       {"removeprefix", '<'},
    {"removesuffix", '>'}, {"striptags", '='},
};

const struct tpl_val *tpl_string_op(struct tpl *t, struct bz_view op, const struct tpl_val *in,
                                    const struct tpl_args *args) {
    const struct tpl_val *first = tpl_arg(args, 0, NULL), *second = tpl_arg(args, 1, NULL);
    char how = 0;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0] && how == 0; i++) {
        if (bz_view_eq(op, bz_view_str(ops[i].name)))
            how = ops[i].how;
    }
    if (!tpl_is_text(in) || how == 0)
        return NULL;
    switch (how) {
    case 'r':
        return reversed(t, in);
    case 'b':
    case 'L':
    case 'R':
        return stripped(t, in, first, how != 'R', how != 'L');
    case 'p':
        return replaced(t, in, first, second);
    case '/':
        return split(t, in, first);
    case '=':
        return in;
    case '[':
        return tpl_chars(t, in);
    case '<':
    case '>':
        return affix(t, in, first, how == '<');
    default:
        return mapped(t, in, how);
    }
}
