//! A datagram of HEP of any version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sipwatch::limits::SIP_MESSAGE_BYTES;
use sipwatch::net::hep::{is_version_3, version_1_or_2, version_3};

fuzz_target!(|input: &[u8]| {
    if is_version_3(input) {
        if let Ok(hep) = version_3(input) {
            assert!(hep.payload.len() <= SIP_MESSAGE_BYTES + 1);
        }
        assert!(version_1_or_2(input).is_none());
    } else if let Some(hep) = version_1_or_2(input) {
        assert!(hep.payload.len() < input.len());
    }
});
