/* bartizan backup: one encrypted archive, restorable with the recipient's key alone. */
#include "cmd_backup.h"
#include "commands.h"

int bz_cli_backup(int argc, char **argv) {
    static const struct bz_command list[] = {
        {"key", "make a pair of keys for backups", bz_backup_key},
        {"create", "write an encrypted archive of an instance, whole or incremental",
         bz_backup_create},
        {"verify", "check archives, and with the key everything in them", bz_backup_verify},
        {"restore", "make an instance again from archives and the key", bz_backup_restore},
        {"drill", "restore for trial, check, measure, remove it again", bz_backup_drill},
    };
    return bz_cli_dispatch("bartizan backup", list, sizeof list / sizeof list[0], argc, argv);
}
