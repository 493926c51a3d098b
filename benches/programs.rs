//! Whole programs, natively compiled, under qemu-riscv64 and under `vmjit`: builds every source of
//! `benches/programs`, runs all contenders in interleaved rounds, and prints medians as ratios.
//!
//! ```text
//! cargo bench --bench programs -- [--rounds N] [--only NAME[,NAME…]] [--tiers a,b] [--size S|M|L] [--markdown FILE]
//! ```
//!
//! A tier may leave passes out: `o2!memory` is o2 without the pass `memory`, to see what that is worth.
//!
//! Interleaved (each round runs every program on every contender once), so that a slow minute of the machine hits
//! all contenders alike. All times are of whole processes, start included.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

mod support;
use support::{geometric_mean, median, progress, tools, vmjit};

/// The programs that compute with `double`; all others are counted as integer programs.
const FLOATING_POINT: &[&str] = &["fft", "mandelbrot", "matmul", "nbody", "spectral"];

/// What the command line asks for.
struct Options {
    rounds: usize,
    only: Vec<String>,
    tiers: Vec<String>,
    size: char,
    markdown: Option<PathBuf>,
}

/// One way of running a program.
struct Contender {
    name: String,
    /// Command and options before the program; empty for native runs.
    launcher: Vec<PathBuf>,
    native: bool,
}

struct Program {
    name: String,
    native: PathBuf,
    guest: PathBuf,
    /// Seconds by contender and round.
    seconds: Vec<Vec<f64>>,
    output: Option<Vec<u8>>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("programs: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let Some(options) = parse(std::env::args().skip(1))? else {
        // `cargo test --benches` runs this without `--bench`: there is nothing to test here.
        return Ok(());
    };
    let contenders = contenders(&options)?;
    let mut programs = build(&options)?;
    for round in 0..options.rounds {
        for program in &mut programs {
            for (index, contender) in contenders.iter().enumerate() {
                progress(&format!(
                    "round {}/{} {} {}",
                    round + 1,
                    options.rounds,
                    program.name,
                    contender.name
                ));
                run_once(program, contender, index, options.size)?;
            }
        }
    }
    progress("");
    let report = report(&programs, &contenders, &options)?;
    print!("{report}");
    match &options.markdown {
        Some(file) => write_between_markers(file, &report),
        None => Ok(()),
    }
}

fn parse(words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options =
        Options { rounds: 5, only: Vec::new(), tiers: vec!["interp".to_owned()], size: 'M', markdown: None };
    let mut measuring = false;
    let mut words = words;
    let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    while let Some(word) = words.next() {
        if word == "--bench" {
            measuring = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word}: unknown, or its value is missing"))?;
        match word.as_str() {
            "--rounds" => {
                options.rounds = value.parse().map_err(|_| format!("--rounds {value}: not a number"))?
            }
            "--only" => options.only = list(value),
            "--tiers" => options.tiers = list(value),
            "--markdown" => options.markdown = Some(PathBuf::from(value)),
            "--size" if ["S", "M", "L"].contains(&value.as_str()) => {
                options.size = value.chars().next().unwrap_or('M');
            }
            _ => return Err(format!("{word} {value}: unknown option or value")),
        }
    }
    if options.rounds == 0 {
        return Err("--rounds 0: nothing to measure".to_owned());
    }
    Ok(measuring.then_some(options))
}

/// The programs' argument: percent of their default length.
fn percent(size: char) -> &'static str {
    match size {
        'S' => "10",
        'L' => "600",
        _ => "100",
    }
}

fn qemu() -> Result<PathBuf, String> {
    let path = tools().join("bin/qemu-riscv64");
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("missing {}: run tests/setup.sh first", path.display()))
    }
}

fn contenders(options: &Options) -> Result<Vec<Contender>, String> {
    let mut list = vec![
        Contender { name: "native".to_owned(), launcher: Vec::new(), native: true },
        Contender { name: "qemu".to_owned(), launcher: vec![qemu()?], native: false },
    ];
    for tier in &options.tiers {
        let mut parts = tier.split('!');
        let mut launcher =
            vec![vmjit(), "run".into(), "--tier".into(), parts.next().unwrap_or_default().into()];
        launcher.extend(parts.flat_map(|pass| ["--without".into(), pass.into()]));
        list.push(Contender { name: format!("vmjit-{tier}"), launcher, native: false });
    }
    Ok(list)
}

fn build(options: &Options) -> Result<Vec<Program>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("benches");
    std::fs::create_dir_all(&output).map_err(|error| format!("{}: {error}", output.display()))?;
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut sources: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    sources.sort();
    let mut programs = Vec::new();
    for source in sources {
        let extension = source.extension().unwrap_or_default().to_owned();
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = options.only.is_empty() || options.only.contains(&name);
        if !wanted || !(extension == "c" || extension == "cpp") {
            continue;
        }
        progress(&format!("building {name}"));
        let suffix = if extension == "c" { "gcc" } else { "g++" };
        let native = output.join(format!("{name}-native"));
        let guest = output.join(format!("{name}-riscv64"));
        compile(suffix, &[], &source, &native)?;
        compile(&format!("riscv64-linux-gnu-{suffix}"), &["-static", "-march=rv64gc"], &source, &guest)?;
        programs.push(Program { name, native, guest, seconds: Vec::new(), output: None });
    }
    if programs.is_empty() {
        return Err(format!("no program in {} is named {:?}", folder.display(), options.only));
    }
    Ok(programs)
}

fn compile(compiler: &str, flags: &[&str], source: &Path, output: &Path) -> Result<(), String> {
    let mut command = Command::new(compiler);
    // Without contraction the same operations round the same way on both machines, so that outputs can be compared.
    command.args(["-O2", "-ffp-contract=off"]).args(flags).arg("-o").arg(output).arg(source).arg("-lm");
    let result = command.output().map_err(|error| format!("{compiler}: {error} (run tests/setup.sh)"))?;
    if result.status.success() {
        Ok(())
    } else {
        Err(format!("{}: {}", source.display(), String::from_utf8_lossy(&result.stderr)))
    }
}

fn run_once(program: &mut Program, contender: &Contender, index: usize, size: char) -> Result<(), String> {
    let image = if contender.native { &program.native } else { &program.guest };
    let mut words = contender.launcher.iter().chain(std::iter::once(image));
    let mut command = Command::new(words.next().ok_or("nothing to run")?);
    command.args(words).arg(percent(size)).stdin(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let result = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let seconds = start.elapsed().as_secs_f64();
    if !result.status.success() {
        let text = String::from_utf8_lossy(&result.stderr).into_owned();
        return Err(format!("{} on {}: {}: {text}", program.name, contender.name, result.status));
    }
    match &program.output {
        None => program.output = Some(result.stdout),
        Some(expected) if *expected == result.stdout => {}
        Some(_) => return Err(format!("{} on {}: other output than native", program.name, contender.name)),
    }
    if program.seconds.len() <= index {
        program.seconds.resize_with(index + 1, Vec::new);
    }
    program.seconds[index].push(seconds);
    Ok(())
}

/// Interquartile range over median of the native runs: how quiet the machine was.
fn spread(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len() - 1;
    (sorted[last - last / 4] - sorted[last / 4]) / median(&mut sorted)
}

/// A Markdown table: native milliseconds, then each contender as a multiple of native, then vmjit over qemu.
fn report(programs: &[Program], contenders: &[Contender], options: &Options) -> Result<String, String> {
    let guests = &contenders[1..];
    let tiers = &contenders[2..];
    let mut titles = vec!["program".to_owned(), "native ms".to_owned()];
    titles.extend(guests.iter().map(|c| format!("{}/native", c.name)));
    titles.extend(tiers.iter().map(|c| format!("{}/qemu", c.name)));
    let mut rows = Vec::new();
    let mut ratios: Vec<Vec<f64>> = Vec::new();
    for program in programs {
        let medians: Vec<f64> = program.seconds.iter().map(|s| median(&mut s.clone())).collect();
        let row: Vec<f64> = medians[1..]
            .iter()
            .map(|m| m / medians[0])
            .chain(medians[2..].iter().map(|m| m / medians[1]))
            .collect();
        let native = format!("{:.1} ±{:.0}%", medians[0] * 1e3, spread(&program.seconds[0]) * 50.0);
        rows.push(
            [program.name.clone(), native].into_iter().chain(row.iter().map(|r| format!("{r:.2}"))).collect(),
        );
        ratios.push(row);
    }
    for (group, floating) in [("integer", Some(false)), ("floating point", Some(true)), ("all", None)] {
        let members = programs.iter().zip(&ratios).filter(|(program, _)| {
            floating.is_none_or(|floating| FLOATING_POINT.contains(&program.name.as_str()) == floating)
        });
        let members: Vec<&Vec<f64>> = members.map(|(_, row)| row).collect();
        if members.is_empty() {
            continue;
        }
        let means = (0..ratios[0].len())
            .map(|column| format!("**{:.2}**", geometric_mean(members.iter().map(|row| row[column]))));
        rows.push([format!("**geometric mean, {group}**"), String::new()].into_iter().chain(means).collect());
    }
    let mut text = conditions(options)?;
    text.push_str(&table(&titles, &rows));
    Ok(text)
}

fn table(titles: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([titles[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        for (column, cell) in cells.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.chars().count());
            let (left, right) = if column == 0 { ("", padding.as_str()) } else { (padding.as_str(), "") };
            let _ = write!(text, "| {left}{cell}{right} ");
        }
        text.push_str("|\n");
    };
    line(titles);
    let rule = |(column, width): (usize, &usize)| {
        if column == 0 {
            "-".repeat(*width)
        } else {
            format!("{}:", "-".repeat(*width - 1))
        }
    };
    line(&widths.iter().enumerate().map(rule).collect::<Vec<_>>());
    for row in rows {
        line(row);
    }
    text
}

/// What a reader needs to repeat the measurement; no date, so that an unchanged result is an unchanged file.
fn conditions(options: &Options) -> Result<String, String> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let first_line = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        text.lines().next().unwrap_or("unknown").to_owned()
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = String::new();
    let mut item = |name: &str, value: &str| {
        let _ = writeln!(text, "- {name}: {value}");
    };
    item("command", &format!("`cargo bench --bench programs -- {}`", words.join(" ")).replace(" -- `", "`"));
    item("commit", &first_line(Path::new("git"), &["rev-parse", "--short", "HEAD"]));
    item("processor", &format!("{model}, {cores} cores"));
    item("compilers", &first_line(Path::new("gcc"), &["--version"]));
    item("cross compiler", &first_line(Path::new("riscv64-linux-gnu-gcc"), &["--version"]));
    item("qemu", &first_line(&qemu()?, &["--version"]));
    item(
        "size, rounds",
        &format!("{} ({} %), {} interleaved, medians", options.size, percent(options.size), options.rounds),
    );
    text.push('\n');
    Ok(text)
}

/// Replaces what stands between the markers in `file`; adds markers at the end if it has none.
fn write_between_markers(file: &Path, report: &str) -> Result<(), String> {
    const BEGIN: &str = "<!-- programs: begin -->";
    const END: &str = "<!-- programs: end -->";
    let old = std::fs::read_to_string(file).unwrap_or_default();
    let block = format!("{BEGIN}\n{report}{END}");
    let new = match (old.find(BEGIN), old.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{block}{}", &old[..begin], &old[end + END.len()..])
        }
        _ => format!("{old}{block}\n"),
    };
    std::fs::write(file, new).map_err(|error| format!("{}: {error}", file.display()))
}
