//! `throughline rd`.

use std::error::Error;
use std::io::Write as _;

use clap::Parser;
use throughline_oneshot::Answer;
use throughline_oneshot::rd::RdArgs;

type Outcome = Result<(), Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: RdArgs,
}

/// Offers go to scores of at least −0.5; those below are sometimes treated too.
fn table() -> Result<tempfile::NamedTempFile, Box<dyn Error>> {
    let mut file = tempfile::NamedTempFile::with_suffix(".csv")?;
    writeln!(file, "spend,score,offer,age")?;
    let stream = throughline_stats::stream::Stream::new(12, 0);
    for i in 0..1500 {
        let score = 2.0 * stream.uniform_at(i) - 1.5;
        let offer = u8::from(stream.uniform_at(10_000 + i) < if score >= -0.5 { 0.9 } else { 0.1 });
        let age = 40.0 + 5.0 * score + stream.normal_at(20_000 + i);
        let spend = 3.0 * f64::from(offer) + 2.0 * score + 0.1 * age + stream.normal_at(30_000 + i);
        writeln!(file, "{spend},{score},{offer},{age}")?;
    }
    Ok(file)
}

fn run(file: &tempfile::NamedTempFile, arguments: &[&str]) -> Result<Answer, Box<dyn Error>> {
    let path = file.path().display().to_string();
    let base = ["rd", path.as_str(), "--outcome", "spend", "--score", "score"];
    Ok(Command::try_parse_from(base.iter().chain(arguments))?.args.run()?)
}

#[test]
fn a_cut_off_is_read_sharp_and_fuzzy() -> Outcome {
    let file = table()?;
    let sharp = run(&file, &["--cutoff", "-0.5"])?;
    let holds = |answer: &Answer, truth: f64| -> Result<bool, Box<dyn Error>> {
        let end = |i: usize| answer.json["estimate"]["interval"][i].as_f64().ok_or("no end");
        Ok(end(0)? < truth && truth < end(1)?)
    };
    assert!(holds(&sharp, 2.4)? && sharp.json["method"] == "rd_sharp", "{}", sharp.text);
    let fuzzy = run(&file, &["--cutoff", "-0.5", "--treatment", "offer", "--covariates", "age"])?;
    assert!(holds(&fuzzy, 3.0)? && fuzzy.json["method"] == "rd_fuzzy", "{}", fuzzy.text);
    let names: Vec<&str> =
        fuzzy.json["comparisons"].as_array().ok_or("none")?.iter().filter_map(|c| c["name"].as_str()).collect();
    for expect in [
        "conventional",
        "jump of the treatment",
        "half",
        "double",
        "without",
        "balance: age",
        "placebo cut-off below",
        "placebo cut-off above",
    ] {
        assert!(names.iter().any(|n| n.starts_with(expect)), "{expect} in {names:?}");
    }
    assert!(fuzzy.json["details"]["bins"].as_array().is_some_and(|b| b.len() == 20));
    assert!(fuzzy.text.contains("bandwidth") && fuzzy.text.contains("density"));
    Ok(())
}

#[test]
fn wrong_settings_are_refused() -> Outcome {
    let file = table()?;
    for (arguments, expect) in [
        (vec!["--cutoff", "9"], "TL380"),
        (vec!["--cutoff", "0", "--bandwidth", "0"], "bandwidth of 0"),
        (vec!["--cutoff", "0", "--order", "7"], "order of 7"),
        (vec!["--cutoff", "NaN"], "cut-off of NaN"),
        (vec!["--cutoff", "0", "--treatment", "offers"], "TL033"),
    ] {
        let error = run(&file, &arguments).err().ok_or("accepted")?.to_string();
        assert!(error.contains(expect), "{arguments:?}: {error}");
    }
    Ok(())
}
