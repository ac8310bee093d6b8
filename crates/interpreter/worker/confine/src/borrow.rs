//! A process that borrows its parent's memory, as after `vfork`, and forks from there.
//!
//! Copying the page tables of a Python with its libraries costs milliseconds, and so does throwing a copy
//! away. A session is two processes more than there were (supervisor and kernel), a checkpoint one with
//! no parent of its own; done by plain forks that is a copy or two too many. Here the process in between
//! has no copy: it runs in its parent's memory while the parent stands still, forks the one process that
//! is wanted, through the C library and all that hooks into it, and ends or becomes another program.

#![expect(unsafe_code, reason = "no library offers vfork, because a function that returns twice cannot be safe")]

use std::arch::naked_asm;
use std::ffi::{c_long, c_ulong, c_void};
use std::io;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Where the caller goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Borrowed {
    /// In the process that called, with the id of the one in between.
    Lender(Pid),
    /// In the process that the one in between forked.
    Descendant,
}

/// Runs `between` in a new process, in new namespaces if `flags` say so, that shares this one's memory but
/// not its descriptors; this thread stands still until that process has ended or become another program.
///
/// # Errors
/// As `clone`.
///
/// # Safety
/// `between` must not return in the process that it is called in, nor unwind: it ends the process,
/// replaces it, or forks, and returns in the fork alone. What it leaves changed in memory is changed for
/// this process too.
pub unsafe fn borrow<F: FnOnce()>(flags: UnshareFlags, between: F) -> io::Result<Borrowed> {
    extern "C" fn call<F: FnOnce()>(between: *mut c_void) {
        // SAFETY: it is the `Option<F>` below, which outlives the call; nobody else looks at it meanwhile.
        if let Some(between) = unsafe { &mut *between.cast::<Option<F>>() }.take() {
            between();
        }
    }
    let flags = c_ulong::from(flags.bits()) | (libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD) as c_ulong;
    let mut between = Some(between);
    // SAFETY: the callback fits its argument; that it returns in a fork alone is the caller's promise.
    let id = unsafe { clone_and_call(flags, call::<F>, (&raw mut between).cast()) };
    match i32::try_from(id) {
        Ok(0) => Ok(Borrowed::Descendant),
        Ok(id) if id > 0 => Pid::from_raw(id).map(Borrowed::Lender).ok_or_else(|| io::ErrorKind::InvalidData.into()),
        Ok(error) => Err(io::Error::from_raw_os_error(-error)),
        Err(_) => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// `clone` on the caller's own stack; in the new process `callback(argument)`, which uses the stack
/// below, and then 0. In the caller the number of the process, or an error number below 0.
///
/// In assembly so that nothing above the stack pointer is written between the two returns.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn clone_and_call(
    flags: c_ulong,
    callback: extern "C" fn(*mut c_void),
    argument: *mut c_void,
) -> c_long {
    naked_asm!(
        "mov r9, rsi",
        "mov r8, rdx",
        "xor esi, esi",
        "xor edx, edx",
        "xor r10d, r10d",
        "mov eax, {clone}",
        "syscall",
        "test rax, rax",
        "jnz 2f",
        "sub rsp, 8",
        "mov rdi, r8",
        "call r9",
        "add rsp, 8",
        "xor eax, eax",
        "2:",
        "ret",
        clone = const libc::SYS_clone,
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn clone_and_call(
    flags: c_ulong,
    callback: extern "C" fn(*mut c_void),
    argument: *mut c_void,
) -> c_long {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x9, x1",
        "mov x10, x2",
        "mov x1, xzr",
        "mov x2, xzr",
        "mov x3, xzr",
        "mov x4, xzr",
        "mov x8, {clone}",
        "svc #0",
        "cbnz x0, 2f",
        "mov x0, x10",
        "blr x9",
        "mov x0, xzr",
        "2:",
        "ldp x29, x30, [sp], #16",
        "ret",
        clone = const libc::SYS_clone,
    )
}

#[cfg(target_arch = "riscv64")]
#[unsafe(naked)]
unsafe extern "C" fn clone_and_call(
    flags: c_ulong,
    callback: extern "C" fn(*mut c_void),
    argument: *mut c_void,
) -> c_long {
    naked_asm!(
        "addi sp, sp, -16",
        "sd ra, 8(sp)",
        "mv t0, a1",
        "mv t1, a2",
        "li a1, 0",
        "li a2, 0",
        "li a3, 0",
        "li a4, 0",
        "li a7, {clone}",
        "ecall",
        "bnez a0, 2f",
        "mv a0, t1",
        "jalr t0",
        "li a0, 0",
        "2:",
        "ld ra, 8(sp)",
        "addi sp, sp, 16",
        "ret",
        clone = const libc::SYS_clone,
    )
}
