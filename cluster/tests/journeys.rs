//! The journeys of a timeline are the same rows on one machine and on a scheduler with two executors.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::util::pretty::pretty_format_batches;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _, displayable};
use datafusion_proto::physical_plan::{AsExecutionPlan as _, PhysicalExtensionCodec as _};
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::{StreamExt as _, TryStreamExt as _};
use throughline_cluster::{Codec, session_config, submit};
use throughline_core::EventKind;
use throughline_core::consent::Withdrawal;
use throughline_journeys::{
    ConversionConfig, JourneyConfig, JourneyReport, JourneyRules, JourneysExec, Split, TIMELINE_COLUMNS, TIMELINE_ORDER,
};
use throughline_lake::{Lake, Session, SessionOptions, Snapshot, TableSpec, Unit, tables};

const DAY_US: i64 = 86_400_000_000;

/// A stream of numbers that is the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Signals of some people, in the order of the timeline.
fn rows(spec: &TableSpec, bucket: u64, people: u64) -> RecordBatch {
    let mut numbers = Numbers(bucket);
    let mut signals: Vec<([u8; 16], i64, u64, String)> = Vec::new();
    for person in 0..people {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(bucket * people + person).to_be_bytes());
        for _ in 0..numbers.below(30) {
            let at = i64::try_from(numbers.below(90 * 24)).expect("small") * DAY_US / 24;
            signals.push((id, at, numbers.below(7), format!("b{bucket}-{:06}", signals.len())));
        }
    }
    signals.sort();
    let text = |value: &dyn Fn(&([u8; 16], i64, u64, String)) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(signals.iter().map(value)))
    };
    let times = |shift: i64| -> ArrayRef {
        let of = signals.iter().map(|s| s.1 + shift);
        Arc::new(TimestampMicrosecondArray::from_iter_values(of).with_timezone("UTC"))
    };
    let columns = spec.file_schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "person_id" => Arc::new(BinaryArray::from_iter_values(signals.iter().map(|s| s.0))),
            "source" => text(&|_| Some("shop".into())),
            "source_event_id" => text(&|s| Some(s.3.clone())),
            "kind" => text(&|s| {
                let kind = match s.2 {
                    5 => EventKind::Purchase,
                    6 => EventKind::Refund,
                    _ => EventKind::Click,
                };
                Some(kind.to_string())
            }),
            "channel" => text(&|s| (s.2 < 5).then(|| format!("channel {}", s.2))),
            "consent" => text(&|s| Some(if s.1 % 11 == 0 { "measurement=denied" } else { "granted" }.into())),
            "value_micros" => Arc::new(Int64Array::from_iter(signals.iter().map(|s| (s.2 >= 5).then_some(20_000_000)))),
            "occurred_at" => times(0),
            _ if field.is_nullable() => arrow::array::new_null_array(field.data_type(), signals.len()),
            _ => match field.data_type() {
                arrow::datatypes::DataType::Timestamp(..) => times(1),
                arrow::datatypes::DataType::Int64 => Arc::new(Int64Array::from(vec![0; signals.len()])),
                _ => text(&|_| Some(String::new())),
            },
        }
    });
    RecordBatch::try_new(Arc::clone(&spec.file_schema), columns.collect()).expect("a timeline")
}

async fn timeline(lake: &Lake) -> Snapshot {
    let spec = tables::timeline();
    let unit = Unit { stage: "link".into(), name: "all".into(), fingerprint: "f".into(), run_seq: 1 };
    let mut writer = lake.writer(&spec, &unit).expect("a writer");
    for bucket in 0..8 {
        writer.write(Some(&bucket.to_string()), &rows(&spec, bucket, 400)).await.expect("written");
    }
    let staged = writer.finish().await.expect("staged");
    lake.staged_snapshot(&spec, &[staged]).expect("a snapshot")
}

fn rules() -> Arc<JourneyRules> {
    let conversions = vec![ConversionConfig::new("purchase", EventKind::Purchase)];
    Arc::new(JourneyRules { config: JourneyConfig::default(), conversions, withdrawal: Withdrawal::default(), segments: Vec::new() })
}

/// Journeys and touches as sorted lines, and what was done.
fn told(batches: &[RecordBatch]) -> (Vec<String>, JourneyReport) {
    let (mut lines, mut report) = (Vec::new(), JourneyReport::new(&rules()));
    for batch in batches {
        let split = Split::of(batch).expect("journeys");
        split.reports.iter().for_each(|part| report.add(part));
        for part in [split.journeys, split.touches] {
            let text = pretty_format_batches(&[part]).expect("rows").to_string();
            lines.extend(text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    lines.retain(|line| line.starts_with("| ") && !line.contains("journey_id"));
    lines.sort();
    (lines, report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_builds_the_journeys_of_one_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(folder.path()).expect("a lake");
    let timeline = timeline(&lake).await;
    let session = Session::new(&SessionOptions::default()).expect("a session");
    let scan = session.scan(&timeline, TIMELINE_COLUMNS, TIMELINE_ORDER).expect("a scan");
    let plan: Arc<dyn ExecutionPlan> = Arc::new(JourneysExec::new(scan, rules()).expect("a plan"));
    assert_eq!(plan.output_partitioning().partition_count(), 8);
    let here: Vec<RecordBatch> = session
        .run(&plan)
        .map_ok(|part| futures::stream::iter(part).map(Ok::<_, throughline_lake::LakeError>))
        .try_flatten()
        .try_collect()
        .await
        .expect("rows");

    // A scheduler and two executors, whose only knowledge of our operator is the codec and of the lake its store.
    let state = session.state_with(session_config());
    let scheduler =
        ballista_scheduler::standalone::new_standalone_scheduler_from_state(&state).await.expect("a scheduler");
    let url = format!("http://localhost:{}", scheduler.port());
    for _ in 0..2 {
        let client = SchedulerGrpcClient::connect(url.clone()).await.expect("the scheduler answers");
        ballista_executor::new_standalone_executor_from_state(client, 1, &state).await.expect("an executor");
    }
    let there: Vec<RecordBatch> =
        submit(&url, "journeys", plan).await.expect("the plan is taken").try_collect().await.expect("rows");

    let (here, there) = (told(&here), told(&there));
    assert!(here.1.converting > 1000 && here.1.persons > 2000, "{:?}", here.1);
    assert_eq!(here.1, there.1, "the counts");
    assert!(here.0 == there.0, "{} rows here, {} there", here.0.len(), there.0.len());
}

#[tokio::test]
async fn the_operator_survives_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(folder.path()).expect("a lake");
    let session = Session::new(&SessionOptions::default()).expect("a session");
    let scan = session.scan(&timeline(&lake).await, TIMELINE_COLUMNS, TIMELINE_ORDER).expect("a scan");
    let plan: Arc<dyn ExecutionPlan> = Arc::new(JourneysExec::new(scan, rules()).expect("a plan"));
    let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(&plan), &Codec::default()).expect("bytes");
    let state = session.state_with(session_config());
    let read = node.try_into_physical_plan(&state.task_ctx(), &Codec::default()).expect("a plan again");
    let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
    assert_eq!(shown(&plan), shown(&read));
    let told = |rules: &JourneyRules| serde_json::to_string(rules).expect("text");
    assert_eq!(told(read.downcast_ref::<JourneysExec>().expect("our operator").rules()), told(&rules()));

    let converter = datafusion_proto::physical_plan::DefaultPhysicalProtoConverter {};
    let hostile =
        Codec::default().try_decode(b"\x7fthroughline/journeys/1\n{}", &[read], &state.task_ctx(), &converter);
    assert!(hostile.expect_err("rules without a configuration").to_string().contains("cannot be read"));
}
