//! The allow-list of system calls: what the scientific stack needs, found by running it, and no more.
//!
//! Left out on purpose: everything about namespaces and mounts, tracing and other processes' memory,
//! `bpf`, `io_uring`, keys, modules, System V IPC, `memfd` (memory that no limit sees), `mknod`, file
//! handles, the limits and priorities of other processes. What is not on the list fails with EPERM; what
//! newer programs try first and can do without fails with ENOSYS, so that they fall back. Two filters do
//! this, because one has one answer for what it does not list.

use std::collections::BTreeMap;
use std::io;

use qianshou_interpreter_protocol::{Network, Tier};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use crate::failure::{Failure, Step};

/// Always allowed.
const ALLOWED: &[i64] = &[
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_brk,
    libc::SYS_chdir,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_connect,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fchdir,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fdatasync,
    libc::SYS_fgetxattr,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_get_mempolicy,
    libc::SYS_get_robust_list,
    libc::SYS_getcpu,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getgroups,
    libc::SYS_getitimer,
    libc::SYS_getpeername,
    libc::SYS_getpgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getpriority,
    libc::SYS_getrandom,
    libc::SYS_getrlimit,
    libc::SYS_getrusage,
    libc::SYS_getsid,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_getxattr,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_rm_watch,
    libc::SYS_lgetxattr,
    libc::SYS_linkat,
    libc::SYS_listen,
    libc::SYS_listxattr,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mincore,
    libc::SYS_mkdirat,
    libc::SYS_mlock,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_munlock,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_pselect6,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_read,
    libc::SYS_readahead,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getattr,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_rr_get_interval,
    libc::SYS_sched_yield,
    libc::SYS_sendfile,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_setitimer,
    libc::SYS_setpgid,
    libc::SYS_setrlimit,
    libc::SYS_setsid,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_signalfd4,
    libc::SYS_splice,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_symlinkat,
    libc::SYS_sync,
    libc::SYS_sync_file_range,
    libc::SYS_syncfs,
    libc::SYS_sysinfo,
    libc::SYS_tee,
    libc::SYS_timer_create,
    libc::SYS_timer_delete,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_gettime,
    libc::SYS_timer_settime,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_gettime,
    libc::SYS_timerfd_settime,
    libc::SYS_times,
    libc::SYS_truncate,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Calls that newer machines never had.
#[cfg(target_arch = "x86_64")]
const ALLOWED_OLD: &[i64] = &[
    libc::SYS_access,
    libc::SYS_alarm,
    libc::SYS_arch_prctl,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_creat,
    libc::SYS_dup2,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_fork,
    libc::SYS_futimesat,
    libc::SYS_getdents,
    libc::SYS_getpgrp,
    libc::SYS_inotify_init,
    libc::SYS_lchown,
    libc::SYS_link,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_open,
    libc::SYS_pause,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_rmdir,
    libc::SYS_select,
    libc::SYS_signalfd,
    libc::SYS_stat,
    libc::SYS_symlink,
    libc::SYS_time,
    libc::SYS_unlink,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_OLD: &[i64] = &[];

/// Signals to processes. Without a process namespace or a Landlock scope they could reach the host's.
const SIGNALS: &[i64] = &[libc::SYS_kill, libc::SYS_tgkill, libc::SYS_tkill, libc::SYS_rt_sigqueueinfo];

/// Calls with a fall-back: answered as a kernel that does not have them would.
const ABSENT: &[i64] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_memfd_create,
    libc::SYS_fchmodat2,
    libc::SYS_pidfd_open,
    libc::SYS_mseal,
];

/// Namespace flags of `clone`.
const NAMESPACES: u64 = 0x7e02_0000;

/// Commands of `fcntl` and `ioctl` that say whom a file signals, and by what; the kernel's numbers.
const SET_OWNER: u64 = 8;
const SET_SIGNAL: u64 = 10;
const SET_OWNER_OF_KIND: u64 = 15;
const SET_OWNER_OF_SOCKET: [u64; 2] = [0x8901, 0x8902];

/// All processes of a user, for `setpriority`; the kernel's number.
const OF_USER: u64 = 2;

/// Calls that open files, and which of their arguments are the flags.
#[cfg(target_arch = "x86_64")]
const OPENING: &[(i64, u8)] = &[(libc::SYS_open, 1), (libc::SYS_openat, 2)];
#[cfg(not(target_arch = "x86_64"))]
const OPENING: &[(i64, u8)] = &[(libc::SYS_openat, 2)];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What is kept inside by other means than a filter of system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kept {
    /// The opening of files, at most: Landlock before its third version.
    Opening,
    /// The cutting of files as well: Landlock before its sixth version.
    Cuts,
    /// Signals as well: Landlock from then on, or a process namespace.
    Signals,
}

/// The filters of a kind of session, compiled: that takes longer than to install them.
#[derive(Debug)]
pub struct Filters {
    absent: BpfProgram,
    /// One for each of [`Kept`].
    opening: BpfProgram,
    cuts: BpfProgram,
    signals: BpfProgram,
}

impl Filters {
    /// Compiles them.
    ///
    /// # Errors
    /// On an architecture that is not supported.
    pub fn new(network: Network, tier: Tier) -> Result<Self, Failure> {
        let absent = ABSENT.iter().map(|call| (*call, Vec::new())).collect();
        let compile_allowed = |kept| compile(allowed(network, tier, kept)?, errno(libc::EPERM), SeccompAction::Allow);
        let compile_all = || {
            Ok::<_, io::Error>(Self {
                absent: compile(absent, SeccompAction::Allow, errno(libc::ENOSYS))?,
                opening: compile_allowed(Kept::Opening)?,
                cuts: compile_allowed(Kept::Cuts)?,
                signals: compile_allowed(Kept::Signals)?,
            })
        };
        compile_all().step("compile the filters of system calls")
    }

    /// Installs both filters in this process, for good.
    pub(crate) fn apply(&self, kept: Kept) -> Result<(), Failure> {
        let allowed = match kept {
            Kept::Opening => &self.opening,
            Kept::Cuts => &self.cuts,
            Kept::Signals => &self.signals,
        };
        for program in [&self.absent, allowed] {
            seccompiler::apply_filter(program).map_err(io::Error::other).step("install a filter of system calls")?;
        }
        Ok(())
    }
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.unsigned_abs())
}

fn compile(rules: Rules, otherwise: SeccompAction, listed: SeccompAction) -> io::Result<BpfProgram> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, otherwise, listed, architecture).map_err(io::Error::other)?;
    BpfProgram::try_from(filter).map_err(io::Error::other)
}

fn allowed(network: Network, tier: Tier, kept: Kept) -> io::Result<Rules> {
    let mut rules: Rules = ALLOWED.iter().chain(ALLOWED_OLD).chain(ABSENT).map(|call| (*call, Vec::new())).collect();
    if kept >= Kept::Signals {
        rules.extend(SIGNALS.iter().map(|call| (*call, Vec::new())));
        // To everybody: nobody needs it, and it would end the checkpoint too.
        rules.insert(libc::SYS_kill, vec![rule(0, SeccompCmpOp::Ne, 0xffff_ffff)?]);
    }
    if kept < Kept::Cuts {
        uncut(&mut rules)?;
    }
    itself(&mut rules)?;
    rules.insert(libc::SYS_clone, vec![rule(0, SeccompCmpOp::MaskedEq(NAMESPACES), 0)?]);
    sockets(&mut rules, network, tier)?;
    rules.insert(libc::SYS_personality, vec![rule(0, SeccompCmpOp::Eq, 0)?, rule(0, SeccompCmpOp::Eq, 0xffff_ffff)?]);
    // Not the terminal's ways to type for its owner or to change who that is, nor to have a socket signal somebody.
    let [owner, group] = SET_OWNER_OF_SOCKET;
    let refused = [libc::TIOCSTI, libc::TIOCLINUX, libc::TIOCSCTTY, owner, group];
    rules.insert(libc::SYS_ioctl, vec![none_of(1, &refused)?]);
    Ok(rules)
}

/// Landlock before its third version keeps a file from being opened for writing, and not from being cut: by its path,
/// or by being opened for reading.
fn uncut(rules: &mut Rules) -> io::Result<()> {
    rules.remove(&libc::SYS_truncate);
    // Its flags are in memory, where no filter sees them.
    rules.remove(&libc::SYS_openat2);
    let (cut, mode) = (libc::O_TRUNC as u64, libc::O_ACCMODE as u64);
    for (call, flags) in OPENING {
        let opens = [
            rule(*flags, SeccompCmpOp::MaskedEq(cut), 0)?,
            rule(*flags, SeccompCmpOp::MaskedEq(mode), libc::O_WRONLY as u64)?,
            rule(*flags, SeccompCmpOp::MaskedEq(mode), libc::O_RDWR as u64)?,
        ];
        rules.insert(*call, opens.into());
    }
    Ok(())
}

/// What a process may do to itself alone. Without a process namespace these calls reach all that the user runs, and with
/// one the supervisor: a process whose limits are set from outside can be ended, or kept from looking at others.
fn itself(rules: &mut Rules) -> io::Result<()> {
    // By its number; 0 is whoever calls.
    for call in [libc::SYS_prlimit64, libc::SYS_sched_setaffinity, libc::SYS_sched_setscheduler] {
        rules.insert(call, vec![rule(0, SeccompCmpOp::Eq, 0)?]);
    }
    let own = [condition(0, SeccompCmpOp::Ne, OF_USER)?, condition(1, SeccompCmpOp::Eq, 0)?];
    rules.insert(libc::SYS_setpriority, vec![SeccompRule::new(own.into()).map_err(io::Error::other)?]);
    rules.insert(libc::SYS_fcntl, vec![none_of(1, &[SET_OWNER, SET_SIGNAL, SET_OWNER_OF_KIND])?]);
    // Nobody looks into a process that has forbidden it, not even to measure its memory.
    rules.insert(libc::SYS_prctl, vec![rule(0, SeccompCmpOp::Ne, libc::PR_SET_DUMPABLE as u64)?]);
    Ok(())
}

/// With a file system and a network of its own a session may use Unix sockets, and the internet's on its
/// loopback. Without, there are pairs alone: Landlock does not keep a socket from connecting to the socket
/// files and, before its sixth version, the abstract names of the host. A pair is of a kind that is
/// connected for good, and cannot send elsewhere.
fn sockets(rules: &mut Rules, network: Network, tier: Tier) -> io::Result<()> {
    if tier == Tier::Namespaces {
        let internet: &[i32] = if network == Network::Loopback { &[libc::AF_INET, libc::AF_INET6] } else { &[] };
        let families = [libc::AF_UNIX].into_iter().chain(internet.iter().copied());
        let families = families.map(|family| rule(0, SeccompCmpOp::Eq, family as u64)).collect::<io::Result<_>>()?;
        rules.insert(libc::SYS_socket, families);
        rules.insert(libc::SYS_socketpair, vec![rule(0, SeccompCmpOp::Eq, libc::AF_UNIX as u64)?]);
        return Ok(());
    }
    for call in [libc::SYS_bind, libc::SYS_connect, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4] {
        rules.remove(&call);
    }
    // Above the kind are flags.
    let connected = [libc::SOCK_STREAM, libc::SOCK_SEQPACKET].map(|kind| {
        let family = condition(0, SeccompCmpOp::Eq, libc::AF_UNIX as u64)?;
        let kind = condition(1, SeccompCmpOp::MaskedEq(0xf), kind as u64)?;
        SeccompRule::new(vec![family, kind]).map_err(io::Error::other)
    });
    rules.insert(libc::SYS_socketpair, connected.into_iter().collect::<io::Result<_>>()?);
    Ok(())
}

/// Every value of an argument but these.
fn none_of(argument: u8, values: &[u64]) -> io::Result<SeccompRule> {
    let conditions = values.iter().map(|value| condition(argument, SeccompCmpOp::Ne, *value));
    SeccompRule::new(conditions.collect::<io::Result<_>>()?).map_err(io::Error::other)
}

fn rule(argument: u8, compare: SeccompCmpOp, value: u64) -> io::Result<SeccompRule> {
    SeccompRule::new(vec![condition(argument, compare, value)?]).map_err(io::Error::other)
}

fn condition(argument: u8, compare: SeccompCmpOp, value: u64) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value).map_err(io::Error::other)
}
