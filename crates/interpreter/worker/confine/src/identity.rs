//! Who a session is: one unprivileged user, alone in its user namespace.

use std::fs;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::failure::{Failure, Step};

/// User and group of everything inside.
pub const INNER_ID: u32 = 1000;

/// The user that stands for root when root starts a session: it owns nothing.
const NOBODY: u32 = 65_533;

/// In a new user namespace: `outside`, which made it, is [`INNER_ID`] inside; nobody else is mapped.
pub(crate) fn map(outside: (Uid, Gid)) -> Result<(), Failure> {
    let write = |file: &str, text: String| {
        fs::write(format!("/proc/self/{file}"), text).step(format!("write {file} of a user namespace"))
    };
    write("setgroups", "deny".into())?;
    write("uid_map", format!("{INNER_ID} {} 1", outside.0.as_raw()))?;
    write("gid_map", format!("{INNER_ID} {} 1", outside.1.as_raw()))
}

/// From root to a user that owns nothing, for good.
pub(crate) fn leave_root() -> Result<(), Failure> {
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    set_thread_groups(&[]).step("leave the groups of root")?;
    set_thread_res_gid(group, group, group).step("leave the group of root")?;
    set_thread_res_uid(user, user, user).step("become an unprivileged user")?;
    // A change of user hides /proc/self, which the maps of a user namespace are written through.
    set_dumpable_behavior(DumpableBehavior::Dumpable).step("make /proc/self readable again")
}
