//! A guest program as a plug-in: the host calls its functions by name, passes data through guest memory, and stops it
//! when it takes too long. The plug-in is `docs/examples/plugin.c`.
//!
//! Run it with `cargo run --example plugin`.

use std::time::Duration;
use vm_engine_jit::{Error, Machine};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let image = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/plugin.elf");
    // Hard limits: this much memory, this many instructions, nothing of the host's environment.
    let mut plugin =
        Machine::builder().memory_limit(16 << 20).stack_size(64 << 10).fuel(1_000_000).clear_env().build()?;
    plugin.load(image, &["plugin"])?;

    println!("add(40, 2) = {}", plugin.call("add", &[40, 2])?);

    let buffer = plugin.process().and_then(|process| process.symbol("buffer")).ok_or("no symbol buffer")?;
    for (index, value) in (1..=5_u64).enumerate() {
        let addr = buffer + 8 * index as u64;
        plugin.memory().write(addr, &value.to_le_bytes()).map_err(|fault| format!("{fault:?}"))?;
    }
    println!("square_all(5) = {}", plugin.call("square_all", &[5])?);
    let squares: Result<Vec<u64>, _> =
        (0..5).map(|index| plugin.memory().read_u64(buffer + 8 * index)).collect();
    println!("the buffer is now {:?}", squares.map_err(|fault| format!("{fault:?}"))?);

    // Fuel stops a function that would not come back. The count is exact and the same on every machine.
    let before = plugin.stats().instructions;
    let result = plugin.call("spin", &[]);
    println!("spin() with fuel: {}", result.err().map_or("came back".to_string(), |error| error.to_string()));
    println!("it had {} instructions left", plugin.stats().instructions - before);

    // So does another thread.
    plugin.state_mut().set_fuel(u64::MAX);
    let stop = plugin.interrupt_handle();
    let timer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        stop.interrupt();
    });
    let stopped = plugin.call("spin", &[]).is_err();
    println!("spin() with a timer: {}", if stopped { "stopped" } else { "came back" });
    timer.join().map_err(|_| "the timer thread panicked")?;

    // And after all that the plug-in is as good as before.
    match plugin.call("no_such_function", &[]) {
        Err(Error::NoSymbol(name)) => println!("there is no {name}"),
        other => println!("unexpected: {other:?}"),
    }
    println!("add(1, 1) = {}", plugin.call("add", &[1, 1])?);
    Ok(())
}
