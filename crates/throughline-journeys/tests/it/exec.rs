//! Journeys do not depend on how rows were cut, and rows that nobody sorted are sorted by the engine or refused.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::util::pretty::pretty_format_batches;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;
use throughline_journeys::{JourneyReport, JourneysExec, Split};

use crate::timeline::{Row, in_order, rules, timeline};

fn plan(partitions: &[Vec<RecordBatch>]) -> Arc<dyn ExecutionPlan> {
    let schema = partitions[0][0].schema();
    let source = MemorySourceConfig::try_new_exec(partitions, schema, None).expect("rows in memory");
    Arc::new(JourneysExec::new(source, rules()).expect("all columns are there"))
}

async fn run(plan: Arc<dyn ExecutionPlan>) -> Result<(Vec<String>, JourneyReport), String> {
    let batches = collect(plan, SessionContext::new().task_ctx()).await.map_err(|error| error.to_string())?;
    let mut report = JourneyReport::new(&rules());
    let (mut rows, mut reports) = (Vec::new(), 0);
    for batch in &batches {
        let split = Split::of(batch).map_err(|error| error.to_string())?;
        reports += split.reports.len();
        split.reports.iter().for_each(|part| report.add(part));
        for (what, part) in [("journey", &split.journeys), ("touch", &split.touches)] {
            let text = pretty_format_batches(std::slice::from_ref(part)).expect("rows").to_string();
            let lines = text.lines().filter(|line| line.starts_with("| ") && !line.contains("journey_id"));
            // The width of columns depends on the batch.
            let plain = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            rows.extend(lines.map(|line| format!("{what} {}", plain(line))));
        }
    }
    assert!(reports > 0, "every partition says what it did");
    rows.sort();
    Ok((rows, report))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().build().expect("a runtime").block_on(future)
}

/// Whole people in as many partitions, each in batches of some rows.
fn cut(rows: &[Row], partitions: u16, size: usize) -> Vec<Vec<RecordBatch>> {
    let part = |n: u16| {
        let all = timeline(rows);
        let mine: Vec<u32> = (0..u32::try_from(all.num_rows()).expect("few"))
            .filter(|row| {
                let ids = throughline_lake::columns::binary(&all, "person_id").expect("ids");
                let id = ids.value(*row as usize);
                u16::from_be_bytes([id[0], id[1]]) % partitions == n
            })
            .collect();
        let mine = arrow::compute::take_record_batch(&all, &UInt32Array::from(mine)).expect("rows");
        (0..mine.num_rows().max(1)).step_by(size).map(|at| mine.slice(at, size.min(mine.num_rows() - at))).collect()
    };
    (0..partitions).map(part).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0_u16..40, 0_u16..2000, 0_u8..7).prop_map(|(person, hour, what)| Row { person, hour, what });
    proptest::collection::vec(row, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cuts_and_partitions_change_nothing(rows in rows(), size in 1_usize..200, partitions in 1_u16..5) {
        let whole = block_on(run(plan(&cut(&rows, 1, usize::MAX)))).expect("journeys");
        let parts = block_on(run(plan(&cut(&rows, partitions, size)))).expect("journeys");
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn the_engine_sorts_and_gathers_rows_that_stand_anywhere(rows in rows(), seed in 0_usize..1000) {
        let sorted = block_on(run(plan(&cut(&rows, 1, usize::MAX)))).expect("journeys");
        // The same rows with the same ids, shuffled and dealt to three partitions.
        let mut shuffled: Vec<(Row, String)> =
            rows.iter().enumerate().map(|(n, row)| (*row, format!("e{n:06}"))).collect();
        shuffled.sort_by_key(|(_, id)| id.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31) ^ usize::from(byte)));
        let dealt: Vec<Vec<RecordBatch>> =
            shuffled.chunks(shuffled.len().div_ceil(3)).map(|part| vec![in_order(part)]).collect();
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(3));
        let mut optimised = plan(&dealt);
        for rule in context.state().physical_optimizers() {
            optimised = rule.optimize(optimised, context.state().config_options()).expect("a plan");
        }
        prop_assert!(optimised.output_partitioning().partition_count() >= 1);
        let shown = displayable(optimised.as_ref()).indent(false).to_string();
        prop_assert!(shown.contains("SortExec"), "{}", shown);
        prop_assert_eq!(sorted, block_on(run(optimised)).expect("journeys"));
    }
}

#[test]
fn segments_are_those_of_the_journeys_end() {
    let row = |hour, what| Row { person: 1, hour, what };
    // Known at 3 (tier 3), at 6 (tier 1), at 9 (secret: refused); purchases at 1, 4, 7 and 10.
    let rows = [row(1, 4), row(3, 0), row(4, 4), row(6, 1), row(7, 4), row(9, 6), row(10, 4)];
    let batches = block_on(collect(plan(&cut(&rows, 1, 3)), SessionContext::new().task_ctx())).expect("journeys");
    let mut told = Vec::new();
    for batch in &batches {
        let journeys = Split::of(batch).expect("journeys").journeys;
        let ended = throughline_lake::columns::time(&journeys, "ended_at").expect("times");
        let segments = throughline_lake::columns::list(&journeys, "segments").expect("segments");
        let purchase = throughline_lake::columns::text(&journeys, "conversion").expect("names");
        for row in (0..journeys.num_rows()).filter(|row| purchase.value(*row) == "purchase") {
            let known = segments.value(row);
            let known = throughline_lake::columns::as_text(&known).expect("text");
            told.push((ended.value(row) / 3_600_000_000, known.iter().flatten().collect::<Vec<_>>().join(" ")));
        }
    }
    told.sort();
    assert_eq!(told, [(1, ""), (4, "tier=3"), (7, "tier=1"), (10, "tier=1")].map(|(at, known)| (at, known.to_owned())));
}

#[test]
fn rows_that_are_not_in_order_are_refused_where_nobody_sorts_them() {
    let row = |person, hour| (Row { person, hour, what: 0 }, format!("{person}-{hour}"));
    let apart = in_order(&[row(1, 1), row(2, 1), row(1, 2)]);
    let refused = block_on(run(plan(&[vec![apart]]))).expect_err("person 1 stands in two places");
    assert!(refused.contains("not in the order of people"), "{refused}");
}

#[test]
fn a_missing_column_is_named() {
    let batch = timeline(&[Row { person: 1, hour: 1, what: 0 }]);
    let without = batch.project(&[0, 1, 2]).expect("three columns");
    let source = MemorySourceConfig::try_new_exec(&[vec![without.clone()]], without.schema(), None).expect("rows");
    let refused = JourneysExec::new(source, rules()).expect_err("no kind");
    assert!(refused.to_string().contains("kind"), "{refused}");
}

#[test]
fn nobody_gives_a_report_and_no_journeys() {
    let empty = timeline(&[]);
    let (rows, report) = block_on(run(plan(&[vec![empty]]))).expect("a report");
    assert!(rows.is_empty());
    assert_eq!(report, JourneyReport::new(&rules()));
    assert_eq!(report.removed_by_consent.len(), 2);
}
