#![no_main]
#[allow(dead_code, reason = "shared with tests/encoders.rs")]
#[path = "../../tests/encoders/program.rs"]
mod program;

libfuzzer_sys::fuzz_target!(|data: &[u8]| program::check_bytes(data));
