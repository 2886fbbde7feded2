#include "cmd_audit.h"

#include "commands.h"

int bz_cli_audit(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"tail", "show the newest records, follow them with -f", bz_audit_tail},
        {"verify", "check every record, tile and signature", bz_audit_verify},
        {"prove", "prove that the records of a request stand in the log", bz_audit_prove},
        {"export", "write records as JSON lines", bz_audit_export},
    };
    return bz_cli_dispatch("bartizan audit", list, sizeof list / sizeof list[0], argc, argv);
}
