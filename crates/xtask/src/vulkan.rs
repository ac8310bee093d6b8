//! Mesa's software Vulkan, on which the GPU path is tested where there is no GPU.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use crate::process;

/// Makes sure that it is there; only Linux has it.
pub(crate) fn require_software_driver() -> Result<()> {
    if !cfg!(target_os = "linux") || is_installed() {
        return Ok(());
    }
    eprintln!("xtask: installing Mesa's software Vulkan (mesa-vulkan-drivers)");
    for arguments in [&["update", "--quiet"][..], &["install", "--yes", "--quiet", "mesa-vulkan-drivers"]] {
        let mut install = Command::new("apt-get");
        install.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        if process::run(&mut install).is_err() {
            break;
        }
    }
    if is_installed() {
        return Ok(());
    }
    bail!(
        "the GPU tests need Mesa's software Vulkan, and it could not be installed: run \
         `sudo apt-get install mesa-vulkan-drivers` (Debian, Ubuntu) or \
         `sudo dnf install mesa-vulkan-drivers` (Fedora)"
    )
}

/// Whether a manifest of the driver (lavapipe) lies where Vulkan's loader looks.
fn is_installed() -> bool {
    ["/usr/share", "/usr/local/share", "/etc"].iter().any(|folder| {
        let manifests = Path::new(folder).join("vulkan/icd.d").read_dir();
        manifests.is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("lvp_icd")))
        })
    })
}
