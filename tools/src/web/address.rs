//! Which addresses belong to the public internet.
//!
//! The others are those of IANA's registries of special-purpose addresses that are not globally
//! reachable, multicast, and what is reserved: this machine, the networks around it, and the services
//! that clouds offer to their machines, credentials among them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Azure's services for its machines, the one such address in a public range.
const AZURE_HOST: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Whether a tool may connect there when nothing else is said.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network; private; this machine; link-local with the metadata services; private; private.
        [0 | 10 | 127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..] => true,
        // Shared by carriers (and Alibaba's metadata); protocol assignments (and Oracle's).
        [100, 64..=127, ..] | [192, 0, 0, _] => true,
        // Documentation; a relay that is no more; benchmarks.
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => address == AZURE_HOST,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Translated to IPv4 by the network (NAT64), so that the address within counts.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Protocol assignments with Teredo; documentation, old and new; 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2002, ..] => false,
        // The rest of what is assigned as global unicast. Unspecified, loopback, IPv4-mapped, unique
        // local, link-local and multicast addresses are all outside of it.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// IANA's special-purpose registries (entries that are not globally reachable), multicast, reserved,
    /// and a cloud's address: the beginning of a block and how many of its bits are fixed.
    const SPECIAL: [(&str, u32); 35] = [
        ("0.0.0.0", 8),
        ("10.0.0.0", 8),
        ("100.64.0.0", 10),
        ("127.0.0.0", 8),
        ("168.63.129.16", 32),
        ("169.254.0.0", 16),
        ("172.16.0.0", 12),
        ("192.0.0.0", 24),
        ("192.0.2.0", 24),
        ("192.88.99.0", 24),
        ("192.168.0.0", 16),
        ("198.18.0.0", 15),
        ("198.51.100.0", 24),
        ("203.0.113.0", 24),
        ("224.0.0.0", 4),
        ("240.0.0.0", 4),
        ("255.255.255.255", 32),
        ("::", 128),
        ("::1", 128),
        ("::", 96),
        ("::ffff:0:0", 96),
        ("64:ff9b:1::", 48),
        ("64:ff9b::7f00:0", 104),
        ("64:ff9b::a9fe:0", 112),
        ("100::", 64),
        ("100:0:0:1::", 64),
        ("2001::", 23),
        ("2001:db8::", 32),
        ("2002::", 16),
        ("3fff::", 20),
        ("5f00::", 16),
        ("fc00::", 7),
        ("fe80::", 10),
        ("fec0::", 10),
        ("ff00::", 8),
    ];

    /// The address that begins as the block does and goes on with the bits of `rest`.
    fn in_block((beginning, fixed): (&str, u32), rest: u128) -> Option<IpAddr> {
        Some(match beginning.parse().ok()? {
            IpAddr::V4(v4) => {
                let free = u32::MAX.checked_shr(fixed).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() | (rest as u32 & free)))
            }
            IpAddr::V6(v6) => {
                let free = u128::MAX.checked_shr(fixed).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() | (rest & free)))
            }
        })
    }

    proptest! {
        #[test]
        fn no_special_address_is_public(block in prop::sample::select(&SPECIAL[..]), rest: u128) {
            prop_assert_eq!(in_block(block, rest).map(is_public), Some(false));
        }

        #[test]
        fn no_mapped_address_is_public(bits: u32) {
            prop_assert!(!is_public(IpAddr::V6(Ipv4Addr::from_bits(bits).to_ipv6_mapped())));
        }
    }

    #[test]
    fn the_neighbours_of_special_blocks_are_public() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "64:ff9b::808:808",
            "2001:200::",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2003::",
            "3ffe::",
        ];
        for address in public {
            assert_eq!(address.parse().map(is_public), Ok(true), "{address}");
        }
        assert_eq!("4000::".parse().map(is_public), Ok(false));
    }
}
