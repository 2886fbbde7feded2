/* What `bartizan up` may do: it runs as the owner of the instance, and as root only with every
 * capability gone. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opts.h"
#include "up.h"

static bool become(uid_t uid, gid_t gid) {
    const struct passwd *pw = getpwuid(uid);
    int groups = pw != NULL ? initgroups(pw->pw_name, gid) : setgroups(1, &gid);
    if (groups != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
        bz_say("cannot become user %u, the owner of the instance: %s", (unsigned)uid,
               strerror(errno));
        return false;
    }
    /* read back: a set*id call that does nothing must not go unnoticed */
    uid_t r, e, s;
    if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid || setuid(0) == 0) {
        bz_say("user %u could not be taken on", (unsigned)uid);
        return false;
    }
    return true;
}

static bool drop_capabilities(void) {
    for (unsigned long cap = 0; cap <= 63; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM)
            return false;
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}}, now[2];
    if (syscall(SYS_capset, &h, none) != 0 || syscall(SYS_capget, &h, now) != 0)
        return false;
    return now[0].effective == 0 && now[1].effective == 0 && now[0].permitted == 0 &&
           now[1].permitted == 0;
}

bool bz_up_privileges(const char *dir) {
    struct stat sb;
    if (stat(dir, &sb) != 0) {
        bz_say("%s: %s", bz_safe(dir), strerror(errno));
        return false;
    }
    if (geteuid() != 0 && sb.st_uid != geteuid()) {
        bz_say("%s belongs to another user (%u); run as that user", bz_safe(dir),
               (unsigned)sb.st_uid);
        return false;
    }
    /* Root may let its children lock their memory, whoever they become. Others keep their limit. */
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    (void)setrlimit(RLIMIT_MEMLOCK, &all);
    if (geteuid() == 0 && sb.st_uid != 0) {
        bz_say("running as user %u, the owner of the instance", (unsigned)sb.st_uid);
        if (!become(sb.st_uid, sb.st_gid))
            return false;
    } else if (geteuid() == 0) {
        bz_say("warning: the instance belongs to root; running with all capabilities dropped. "
               "An instance of an ordinary user is safer: chown -R USER %s",
               bz_safe(dir));
        if (!drop_capabilities()) {
            bz_say("root's capabilities could not be dropped: %s", strerror(errno));
            return false;
        }
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
