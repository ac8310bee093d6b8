//! No capabilities, now or ever.

use rustix::thread::{
    CapabilitySet, CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::failure::{Failure, Step};

/// Gives up every capability and the way to get one back.
pub(crate) fn drop_all() -> Result<(), Failure> {
    for number in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        // The first number that this kernel does not know ends the list.
        match capability_is_in_bounding_set(capability) {
            Err(_) => break,
            // Without CAP_SETPCAP the bounding set stays, and is of no use under no_new_privs.
            Ok(true) => drop(remove_capability_from_bounding_set(capability)),
            Ok(false) => {}
        }
    }
    clear_ambient_capability_set().step("clear the ambient capabilities")?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .step("drop the capabilities")?;
    set_no_new_privs(true).step("forbid new privileges")
}
