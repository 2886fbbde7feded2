/* The filters as the kernel would run them: a small machine for classic BPF, and calls that must and must not pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <bartizan/sandbox.h>

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* seccomp(2): 32-bit loads of struct seccomp_data, jumps, and, return */
static uint32_t run(const struct bz_buf *f, const struct seccomp_data *d) {
    struct sock_filter k;
    uint32_t a = 0, v = 0;
    for (size_t pc = 0; pc < f->n / sizeof k; pc++) {
        memcpy(&k, f->p + pc * sizeof k, sizeof k);
        bool jump = false;
        switch (k.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(k.k + 4 <= sizeof *d);
            memcpy(&v, (const uint8_t *)d + k.k, 4);
            a = v;
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= k.k;
            break;
        case BPF_JMP | BPF_JA:
            pc += k.k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            jump = a == k.k;
            pc += jump ? k.jt : k.jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            jump = a > k.k;
            pc += jump ? k.jt : k.jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            jump = a >= k.k;
            pc += jump ? k.jt : k.jf;
            break;
        case BPF_RET | BPF_K:
            return k.k;
        default:
            fail_msg("instruction %x", k.code);
        }
    }
    fail_msg("the filter has no end");
    return 0;
}

static struct bz_buf filter;

static void compile(const char *profile) {
    static struct bz_cage_plan p;
    memset(&p, 0, sizeof p);
    p.profile = bz_cage_profile(profile);
    p.exec = p.profile->exec;
    p.wx = p.profile->wx;
    bz_buf_init(&filter, 1 << 20);
    assert_int_equal(bz_cage_filter(&p, &filter), BZ_OK);
}

static uint32_t call(long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3) {
    const struct seccomp_data d = {.nr = (int)nr, .arch = ARCH, .args = {a0, a1, a2, a3}};
    return run(&filter, &d);
}

#define DENIED (SECCOMP_RET_ERRNO | EPERM)
#define PASS SECCOMP_RET_ALLOW

static void dangerous_calls_are_denied_everywhere(void **state) {
    static const long never[] = {SYS_unshare,
                                 SYS_setns,
                                 SYS_mount,
                                 SYS_umount2,
                                 SYS_pivot_root,
                                 SYS_chroot,
                                 SYS_ptrace,
                                 SYS_process_vm_readv,
                                 SYS_process_vm_writev,
                                 SYS_bpf,
                                 SYS_perf_event_open,
                                 SYS_io_uring_setup,
                                 SYS_io_uring_enter,
                                 SYS_userfaultfd,
                                 SYS_keyctl,
                                 SYS_add_key,
                                 SYS_request_key,
                                 SYS_open_by_handle_at,
                                 SYS_name_to_handle_at,
                                 SYS_kexec_load,
                                 SYS_init_module,
                                 SYS_finit_module,
                                 SYS_delete_module,
                                 SYS_personality,
                                 SYS_syslog,
                                 SYS_reboot,
                                 SYS_swapon,
                                 SYS_symlinkat,
                                 SYS_linkat,
                                 SYS_mknodat,
                                 SYS_fchownat,
                                 SYS_setuid,
                                 SYS_setresuid,
                                 SYS_setgroups,
                                 SYS_capset,
                                 SYS_execveat,
                                 SYS_pidfd_getfd,
                                 SYS_kcmp,
                                 SYS_vmsplice,
                                 SYS_sethostname,
                                 SYS_settimeofday,
                                 SYS_clock_settime,
                                 SYS_acct,
                                 SYS_quotactl,
                                 SYS_fsopen,
                                 SYS_move_mount,
                                 SYS_open_tree,
                                 SYS_seccomp,
                                 SYS_shmget,
                                 SYS_msgget,
                                 SYS_semget,
                                 SYS_mq_open};
    for (const struct bz_cage_profile *p = bz_cage_profiles; p->name != NULL; p++) {
        compile(p->name);
        for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
            assert_int_equal(call(never[i], 0, 0, 0, 0), DENIED);
        assert_int_equal(call(9999, 0, 0, 0, 0), DENIED); /* of a later kernel */
        assert_int_equal(call(SYS_read, 0, 0, 0, 0), PASS);
        bz_buf_free(&filter);
    }
}

static void one_execve_no_processes(void **state) {
    compile("llama-server");
    assert_int_equal(call(SYS_execve, 0, 0, 0, 0), SECCOMP_RET_USER_NOTIF);
    assert_int_equal(call(SYS_clone3, 0, 0, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
    assert_int_equal(call(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0), PASS);
    assert_int_equal(call(SYS_clone, 17, 0, 0, 0), DENIED);
    assert_int_equal(call(SYS_clone, CLONE_THREAD | CLONE_NEWUSER, 0, 0, 0), DENIED);
    bz_buf_free(&filter);
    compile("generic");
    assert_int_equal(call(SYS_execve, 0, 0, 0, 0), PASS);
    assert_int_equal(call(SYS_clone, 17, 0, 0, 0), PASS);
    static const uint64_t ns[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                  CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++)
        assert_int_equal(call(SYS_clone, 17 | ns[i], 0, 0, 0), DENIED);
    bz_buf_free(&filter);
}

static void memory_is_written_or_executed(void **state) {
    const uint64_t rw = PROT_READ | PROT_WRITE, rx = PROT_READ | PROT_EXEC;
    compile("llama-server");
    assert_int_equal(call(SYS_mmap, 0, 4096, rw, MAP_PRIVATE | MAP_ANONYMOUS), PASS);
    assert_int_equal(call(SYS_mmap, 0, 4096, rx, MAP_PRIVATE), PASS); /* a library */
    assert_int_equal(call(SYS_mmap, 0, 4096, rx, MAP_PRIVATE | MAP_ANONYMOUS), DENIED);
    assert_int_equal(call(SYS_mmap, 0, 4096, rw | PROT_EXEC, MAP_PRIVATE), DENIED);
    assert_int_equal(call(SYS_mprotect, 0, 4096, PROT_READ, 0), PASS);
    assert_int_equal(call(SYS_mprotect, 0, 4096, rx, 0), DENIED);
    assert_int_equal(call(SYS_pkey_mprotect, 0, 4096, rx, 0), DENIED);
    assert_int_equal(call(SYS_memfd_create, 0, 0, 0, 0), DENIED);
    bz_buf_free(&filter);
    compile("vllm");
    assert_int_equal(call(SYS_mprotect, 0, 4096, rx, 0), PASS);
    bz_buf_free(&filter);
}

static void families_of_sockets(void **state) {
    compile("llama-server");
    assert_int_equal(call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, 0), PASS);
    assert_int_equal(call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0), DENIED);
    assert_int_equal(call(SYS_socket, AF_INET6, SOCK_DGRAM, 0, 0), DENIED);
    bz_buf_free(&filter);
    compile("ollama");
    assert_int_equal(call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0), PASS);
    assert_int_equal(call(SYS_socket, AF_INET, SOCK_RAW, 0, 0), DENIED);
    assert_int_equal(call(SYS_socket, AF_PACKET, SOCK_RAW, 0, 0), DENIED);
    assert_int_equal(call(SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0), DENIED);
    assert_int_equal(call(SYS_socket, 40 /* AF_VSOCK */, SOCK_STREAM, 0, 0), DENIED);
    assert_int_equal(call(SYS_ioctl, 0, TIOCSTI, 0, 0), DENIED);
    assert_int_equal(call(SYS_ioctl, 0, FIONREAD, 0, 0), PASS);
    bz_buf_free(&filter);
}

static void another_table_ends_the_process(void **state) {
    compile("llama-server");
    const struct seccomp_data d = {.nr = 20, .arch = AUDIT_ARCH_I386};
    assert_int_equal(run(&filter, &d), SECCOMP_RET_KILL_PROCESS);
#if defined __x86_64__
    const struct seccomp_data x32 = {.nr = 0x40000000 | SYS_read, .arch = ARCH};
    assert_true(run(&filter, &x32) != PASS);
#endif
    bz_buf_free(&filter);
}

static void init_has_few(void **state) {
    bz_buf_init(&filter, 1 << 20);
    assert_int_equal(bz_cage_filter_init(&filter), BZ_OK);
    assert_int_equal(call(SYS_read, 0, 0, 0, 0), PASS);
    assert_int_equal(call(SYS_openat, 0, 0, 0, 0), DENIED);
    assert_int_equal(call(SYS_execve, 0, 0, 0, 0), DENIED);
    assert_int_equal(call(SYS_clone, 17, 0, 0, 0), DENIED);
    bz_buf_free(&filter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dangerous_calls_are_denied_everywhere),
        cmocka_unit_test(one_execve_no_processes),
        cmocka_unit_test(memory_is_written_or_executed),
        cmocka_unit_test(families_of_sockets),
        cmocka_unit_test(another_table_ends_the_process),
        cmocka_unit_test(init_has_few),
    };
    return cmocka_run_group_tests_name("sandbox_filter", tests, NULL, NULL);
}
