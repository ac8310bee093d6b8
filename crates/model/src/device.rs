//! Choosing where a model runs.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use crate::ModelError;

/// Where a model is asked to run: `auto`, `cpu`, `wgpu` or `wgpu:N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU with this number, counted over discrete, then integrated, then virtual ones.
    Wgpu(usize),
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Wgpu(number) => write!(formatter, "wgpu:{number}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "wgpu" => Ok(Self::Wgpu(0)),
            Some(("wgpu", number)) if number.parse::<usize>().is_ok() => {
                Ok(Self::Wgpu(number.parse().unwrap_or_default()))
            }
            _ => Err(ModelError::Device {
                device: text.to_owned(),
                reason: "there is no such name; use auto, cpu, wgpu or wgpu:N".to_owned(),
            }),
        }
    }
}

/// An opened device.
#[derive(Clone, Debug)]
pub struct ComputeDevice {
    pub(crate) device: Device,
    name: String,
    is_cpu: bool,
}

impl ComputeDevice {
    /// Opens the chosen device.
    ///
    /// # Errors
    /// [`ModelError::Device`] when a GPU was asked for that is not there, or not in this build. A
    /// device that opens is usable: nothing is left to panic later for want of a driver.
    pub fn open(choice: DeviceChoice) -> Result<Self, ModelError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Auto => Ok(gpu::open(0).unwrap_or_else(|_| Self::cpu())),
            DeviceChoice::Wgpu(number) => {
                gpu::open(number).map_err(|reason| ModelError::Device { device: choice.to_string(), reason })
            }
        }
    }

    /// The CPU, through burn's `flex` backend.
    pub fn cpu() -> Self {
        Self { device: Device::flex(), name: "cpu".to_owned(), is_cpu: true }
    }

    /// Name for people: `cpu`, or the GPU's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the CPU.
    pub fn is_cpu(&self) -> bool {
        self.is_cpu
    }
}

#[cfg(feature = "wgpu")]
mod gpu {
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};

    use burn::tensor::{Device, DeviceKind};

    use super::ComputeDevice;

    /// Devices opened so far: burn lets a device be initialised once a process.
    static OPENED: Mutex<Option<HashMap<usize, ComputeDevice>>> = Mutex::new(None);

    /// Opens the GPU with this number; software rasterisers do not count as GPUs.
    pub(super) fn open(number: usize) -> Result<ComputeDevice, String> {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = opened.get_or_insert_default();
        if let Some(device) = opened.get(&number) {
            return Ok(device.clone());
        }
        let mut skip = number;
        for kind in [DeviceKind::DiscreteGpu, DeviceKind::IntegratedGpu, DeviceKind::VirtualGpu] {
            for index in 0.. {
                let Ok((device, setup)) = Device::wgpu_options().device_kind(kind(index)).init_with_setup() else {
                    break;
                };
                if skip == 0 {
                    let name = setup.adapter.get_info().name;
                    let device = ComputeDevice { device, name, is_cpu: false };
                    opened.insert(number, device.clone());
                    return Ok(device);
                }
                skip -= 1;
            }
        }
        Err("no such GPU was found; use cpu or auto, or install its Vulkan driver".to_owned())
    }
}

#[cfg(not(feature = "wgpu"))]
mod gpu {
    use super::ComputeDevice;

    pub(super) fn open(_: usize) -> Result<ComputeDevice, String> {
        Err("this build has no GPU support; use cpu, or build with the feature `wgpu`".to_owned())
    }
}
