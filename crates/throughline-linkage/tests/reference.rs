//! Published data sets with known people: Febrl 1, 2 and 4, and fake-1000.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use throughline_linkage::{
    Begin, LinkOptions, Linked, PairQuality, RawColumn, Records, expect_and_maximise, link, pair_quality,
};

/// A file of the reference data; says so where it is absent.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn reference(file: &str) -> Option<PathBuf> {
    let given = std::env::var_os("THROUGHLINE_REFERENCE");
    let root = given.map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    let path = root.join(file);
    if !path.exists() {
        eprintln!("reference data is absent: {}", path.display());
        return None;
    }
    Some(path)
}

/// Links the records of files and holds them against a truth made of one of their columns.
fn measure(files: &[&str], truth: &str, of: impl Fn(&str) -> String, threads: usize) -> Option<(Linked, PairQuality)> {
    let mut columns: Vec<RawColumn> = Vec::new();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut labels = Vec::new();
    for file in files {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(reference(file)?).expect("a file");
        let header = reader.headers().expect("a header").clone();
        for record in reader.records() {
            let record = record.expect("a row");
            for (name, value) in header.iter().zip(&record) {
                if name == truth {
                    let next = u32::try_from(numbers.len()).expect("few");
                    labels.push(*numbers.entry(of(value)).or_insert(next));
                } else {
                    match columns.iter_mut().find(|c| c.name == name) {
                        Some(column) => column.push(value),
                        None => columns.push(RawColumn::of(name, [value])),
                    }
                }
            }
        }
    }
    let options = LinkOptions::new(NonZeroUsize::new(threads).expect("some"));
    let records = Records::of(&columns, options.threads).expect("records");
    let linked = link(records, &options).expect("links");
    let quality = pair_quality(&labels, &linked.persons, None);
    Some((linked, quality))
}

/// `rec-<entity>-org` and `rec-<entity>-dup-<n>` are of one entity.
fn entity(record: &str) -> String {
    record.split('-').take(2).collect::<Vec<_>>().join("-")
}

#[track_caller]
fn febrl(files: &[&str], true_pairs: u64, least: f64) {
    let Some((_, quality)) = measure(files, "rec_id", entity, 2) else { return };
    assert_eq!(quality.true_pairs, true_pairs);
    assert!(quality.f1 >= least, "{quality:?}");
}

#[test]
fn febrl_is_linked_without_configuration() {
    // Splink 5 with the settings of its own example: .9956 on Febrl 4; GoldenMatch .9941.
    febrl(&["febrl/dataset1.csv"], 500, 0.998);
    febrl(&["febrl/dataset2.csv"], 1_934, 0.998);
    febrl(&["febrl/dataset4a.csv", "febrl/dataset4b.csv"], 5_000, 0.9985);
}

#[test]
fn fake_1000_is_linked_without_configuration() {
    let Some((linked, quality)) = measure(&["fake-1000/fake_1000.csv"], "cluster", ToOwned::to_owned, 2) else {
        return;
    };
    assert_eq!(quality.true_pairs, 2_031);
    assert!(quality.precision > 0.98 && quality.f1 > 0.89, "{quality:?}");
    // Splink's notebook on these records gives .00333.
    assert!((linked.prior / 0.00333 - 1.0).abs() < 0.1, "{}", linked.prior);
}

#[test]
fn people_do_not_depend_on_threads() {
    let of = |threads| measure(&["febrl/dataset2.csv"], "rec_id", entity, threads);
    let (Some((one, _)), Some((three, _))) = (of(1), of(3)) else { return };
    assert_eq!(one.persons, three.persons);
    assert_eq!(one.pairs, three.pairs);
}

#[test]
fn splinks_vectors_give_their_parameters() {
    // 4,000 compared pairs with known parameters; the level is 0 or 1, ours 1 or 5.
    let Some(path) = reference("splink-vectors/known_params_comparison_vectors.csv") else { return };
    let mut patterns: BTreeMap<u64, f64> = BTreeMap::new();
    for record in csv::Reader::from_path(path).expect("a file").records() {
        let record = record.expect("a row");
        let level = |field: usize| if &record[field] == "1" { 5 } else { 1 };
        *patterns.entry(level(0) | level(1) << 3 | level(2) << 6).or_default() += 1.0;
    }
    assert!((patterns.values().sum::<f64>() - 4_000.0).abs() < 1e-9);
    let two = |equal: f64| vec![[0.0, 1.0 - equal, 0.0, 0.0, 0.0, equal]; 3];
    let begin = Begin {
        m: two(0.8),
        u: two(0.3),
        share: 0.3,
        free_u: true,
        added: 0.0,
        equal_and_different: (0.0, 1.0),
        still: 1e-9,
        rounds: 10_000,
    };
    let found = expect_and_maximise(&patterns, &[0, 1, 2], &begin);
    assert!((found.share - 0.5).abs() < 1e-3, "{found:?}");
    for (column, (m, u)) in [(0.7, 0.1), (0.9, 0.025), (0.95, 0.2)].into_iter().enumerate() {
        assert!((found.m[column][5] - m).abs() < 1e-3 && (found.u[column][5] - u).abs() < 1e-3, "{found:?}");
    }
}

#[test]
fn files_without_doubles_have_none() {
    // The originals of Febrl 4: 5,000 people, each once.
    let Some((linked, quality)) = measure(&["febrl/dataset4a.csv"], "rec_id", entity, 2) else { return };
    assert_eq!(quality.true_pairs, 0);
    assert!(quality.found_pairs <= 2, "{quality:?}");
    assert!(linked.prior < 1e-6, "{}", linked.prior);
}
