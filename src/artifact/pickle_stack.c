/* The stack of values and the marks in it. It is bounded: a long batch is folded into its weight, and
 * where that is not enough the lower half is forgotten, which is said. */
#include "pickle_int.h"

/* Worth knowing when somebody is called with it. */
bool bz_pk_hot(uint32_t v) {
    enum bz_pk_tag t = BZ_PK_TAG(v);
    return t >= BZ_PK_ROW && (t <= BZ_PK_ROW_LOST || t >= BZ_PK_GLOBAL) && t != BZ_PK_OBJECT;
}

/* ---- values --------------------------------------------------------------------------------- */

static uint32_t *marks(const struct bz_pk *m) {
    return (uint32_t *)(void *)m->mark_mem.p;
}

/* The batch with most values: [*ret_from, *ret_to), above *ret_level marks. */
static void longest(const struct bz_pk *m, size_t *ret_from, size_t *ret_to, size_t *ret_level) {
    size_t from = 0;
    *ret_from = *ret_to = *ret_level = 0;
    for (size_t i = 0; i <= m->marks; i++) {
        size_t to = i == m->marks ? m->n : marks(m)[i];
        if (to - from > *ret_to - *ret_from) {
            *ret_from = from;
            *ret_to = to;
            *ret_level = i;
        }
        from = to;
    }
}

static struct bz_pk_fold *fold_at(struct bz_pk *m, size_t level) {
    for (unsigned i = 0; i < m->folds_n; i++) {
        if (m->folds[i].level == level)
            return &m->folds[i];
    }
    return NULL;
}

/* A stack that is full of one long batch: most of that is counted and weighed, and what matters in it
 * is looked at as it will be when the batch goes into a container. */
static bool fold(struct bz_pk *m) {
    size_t from, to, level;
    longest(m, &from, &to, &level);
    struct bz_pk_fold *f = fold_at(m, level);
    if (to - from < m->n / 2 || (f == NULL && m->folds_n == PK_FOLDS))
        return false;
    const size_t n = ((to - from) / 2 + 1) & ~(size_t)1; /* even: keys and values stay together */
    if (f == NULL) {
        f = &m->folds[m->folds_n++];
        *f = (struct bz_pk_fold){.level = level};
    }
    for (size_t i = from; i < from + n; i++) {
        f->weight += f->weight >> 60 != 0 ? 0 : bz_pk_weight(m, m->stk[i]);
        f->hot = f->hot || bz_pk_hot(m->stk[i]);
        if (i > from && bz_pk_hot(m->stk[i]) && !bz_pk_judge_item(m, m->stk[i - 1], m->stk[i]))
            return false;
    }
    f->n += n;
    memmove(m->stk + from, m->stk + from + n, (m->n - from - n) * sizeof *m->stk);
    m->n -= n;
    for (size_t i = level; i < m->marks; i++)
        marks(m)[i] -= (uint32_t)n;
    m->fence = m->marks == 0 ? 0 : marks(m)[m->marks - 1];
    return true;
}

/* Too many values: the lower ones are forgotten, the upper ones are followed as before. */
static bool forget_half(struct bz_pk *m) {
    const size_t half = m->n / 2;
    m->folds_n = 0;
    if (!bz_pk_limit(m, "stack"))
        return false;
    memmove(m->stk, m->stk + half, (m->n - half) * sizeof *m->stk);
    m->n -= half;
    for (size_t i = 0; i < m->marks; i++)
        marks(m)[i] = marks(m)[i] > half ? marks(m)[i] - (uint32_t)half : 0;
    m->fence = m->marks == 0 ? 0 : marks(m)[m->marks - 1];
    m->broken = true; /* what is missing below was said */
    return true;
}

bool bz_pk_push_slow(struct bz_pk *m, uint32_t v) {
    size_t more = m->cap == 0 ? 256 : m->cap;
    if (m->cap + more > PK_STACK_MAX)
        return (fold(m) || (m->how == BZ_PK_RUNNING && forget_half(m))) && bz_pk_push(m, v);
    m->stk_mem.n = m->n * sizeof *m->stk;
    if (!bz_buf_reserve(&m->stk_mem, more * sizeof *m->stk))
        return bz_pk_failed(m, BZ_ENOMEM);
    m->stk = (uint32_t *)(void *)m->stk_mem.p;
    m->cap += more;
    m->stk[m->n++] = v;
    return true;
}

bool bz_pk_pop(struct bz_pk *m, uint32_t *ret) {
    if (m->n > m->fence) {
        *ret = m->stk[--m->n];
        return true;
    }
    *ret = BZ_PK_UNDEF;
    struct bz_pk_fold *f = fold_at(m, m->marks);
    if (f != NULL && f->n > 0) { /* one of those that were only counted */
        f->n--;
        m->broken = true;
        return bz_pk_limit(m, "stack");
    }
    return bz_pk_fail(m, "takes a value from an empty stack");
}

uint32_t *bz_pk_top(struct bz_pk *m) {
    if (m->n > m->fence)
        return &m->stk[m->n - 1];
    return bz_pk_fail(m, "looks at the top of an empty stack") && bz_pk_push(m, BZ_PK_UNDEF)
               ? &m->stk[m->n - 1]
               : NULL;
}

bool bz_pk_pop_mark(struct bz_pk *m, size_t *ret_start) {
    *ret_start = m->fence;
    struct bz_pk_fold *f = m->folds_n == 0 ? NULL : fold_at(m, m->marks);
    m->batch = (struct bz_pk_fold){.n = 0};
    if (f != NULL) {
        m->batch = *f;
        *f = m->folds[--m->folds_n];
    }
    if (m->marks == 0)
        return bz_pk_fail(m, "no mark is left");
    m->marks--;
    m->mark_mem.n = m->marks * sizeof(uint32_t);
    m->fence = m->marks == 0 ? 0 : marks(m)[m->marks - 1];
    return true;
}

bool bz_pk_op_mark(struct bz_pk *m) {
    if (m->marks >= PK_MARKS_MAX) {
        if (!bz_pk_limit(m, "marks"))
            return false;
        m->marks /= 2;
        memmove(marks(m), marks(m) + m->marks, m->marks * sizeof(uint32_t));
        m->mark_mem.n = m->marks * sizeof(uint32_t);
        m->broken = true;
    }
    uint32_t *p = bz_pk_vec(&m->mark_mem, sizeof *p);
    if (p == NULL)
        return bz_pk_failed(m, BZ_ENOMEM);
    *p = (uint32_t)m->n;
    m->fence = m->n;
    m->marks++;
    return true;
}

bool bz_pk_op_pop(struct bz_pk *m) {
    size_t start;
    if (m->n == m->fence && m->marks > 0 && (m->folds_n == 0 || fold_at(m, m->marks) == NULL))
        return bz_pk_pop_mark(m, &start);
    uint32_t v;
    return bz_pk_pop(m, &v);
}

bool bz_pk_op_pop_mark(struct bz_pk *m) {
    size_t start;
    if (!bz_pk_pop_mark(m, &start))
        return false;
    m->n = start;
    return true;
}

bool bz_pk_op_dup(struct bz_pk *m) {
    uint32_t *top = bz_pk_top(m);
    return top != NULL && bz_pk_push(m, *top);
}
