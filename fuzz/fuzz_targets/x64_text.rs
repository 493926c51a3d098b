#![no_main]
#[allow(dead_code, reason = "shared with tests/encoders.rs")]
#[path = "../../tests/encoders/oracle.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::check_bytes(data));
