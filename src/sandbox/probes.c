/* The battery's list, and what its results mean. The attempts themselves are in cage_probe*.c. */
#include <errno.h>

#include <bartizan/sandbox.h>

#define X BZ_GRANT_EXEC
#define W BZ_GRANT_WX
#define P BZ_GRANT_PROC
#define F BZ_GRANT_FORK
#define R BZ_GRANT_RUNTIME
const struct bz_probe_info bz_probe_list[] = {
    {"read_shadow", "files", "read the password hashes of the host", 0},
    {"read_secret", "files", "read a file that everybody on the host may read", 0},
    {"list_home", "files", "list /home", 0},
    {"list_root", "files", "list the root directory", 0},
    {"list_var", "files", "list /var/lib", 0},
    {"read_other_model", "files", "read a model beside the approved one", 0},
    {"write_model", "files", "open the approved model for writing", 0},
    {"create_beside_model", "files", "make a file beside the model", 0},
    {"replace_model", "files", "rename a file over the model", 0},
    {"write_root", "files", "make a file in /", 0},
    {"write_usr", "files", "make a file in /usr", 0},
    {"make_device", "files", "mknod of a disk", 0},
    {"make_link", "files", "make a symbolic link where the gateway looks for a socket", 0},
    {"file_handle", "files", "name_to_handle_at and open_by_handle_at", 0},
    {"open_devices", "files", "open kvm, fuse, tun, mem, disks, cards of others", 0},
    {"read_kmsg", "files", "read the kernel's log device", 0},
    {"read_sys", "files", "list /sys/class", 0},
    {"read_cgroups", "files", "list the control groups of the host", 0},
    {"read_kallsyms", "files", "read the kernel's symbols", P},
    {"write_sysctl", "files", "open core_pattern for writing", 0},
    {"write_sysrq", "files", "open sysrq-trigger for writing", 0},
    {"exec_tmp", "execution", "copy a program to /tmp and run it", 0},
    {"map_tmp", "execution", "map a file of /tmp as code", 0},
    {"exec_memfd", "execution", "run a program from memory", 0},
    {"exec_shell", "execution", "run a shell", X},
    {"exec_again", "execution", "run the own program a second time", X},
    {"map_write_exec", "execution", "memory that is writable and executable", W},
    {"protect_exec", "execution", "make written memory executable", W},
    {"map_memfd_exec", "execution", "map written shared memory as code", W},
    {"write_own_code", "execution", "change the own code through /proc/self/mem", 0},
    {"personality", "execution", "turn address randomisation off", 0},
    {"other_abi", "execution", "a system call of the 32-bit table", 0},
    {"see_processes", "processes", "see processes of the host in /proc", 0},
    {"read_environ", "processes", "read the environment of a process of the host", 0},
    {"signal_host", "processes", "signal a process of the host", 0},
    {"ptrace_host", "processes", "attach to a process of the host", 0},
    {"ptrace_self", "processes", "be traced", 0},
    {"read_memory", "processes", "process_vm_readv", 0},
    {"steal_descriptor", "processes", "pidfd_getfd", 0},
    {"compare_kernel", "processes", "kcmp", 0},
    {"fork", "processes", "make a process", F},
    {"fork_bomb", "resources", "more processes than the limit", 0},
    {"memory_bomb", "resources", "more memory than the limit", 0},
    {"fill_tmp", "resources", "more files in /tmp than the limit", 0},
    {"open_many", "resources", "more descriptors than the limit", 0},
    {"raise_limit", "resources", "raise a limit again", 0},
    {"tcp_loopback", "network", "connect to a port of the host's loopback", 0},
    {"tcp_host", "network", "connect to the host's own address", 0},
    {"udp_loopback", "network", "an answer by UDP from the host", 0},
    {"tcp_bind", "network", "listen on a TCP port of its own choice", BZ_GRANT_INET},
    {"packet_socket", "network", "see packets", 0},
    {"raw_socket", "network", "make IP packets", 0},
    {"netlink_socket", "network", "talk to the kernel's network configuration", 0},
    {"vsock", "network", "reach the hypervisor", 0},
    {"alg_socket", "network", "the kernel's cryptography by socket", 0},
    {"unix_abstract", "network", "an abstract unix socket of the host", 0},
    {"unix_path", "network", "a unix socket file of the host, as a container engine has", 0},
    {"user_namespace", "kernel", "make a user namespace", 0},
    {"clone_namespace", "kernel", "clone3 into a new user namespace", 0},
    {"join_namespace", "kernel", "setns", 0},
    {"mount", "kernel", "mount a file system", 0},
    {"chroot", "kernel", "chroot", 0},
    {"bpf", "kernel", "load a BPF map", 0},
    {"io_uring", "kernel", "io_uring_setup", 0},
    {"userfaultfd", "kernel", "userfaultfd", 0},
    {"perf", "kernel", "perf_event_open", 0},
    {"keyring", "kernel", "add_key", 0},
    {"kernel_log", "kernel", "syslog", 0},
    {"load_module", "kernel", "init_module", 0},
    {"load_kernel", "kernel", "kexec_load", 0},
    {"io_ports", "kernel", "ioperm", 0},
    {"set_clock", "kernel", "settimeofday", 0},
    {"set_hostname", "kernel", "sethostname", 0},
    {"swap", "kernel", "swapon", 0},
    {"push_terminal", "kernel", "TIOCSTI", 0},
    {"sysv_memory", "leaks", "shared memory (System V) of the host", 0},
    {"posix_memory", "leaks", "shared memory (/dev/shm) of the host", 0},
    {"descriptors", "leaks", "an inherited descriptor", 0},
    {"environment", "leaks", "an inherited variable", 0},
    {"capabilities", "identity", "any capability, or a way to one", 0},
    {"become_root", "identity", "setresuid(0)", 0},
    {"new_privileges", "identity", "no_new_privs is off", 0},
    {"no_filter", "identity", "seccomp is off", 0},
    {"core_dump", "identity", "core dumps are possible", 0},
};
#undef X
#undef W
#undef P
#undef F
#undef R
const size_t bz_probe_list_n = sizeof bz_probe_list / sizeof bz_probe_list[0];

const char *bz_probe_result_name(enum bz_probe_result r) {
    static const char *const names[BZ_PROBE_RESULT_COUNT] = {"denied", "allowed", "granted",
                                                             "vacuous", "unchecked"};
    return (unsigned)r < BZ_PROBE_RESULT_COUNT ? names[r] : "unknown";
}

bool bz_probe_granted(const struct bz_probe_info *p, const struct bz_cage_plan *plan) {
    const struct bz_cage_profile *f = plan->profile;
    return ((p->granted & BZ_GRANT_EXEC) != 0 && plan->exec) ||
           ((p->granted & BZ_GRANT_WX) != 0 && plan->wx) ||
           ((p->granted & BZ_GRANT_PROC) != 0 && f->proc) ||
           ((p->granted & BZ_GRANT_FORK) != 0 && (f->calls & BZ_CALLS_FORK) != 0) ||
           ((p->granted & BZ_GRANT_INET) != 0 && f->inet) ||
           ((p->granted & BZ_GRANT_RUNTIME) != 0 && (f->calls & BZ_CALLS_RUNTIME) != 0);
}

enum bz_probe_result bz_probe_judge(bool granted, int inside, int outside) {
    if (inside < 0)
        return BZ_PROBE_UNCHECKED;
    if (inside == 0)
        return granted ? BZ_PROBE_GRANTED : BZ_PROBE_ALLOWED;
    return outside == 0 ? BZ_PROBE_DENIED : outside < 0 ? BZ_PROBE_UNCHECKED : BZ_PROBE_VACUOUS;
}
