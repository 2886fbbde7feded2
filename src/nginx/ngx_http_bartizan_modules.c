/* What nginx's own build writes into objs/..._modules.c for a dynamic module: the three symbols
 * that load_module reads.
 * The order places the filters after copy_filter (all buffers are in memory) and before everything
 * that writes headers. */
#include "ngx_http_bartizan.h"

BZ_EXPORT ngx_module_t *ngx_modules[] = {&ngx_http_bartizan_module, NULL};

static char module_name[] = "ngx_http_bartizan_module";
static char before_name[] = "ngx_http_copy_filter_module";

BZ_EXPORT char *ngx_module_names[] = {module_name, NULL};
extern char *ngx_module_order[];
BZ_EXPORT char *ngx_module_order[] = {module_name, before_name, NULL};
