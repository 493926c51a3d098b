#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vm_engine_jit::testing::fuzz::passes(data));
