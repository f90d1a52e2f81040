//! `throughline init`.

use std::path::Path;
use std::process::ExitCode;

use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_market::{PRESETS, Scenario, World, write_project_data, write_vendors};

use crate::cli::InitArgs;
use crate::examples::{EXAMPLES, Example, example};
use crate::failure::Failure;
use crate::output::print;

const EMPTY_PROJECT: &str = "apiVersion: throughline/v1
kind: Project
name: NAME
questions: []
success_metrics: []
currency: EUR
conversions:
  - { name: purchase, kind: purchase }
";

const FIRST_SOURCE: &str = "# One file a source. Expressions are SQL over the columns of the file.
apiVersion: throughline/v1
kind: Source
name: events
connector: csv
location: data/events.csv
consent: \"consent\"
emits:
  - id: \"event_id\"
    kind: \"kind\"
    occurred_at: \"timestamp\"
    subjects: { cookie: \"cookie\", email: \"email\" }
    channel: \"channel\"
    value: \"to_float(value)\"
    currency: \"'EUR'\"
";

/// Makes a project, empty or from an example.
pub(super) fn init(args: &InitArgs) -> Result<ExitCode, Failure> {
    if args.dir.join("throughline.yaml").exists() {
        let message = format!("{} already holds a project", args.dir.display());
        return Err(Failure::finding(Diagnostic::error("TL040", message).help("choose another folder")));
    }
    let Some(name) = &args.example else {
        let name = args.dir.file_name().and_then(|n| n.to_str()).unwrap_or("project");
        write(&args.dir, "throughline.yaml", &EMPTY_PROJECT.replace("NAME", name))?;
        write(&args.dir, "sources/events.yaml", FIRST_SOURCE)?;
        let next = format!(
            "made {0}\nnext: put a file at {0}/data/events.csv, adapt {0}/sources/events.yaml, then run\n  throughline check {0}",
            args.dir.display()
        );
        print(&next)?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(chosen) = example(name) else {
        let known: Vec<&str> = EXAMPLES.iter().map(|e| e.name).collect();
        let mut finding = Diagnostic::error("TL041", format!("unknown example `{name}` (known: {})", known.join(", ")));
        if let Some(close) = closest(name, known) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        return Err(Failure::finding(finding));
    };
    write_example(chosen, &args.dir)?;
    let folder = match chosen.name {
        "demo" => Some("data"),
        "vendors" => Some("exports"),
        _ => None,
    };
    if let Some(folder) = folder {
        let scenario = demo()?.with_people(args.people);
        let threads = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
        let world = World::simulate_on(&scenario, args.seed, threads)?;
        match chosen.name {
            "demo" => write_project_data(&world, &args.dir).map(|_| ())?,
            _ => write_vendors(&world, &args.dir.join(folder)).map(|_| ())?,
        }
        let (people, days, dir) = (args.people, scenario.days, args.dir.display());
        print(&format!("simulated {people} people over {days} days into {dir}/{folder}"))?;
    }
    print(&format!("made {0}\nnext: throughline run {0}", args.dir.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The scenario of the demo.
pub(crate) fn demo() -> Result<Scenario, Failure> {
    let preset = PRESETS.iter().find(|p| p.name == "demo");
    let text = preset.map_or("", |p| p.text);
    throughline_run::project::parse_yaml(text, "demo.yaml").map_err(Failure::finding)
}

/// Writes the files of an example.
pub(crate) fn write_example(example: &Example, dir: &Path) -> Result<(), Failure> {
    for (path, text) in example.files {
        write(dir, path, text)?;
    }
    Ok(())
}

fn write(dir: &Path, path: &str, text: &str) -> Result<(), Failure> {
    let path = dir.join(path);
    let fail = |doing| {
        let path = path.display().to_string();
        move |source| Failure::Io { doing, path, source }
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail("create the folder of"))?;
    }
    std::fs::write(&path, text).map_err(fail("write"))
}
