//! Choosing where a model runs.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use crate::ModelError;

/// Where a model is asked to run: `auto`, `cpu`, `wgpu`, `wgpu:N` or `wgpu:software`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU with this number, counted over discrete, then integrated, then virtual ones.
    Wgpu(usize),
    /// A software implementation of a graphics API: slow, for tests of the GPU path without a GPU.
    WgpuSoftware,
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Wgpu(number) => write!(formatter, "wgpu:{number}"),
            Self::WgpuSoftware => formatter.write_str("wgpu:software"),
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
            Some(("wgpu", "software")) => Ok(Self::WgpuSoftware),
            Some(("wgpu", number)) if number.parse::<usize>().is_ok() => {
                Ok(Self::Wgpu(number.parse().unwrap_or_default()))
            }
            _ => Err(ModelError::Device {
                device: text.to_owned(),
                reason: "there is no such name; use auto, cpu, wgpu, wgpu:N or wgpu:software".to_owned(),
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
            DeviceChoice::Auto => Ok(gpu::open(0).unwrap_or_else(Self::cpu)),
            DeviceChoice::Wgpu(number) => gpu::open(number).ok_or_else(|| unusable(choice, gpu::NO_GPU)),
            DeviceChoice::WgpuSoftware => gpu::open_software().ok_or_else(|| unusable(choice, gpu::NO_SOFTWARE)),
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

fn unusable(choice: DeviceChoice, reason: &str) -> ModelError {
    ModelError::Device { device: choice.to_string(), reason: reason.to_owned() }
}

#[cfg(feature = "wgpu")]
mod gpu {
    use std::sync::{Mutex, OnceLock, PoisonError};

    use burn::tensor::wgpu::WgpuBackend;
    use burn::tensor::{Device, DeviceKind};

    use super::ComputeDevice;

    pub(super) const NO_GPU: &str = "no such GPU was found; use cpu or auto, or install its Vulkan driver";
    pub(super) const NO_SOFTWARE: &str =
        "no software driver was found; install one (Debian, Ubuntu: `apt-get install mesa-vulkan-drivers`)";

    /// The kinds of adapters that are real GPUs, in the order in which they are counted.
    const KINDS: [fn(usize) -> DeviceKind; 3] =
        [DeviceKind::DiscreteGpu, DeviceKind::IntegratedGpu, DeviceKind::VirtualGpu];

    /// The GPUs opened so far, and where to look for the next: burn lets a device be initialised once a
    /// process, so that each has to be kept.
    struct Search {
        found: Vec<ComputeDevice>,
        kind: usize,
        index: usize,
    }

    /// Opens the GPU with this number; software implementations do not count.
    pub(super) fn open(number: usize) -> Option<ComputeDevice> {
        static SEARCH: Mutex<Search> = Mutex::new(Search { found: Vec::new(), kind: 0, index: 0 });
        let mut search = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
        while search.found.len() <= number {
            let kind = KINDS.get(search.kind)?;
            match initialise(kind(search.index)) {
                Some(device) => {
                    search.found.push(device);
                    search.index += 1;
                }
                None => {
                    search.kind += 1;
                    search.index = 0;
                }
            }
        }
        search.found.get(number).cloned()
    }

    /// Opens a software implementation.
    pub(super) fn open_software() -> Option<ComputeDevice> {
        static SOFTWARE: OnceLock<Option<ComputeDevice>> = OnceLock::new();
        SOFTWARE.get_or_init(|| initialise(DeviceKind::Cpu)).clone()
    }

    fn initialise(kind: DeviceKind) -> Option<ComputeDevice> {
        // On Linux the automatic choice would also load OpenGL, which is of no use here.
        let api = if cfg!(target_os = "linux") { WgpuBackend::Vulkan } else { WgpuBackend::Auto };
        let (device, setup) = Device::wgpu_options().device_kind(kind).graphics_api(api).init_with_setup().ok()?;
        Some(ComputeDevice { device, name: setup.adapter.get_info().name, is_cpu: false })
    }
}

#[cfg(not(feature = "wgpu"))]
mod gpu {
    use super::ComputeDevice;

    pub(super) const NO_GPU: &str = "this build has no GPU support; use cpu, or build with the feature `wgpu`";
    pub(super) const NO_SOFTWARE: &str = NO_GPU;

    pub(super) fn open(_: usize) -> Option<ComputeDevice> {
        None
    }

    pub(super) fn open_software() -> Option<ComputeDevice> {
        None
    }
}
