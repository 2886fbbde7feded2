/* bartizan: what stands first on the command line. Scans run here, in a program that needs a handful of
 * libraries and starts in a millisecond; everything else is bartizan-cli, beside it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "opts.h"
#include "scan_command.h"

/* The same words, by the program that knows the rest. */
static int others(char **argv) {
    static const char beside[] = "bartizan-cli";
    char path[2048];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof beside);
    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n <= 0) {
        bz_say("cannot tell where it is installed: /proc is not mounted");
        return BZ_EXIT_FAILURE;
    }
    memcpy(path + n, beside, sizeof beside);
    (void)execv(path, argv);
    bz_say("%s: %s; it is part of the installation", bz_safe(path), strerror(errno));
    return BZ_EXIT_FAILURE;
}

int main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "scan") != 0)
        return others(argv);
    return bz_cli_scan(argc - 1, argv + 1);
}
