/**
 * Facts of Docker's default seccomp profile: which system calls a step may make, as the engine's documentation
 * ("Seccomp security profiles for Docker") and BuildKit's steps show them. Calls that a kernel or libseccomp does not know
 * are skipped by the runtimes. `seccomp.ts` turns the table into a profile for one machine and set of capabilities.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Allowed to everybody, on every architecture. */
export const alwaysAllowed: readonly string[] = [
  // opening, reading and writing files
  ...words(`open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2
    lseek _llseek readahead fadvise64 fadvise64_64 fallocate truncate truncate64 ftruncate ftruncate64 copy_file_range sendfile
    sendfile64 splice tee vmsplice sync syncfs fsync fdatasync sync_file_range flock fcntl fcntl64 ioctl dup dup2 dup3 cachestat`),
  // names, folders, links, attributes of files
  ...words(`access faccessat faccessat2 chdir fchdir getcwd chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat
    lchown lchown32 link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir
    mknod mknodat umask getdents getdents64 stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64
    fstatfs fstatfs64 utime utimes futimesat utimensat utimensat_time64 name_to_handle_at statmount listmount
    getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat
    removexattr lremovexattr fremovexattr removexattrat`),
  // watching files
  ...words("inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark"),
  // waiting for descriptors, asynchronous input and output
  ...words(`poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
    epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 pipe pipe2
    io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`),
  // memory
  ...words(`brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal membarrier
    memfd_create memfd_secret remap_file_pages pkey_alloc pkey_free pkey_mprotect map_shadow_stack process_mrelease`),
  // processes and threads (clone has rules of its own)
  ...words(`fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid getsid setsid
    kill tkill tgkill pidfd_open pidfd_send_signal prctl rseq restart_syscall uretprobe set_tid_address get_thread_area
    set_thread_area set_robust_list get_robust_list futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue`),
  // signals
  ...words(`rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn pause alarm`),
  // users, groups, capabilities, and giving up rights
  ...words(`getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32 getgroups
    getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32
    setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self`),
  // limits, priorities, scheduling, facts of the machine
  ...words(`getrlimit ugetrlimit setrlimit prlimit64 getrusage getpriority setpriority ioprio_get ioprio_set sched_yield sched_getattr
    sched_setattr sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_getaffinity sched_setaffinity
    sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 getcpu sysinfo uname getrandom
    times riscv_hwprobe`),
  // clocks and timers
  ...words(`time gettimeofday adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
    clock_nanosleep clock_nanosleep_time64 nanosleep getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime
    timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`),
  // sockets (socket itself has rules of its own)
  ...words(`socketpair socketcall bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt send sendto
    sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`),
  // System V and POSIX interprocess communication
  ...words(`ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget mq_open mq_unlink
    mq_notify mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64`),
];

/** Looking into other processes: safe without a capability from this kernel on, whose ptrace can no longer dodge seccomp. */
export const tracing = { since: { major: 4, minor: 8 }, names: words("ptrace process_vm_readv process_vm_writev") } as const;

/** What one capability opens. */
export const allowedByCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: ["bpf"],
  CAP_DAC_READ_SEARCH: ["open_by_handle_at"],
  CAP_PERFMON: ["perf_event_open"],
  CAP_SYS_ADMIN:
    words(`bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns
    syslog umount umount2 unshare`),
  CAP_SYS_BOOT: ["reboot"],
  CAP_SYS_CHROOT: ["chroot"],
  CAP_SYS_MODULE: words("delete_module finit_module init_module"),
  CAP_SYS_NICE: words("get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
  CAP_SYS_PACCT: ["acct"],
  CAP_SYS_PTRACE: words("kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
  CAP_SYS_RAWIO: words("ioperm iopl"),
  CAP_SYS_TIME: words("clock_settime clock_settime64 settimeofday stime"),
  CAP_SYS_TTY_CONFIG: ["vhangup"],
  CAP_SYSLOG: ["syslog"],
};

/**
 * Known calls that no step may make, whatever its capabilities: told apart from unknown ones where the profile is turned round. The
 * calls of old kernels are not among them: most are empty, and "not there" is the truth.
 */
export const alwaysRefused: readonly string[] = [
  // keys of the kernel, which know no containers
  ...words("add_key request_key keyctl"),
  // ways to run kernel code that escape filters or were the way into the kernel too often
  ...words("io_uring_setup io_uring_enter io_uring_register userfaultfd kexec_load kexec_file_load uselib"),
  // the machine as a whole: roots, swap, memory of other processes
  ...words("pivot_root swapon swapoff migrate_pages move_pages sysfs ustat"),
];

const arm = words("arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls");
const s390 = words("s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr");

/** What exists on one architecture only, by Node's name (`process.arch`). */
export const allowedByArchitecture: Readonly<Record<string, readonly string[]>> = {
  arm,
  arm64: arm,
  ia32: ["modify_ldt"],
  ppc64: words("sync_file_range2 swapcontext"),
  riscv64: ["riscv_flush_icache"],
  s390x: s390,
  x64: words("arch_prctl modify_ldt"),
};

/**
 * The calling conventions that a kernel of one architecture takes, by Node's name; others are native only. Docker's list has x32 too,
 * which kernels have switched off; a filter for it would cost each step 5 ms.
 */
export const callingConventions: Readonly<Record<string, readonly string[]>> = {
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  loong64: ["SCMP_ARCH_LOONGARCH64"],
  riscv64: ["SCMP_ARCH_RISCV64"],
  s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"],
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
};

/** personality(2): Linux, with or without 32-bit and legacy-uname emulation, and "only tell me". */
export const personalities: readonly number[] = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** Families of socket(2) that reach past the network namespace (AF_VSOCK) or into the kernel's cipher code (AF_ALG). */
export const socketFamilies = { alg: 38, vsock: 40 } as const;

/** The flags of clone(2) that make namespaces: mount, cgroup, uts, ipc, user, pid, net. */
export const cloneNamespaceFlags: readonly number[] = [
  0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
];
