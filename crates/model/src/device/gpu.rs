//! GPUs through wgpu: finding, counting and opening them.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::wgpu::wgpu::{Backends, DeviceType, Instance, InstanceDescriptor};
use burn::tensor::{Device, DeviceKind};
use futures_util::FutureExt as _;

use super::{ComputeDevice, Precision};

pub(super) const NO_GPU: &str = "no such GPU was found; use cpu or auto, or install its Vulkan driver";
pub(super) const NO_SOFTWARE: &str =
    "no software driver was found; install one (Debian, Ubuntu: `apt-get install mesa-vulkan-drivers`)";

/// How burn names the GPU with this number among those of its type.
type KindOf = fn(usize) -> DeviceKind;

/// The types of adapters that are real GPUs, in the order in which they are counted.
const TYPES: [(DeviceType, KindOf); 3] = [
    (DeviceType::DiscreteGpu, DeviceKind::DiscreteGpu),
    (DeviceType::IntegratedGpu, DeviceKind::IntegratedGpu),
    (DeviceType::VirtualGpu, DeviceKind::VirtualGpu),
];

/// What was found and opened so far: burn lets a device be initialised once a process, so that each is kept.
/// One lock for all of it, because Vulkan's loader does not bear several threads that create instances.
struct Known {
    gpus: Option<Vec<DeviceKind>>,
    opened: Vec<(DeviceKind, Option<ComputeDevice>)>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { gpus: None, opened: Vec::new() });

/// Opens the GPU with this number; software implementations do not count.
pub(super) fn open(number: usize) -> Option<ComputeDevice> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let kind = known.gpus.get_or_insert_with(gpus).get(number)?.clone();
    known.open(kind)
}

/// Opens a software implementation.
pub(super) fn open_software() -> Option<ComputeDevice> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).open(DeviceKind::Cpu)
}

impl Known {
    fn open(&mut self, kind: DeviceKind) -> Option<ComputeDevice> {
        if let Some((_, device)) = self.opened.iter().find(|(opened, _)| *opened == kind) {
            return device.clone();
        }
        let device = initialise(kind.clone());
        self.opened.push((kind, device.clone()));
        device
    }
}

/// All real GPUs.
fn gpus() -> Vec<DeviceKind> {
    if !has_gpu_nodes() {
        return Vec::new();
    }
    let backends = if cfg!(target_os = "linux") { Backends::VULKAN } else { Backends::PRIMARY };
    let instance = Instance::new(InstanceDescriptor { backends, ..InstanceDescriptor::new_without_display_handle() });
    // The answer is at hand at once, except in browsers.
    let adapters = instance.enumerate_adapters(backends).now_or_never().unwrap_or_default();
    let types: Vec<DeviceType> = adapters.iter().map(|adapter| adapter.get_info().device_type).collect();
    let of_type = |(wanted, kind): (DeviceType, KindOf)| {
        let count = types.iter().filter(|&&found| found == wanted).count();
        (0..count).map(kind)
    };
    TYPES.into_iter().flat_map(of_type).collect()
}

/// Whether the system has a device that a Vulkan driver could drive. Without one, drivers are not even loaded:
/// that takes time, and on a server without a desktop some write complaints to stderr.
fn has_gpu_nodes() -> bool {
    let nodes = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg", "/dev/kgsl-3d0", "/dev/mali0"];
    !cfg!(target_os = "linux") || nodes.iter().any(|node| Path::new(node).exists())
}

fn initialise(kind: DeviceKind) -> Option<ComputeDevice> {
    // On Linux the automatic choice would also load OpenGL, which is of no use here.
    let api = if cfg!(target_os = "linux") { WgpuBackend::Vulkan } else { WgpuBackend::Auto };
    let (device, setup) = Device::wgpu_options().device_kind(kind).graphics_api(api).init_with_setup().ok()?;
    let limits = setup.device.limits();
    let limit = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    Some(ComputeDevice {
        device,
        name: setup.adapter.get_info().name,
        is_cpu: false,
        precision: Precision::Auto,
        binding_limit: usize::try_from(limit).unwrap_or(usize::MAX),
    })
}
