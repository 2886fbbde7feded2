/* `bartizan scan`, which is linked into two programs: front.c says why. */
#ifndef BZ_SCAN_COMMAND_H
#define BZ_SCAN_COMMAND_H

int bz_cli_scan(int argc, char **argv); /* argv[0]: "scan"; an exit code of opts.h */

#endif
