//! The interfaces of this machine.

use std::net::IpAddr;
use std::path::Path;

use pcap::Device;

use super::SourceError;

/// Linux' name for all interfaces together.
pub const ANY: &str = "any";

/// An interface that can be captured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// `eth0`, `any`.
    pub name: String,
    /// What libpcap says about it.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it is up.
    pub up: bool,
    /// Whether it is a loopback.
    pub loopback: bool,
    /// Packets received and sent since boot, where the system tells: a hint where the traffic is.
    pub packets: Option<u64>,
}

/// All interfaces, in libpcap's order: the most useful first. Without permission to capture the list may be short.
pub fn list() -> Result<Vec<DeviceInfo>, SourceError> {
    let devices = Device::list().map_err(|error| SourceError::Device {
        device: "The list of interfaces".to_owned(),
        why: super::live::in_words(&error),
        here: "unknown".to_owned(),
    })?;
    let captured = devices.into_iter().filter(|device| is_network(&device.name));
    Ok(captured.map(DeviceInfo::from).collect())
}

/// libpcap lists message buses, USB and Bluetooth too, which carry no SIP.
fn is_network(name: &str) -> bool {
    !["bluetooth", "dbus-", "nflog", "nfqueue", "usbmon"].iter().any(|prefix| name.starts_with(prefix))
}

impl From<Device> for DeviceInfo {
    fn from(device: Device) -> Self {
        Self {
            packets: packets(&device.name),
            up: device.flags.is_up(),
            loopback: device.flags.is_loopback(),
            addresses: device.addresses.iter().map(|address| address.addr).collect(),
            description: device.desc,
            name: device.name,
        }
    }
}

/// Packets that passed an interface, from the kernel's statistics.
fn packets(name: &str) -> Option<u64> {
    let statistics = Path::new("/sys/class/net").join(name).join("statistics");
    let count = |file: &str| std::fs::read_to_string(statistics.join(file)).ok()?.trim().parse::<u64>().ok();
    Some(count("rx_packets")?.saturating_add(count("tx_packets")?))
}

/// The interfaces' names with commas, for error messages.
pub fn names() -> String {
    match list() {
        Ok(devices) if !devices.is_empty() => {
            devices.into_iter().map(|device| device.name).collect::<Vec<_>>().join(", ")
        }
        _ => "none that may be captured on".to_owned(),
    }
}

/// Whether an interface is up. What cannot be asked counts as up: capture itself will tell.
pub(super) fn is_up(name: &str) -> bool {
    match Device::list() {
        Ok(devices) if name != ANY => devices.iter().any(|device| device.name == name && device.flags.is_up()),
        _ => true,
    }
}

/// Where to capture when nothing is said: all interfaces on Linux, elsewhere what libpcap puts first.
pub fn default_device() -> String {
    if cfg!(target_os = "linux") {
        return ANY.to_owned();
    }
    let first = Device::lookup().ok().flatten();
    first.map_or_else(|| ANY.to_owned(), |device| device.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_buses_are_no_networks() {
        assert!(is_network("eth0") && is_network("any") && is_network("lo"));
        assert!(!is_network("dbus-system") && !is_network("usbmon1"));
    }

    #[test]
    fn an_unknown_interface_has_no_traffic_hint() {
        assert_eq!(packets("no-such-interface"), None);
    }
}
