/* What `bartizan scan` prints: text, one JSON object, or SARIF 2.1.0 (docs/SCANNER.md). */
#ifndef BZ_SCAN_REPORT_H
#define BZ_SCAN_REPORT_H

#include <bartizan/json.h>
#include <stdio.h>

#include "scan_worker.h"

enum bz_scan_form { BZ_SCAN_TEXT, BZ_SCAN_JSON, BZ_SCAN_SARIF };

struct bz_scan_report {
    enum bz_scan_form form;
    FILE *out;
    const struct bz_scan_list *list;
    const struct bz_scan_run *run;
    bool verbose; /* text: files without findings, and notes */
    size_t width; /* text */
    struct bz_buf b, failures;
    struct bz_buf tmp; /* one text */
    char name[8192];   /* of the file */
    struct bz_jw w, fw;
    uint64_t files, clean, bad, unchecked, programs, failed, bytes, findings[BZ_SEVERITY_COUNT];
};

void bz_scan_report_begin(struct bz_scan_report *r);
void bz_scan_report_file(struct bz_scan_report *r, const struct bz_scan_outcome *o);
/* The exit code: findings, then failures, then what could not be checked. */
int bz_scan_report_end(struct bz_scan_report *r);

#endif
