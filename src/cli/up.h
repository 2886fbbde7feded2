/* `bartizan up`: the supervisor of one instance. One thread, one loop over poll. */
#ifndef BZ_UP_H
#define BZ_UP_H

#include <sys/types.h>
#include <time.h>
#include <bartizan/json.h>
#include "instance.h"
#include "supervisor.h"

enum bz_up_child { BZ_UP_AUDITD, BZ_UP_BARTIZAND, BZ_UP_NGINX, BZ_UP_COUNT };
extern const char *const bz_up_name[BZ_UP_COUNT];

struct bz_up {
    struct bz_instance in;
    struct bz_config *config;
    struct bz_sup_child child[BZ_UP_COUNT];
    int ready_fd[BZ_UP_COUNT]; /* read ends; -1: nothing to wait for */
    char exe[BZ_UP_COUNT][BZ_DIR_PATH_MAX];
    char nginx_module[BZ_DIR_PATH_MAX];
    struct bz_secret master; /* handed to each bartizand; empty: it reads secrets/master.key itself */
    int lock_fd, alive_fd, sig_fd;
    uint64_t started_unix;
    bool stopping, hurry; /* hurry: a second signal came */
    bool reload_wanted;
    /* result of the latest reload, for `bartizan reload` */
    uint64_t reload_seq;
    bool reload_ok;
    char reload_message[2048];
    /* certificate files as nginx last read them */
    struct timespec cert_seen, key_seen;
    uint64_t cert_checked_ns;
    bool status_dirty;
    struct bz_up_cages *cages; /* NULL: no backend is started here */
};

/* up_privileges.c: leaves root or what root may do. Messages go to stderr. */
bool bz_up_privileges(const char *dir);

/* up_children.c */
bool bz_up_start(struct bz_up *u, enum bz_up_child c);
/* Waits until the child said it is ready (nginx: until it accepts connections); false: it died or
 * time is up. */
bool bz_up_wait_ready(struct bz_up *u, enum bz_up_child c, unsigned timeout_ms);
void bz_up_reap(struct bz_up *u);                           /* after SIGCHLD */
void bz_up_note_ready(struct bz_up *u, enum bz_up_child c); /* ready_fd became readable */
void bz_up_read_signals(struct bz_up *u);
/* nginx, then bartizand, then bartizan-auditd; each is asked, then told, then killed. */
void bz_up_stop_all(struct bz_up *u);
/* Runs a program to its end with stdout and stderr collected. Exit status, or -1. */
int bz_up_run(const char *const *argv, struct bz_buf *out);

/* Starts a program whose output is ours. -1: it could not be. */
pid_t bz_up_spawn(const char *const *argv);

/* up_cages.c: backends with `run`. _load: after each new configuration; false: it cannot be, said. */
bool bz_up_cages_load(struct bz_up *u);
void bz_up_cages_turn(struct bz_up *u); /* starts what is due */
bool bz_up_cages_are(const struct bz_up *u, pid_t pid);
void bz_up_cages_gone(struct bz_up *u, pid_t pid, int code);
int bz_up_cages_timeout(const struct bz_up *u, uint64_t now); /* ms; -1: none waits */
void bz_up_cages_stop(struct bz_up *u);
void bz_up_cages_status(struct bz_jw *w, const struct bz_up *u);
void bz_up_cages_free(struct bz_up *u);

/* up_nginx.c */
/* Is the listen address free? _check says on stderr why not. */
bool bz_up_port_free(const struct bz_config *c);
bool bz_up_port_check(const struct bz_config *c);
bool bz_up_port_answers(const struct bz_config *c);
/* Writes nginx.conf for `c` and has nginx check it; the old file stays when the check fails. `why`
 * gets nginx's own words. */
bool bz_up_nginx_conf(struct bz_up *u, const struct bz_config *c, struct bz_buf *why);
/* Nothing but a check and a signal: for changed certificate files. */
void bz_up_cert_tick(struct bz_up *u, uint64_t now);
void bz_up_cert_remember(struct bz_up *u);
void bz_up_reload(struct bz_up *u);

/* up_cert.c: makes or renews the instance's own server certificate when that is needed. false: no
 * usable certificate. */
bool bz_up_cert_ensure(const struct bz_instance *in, const struct bz_config *c);

/* up_status.c */
void bz_up_status_write(struct bz_up *u);

#endif
