//! Takes containers apart, whoever has signed them.

#![no_main]

use dispense_signing::outline;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(found) = outline(bytes)
        && let Some(document) = found.document
    {
        assert!(document.is_empty() || bytes.windows(document.len()).any(|it| it == document));
    }
});

fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let broken = if seed % 4 == 0 { None } else { dispense_fuzz::broken(&bytes[..size], seed) };
    match broken.filter(|it| it.len() <= max_size) {
        Some(broken) => {
            bytes[..broken.len()].copy_from_slice(&broken);
            broken.len()
        }
        None => fuzzer_mutate(bytes, size, max_size),
    }
});
