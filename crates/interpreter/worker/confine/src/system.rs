//! The system calls that no safe wrapper offers.

#![expect(unsafe_code, reason = "these have no safe wrapper, or none that does what is needed here")]

use std::ffi::{CStr, CString, c_char, c_int, c_ulong};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The new process.
    Child,
    /// The old process, with the id of the new one.
    Parent(Pid),
}

/// Forks into new namespaces. `flags` are those of `clone` for namespaces; none is a plain fork.
///
/// The child is a copy with this thread alone, and neither the C library nor what hooks into its forks is
/// told: for programs that run one thread and will soon become another program.
///
/// # Errors
/// As `clone`.
pub fn fork_into(flags: UnshareFlags) -> io::Result<Fork> {
    let flags = c_ulong::from(flags.bits()) | libc::SIGCHLD as c_ulong;
    // SAFETY: without CLONE_VM and with a null stack this is a fork: the child goes on with its own copy
    // of this stack, and no memory is shared. The other arguments are ignored for these flags.
    let id = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    side(id as c_int)
}

/// Forks through the C library, which puts its own state in order in the child.
///
/// # Errors
/// As `fork`.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: the caller's other threads do not exist in the child; what the child may then do is the
    // same as in any program that forks through the C library.
    side(unsafe { libc::fork() })
}

fn side(id: c_int) -> io::Result<Fork> {
    match id {
        0 => Ok(Fork::Child),
        id => Pid::from_raw(id).filter(|_| id > 0).map(Fork::Parent).ok_or_else(io::Error::last_os_error),
    }
}

/// Stops every other process of a namespace whose first process this is, all at one time.
///
/// # Errors
/// When this is not the first process of a namespace: then it would stop the processes of others.
pub fn stop_all_others() -> io::Result<()> {
    if !rustix::process::getpid().is_init() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // SAFETY: `kill` has no requirement on memory; whom it reaches is checked above.
    if unsafe { libc::kill(-1, libc::SIGSTOP) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes the control group that this process is in the root of those that it sees.
///
/// # Errors
/// As `unshare`.
pub fn hide_control_groups() -> io::Result<()> {
    // SAFETY: no memory and no descriptors become private to a thread by this flag, only a view of the system.
    Ok(unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWCGROUP) }?)
}

/// Ends this process at once: no destructor, no exit handler.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` only ends the process.
    unsafe { libc::_exit(code) }
}

/// Replaces this process by the program that is open as `program`, without an environment. Returns only
/// when it fails; allocates nothing.
pub fn execute<const N: usize>(program: impl AsFd, arguments: [&CStr; N]) -> io::Error {
    const MOST: usize = 4;
    const { assert!(N < MOST, "the list of arguments ends in null") };
    let mut pointers = [ptr::null::<c_char>(); MOST];
    for (pointer, argument) in pointers.iter_mut().zip(arguments) {
        *pointer = argument.as_ptr();
    }
    let environment = [ptr::null::<c_char>()];
    // SAFETY: the path is an empty C string, both arrays end in null and outlive the call, and so do the
    // strings that they point to.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_fd().as_raw_fd(),
            c"".as_ptr(),
            pointers.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    io::Error::last_os_error()
}

/// Adds attributes, as numbered by the kernel, to the mount that is open as `tree`, and to all mounts
/// below it if `recursive`.
///
/// # Errors
/// As `mount_setattr`.
pub fn restrict_mount(tree: impl AsFd, attributes: u64, recursive: bool) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string, and the structure is passed with its own size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Cuts the file at `path` to nothing, without opening it.
///
/// # Errors
/// As `truncate`.
pub fn truncate(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a C string that outlives the call.
    if unsafe { libc::truncate(path.as_ptr(), 0) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Brings up the loopback interface of this network namespace.
///
/// # Errors
/// As `ioctl`.
pub fn raise_loopback() -> io::Result<()> {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)?;
    // SAFETY: `ifreq` is plain data, for which zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as c_char;
    request.ifr_name[1] = b'o' as c_char;
    request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes a descriptor that this process was started with.
///
/// # Errors
/// When there is none of this number.
pub fn inherit(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD only asks whether the descriptor exists.
    if number < 0 || unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it exists, and the program that started this one handed it over.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&descriptor, rustix::io::FdFlags::CLOEXEC)?;
    Ok(descriptor)
}

/// Closes every descriptor but the three standard ones and `kept`, of which a copy has number 3.
///
/// For a process that has just been forked and never returns to what it was: whatever owned descriptors
/// in the old process, `kept` too, is a value that this one never drops nor uses again.
///
/// # Errors
/// As `dup3` and `close_range`.
pub fn close_all_but(kept: &OwnedFd) -> io::Result<OwnedFd> {
    const FIRST: RawFd = 3;
    let number = kept.as_raw_fd();
    // SAFETY: number 3 either is `kept` or belongs to a value that is never used again, see above.
    if number != FIRST && unsafe { libc::dup3(number, FIRST, libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above, for the numbers from 4.
    if unsafe { libc::syscall(libc::SYS_close_range, FIRST + 1, u32::MAX, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: number 3 is open now, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(FIRST) })
}
