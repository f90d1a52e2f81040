//! The simulated market writes the files of its vendors; sources of five lines read them, and what comes out is what
//! happened in the market.

use std::collections::BTreeSet;

use throughline_core::EventKind;
use throughline_market::{Channel, Scenario, VENDORS, World};

use crate::harness::{Done, Project};

const ALL: &str = "\nfailure_limit: 0.05\n";

/// A market's vendors' files in one folder a vendor.
fn market() -> (Project, World) {
    let world = World::simulate(&Scenario::default().with_people(400), 29).expect("valid");
    let project = Project::new();
    for file in VENDORS {
        let path = project.path().join(file.path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let mut out = std::fs::File::create(path).expect("made");
        world.write_vendor(file, &mut out).expect("written");
    }
    (project, world)
}

fn field(line: &str, name: &str) -> Option<String> {
    let rest = line.split_once(&format!("{name}="))?.1;
    Some(rest.split(' ').next().unwrap_or_default().to_owned())
}

fn sum(lines: &[String], name: &str) -> i64 {
    lines.iter().filter_map(|line| field(line, name)).map(|n| n.parse::<i64>().expect("a number")).sum()
}

fn of_kind<'a>(done: &'a Done, kind: &str) -> Vec<&'a String> {
    let wanted = format!(" kind={kind} ");
    done.events.iter().filter(|line| line.contains(&wanted)).collect()
}

/// Value of the orders of a kind by their id.
fn orders(done: &Done, kind: &str) -> (usize, i64) {
    let lines: Vec<String> = of_kind(done, kind).into_iter().cloned().collect();
    let ids: BTreeSet<_> = lines.iter().filter_map(|line| field(line, "source_event_id")).collect();
    assert_eq!(ids.len(), lines.len(), "an order twice");
    (lines.len(), sum(&lines, "value_micros"))
}

/// Cost, clicks and impressions of channels in the market's written days.
fn spent(world: &World, channels: &[Channel]) -> (i64, i64, i64) {
    let days = world.scenario().days;
    let touches =
        world.lives().iter().flat_map(|l| &l.touches).filter(|t| t.day < days && channels.contains(&t.channel));
    let (mut cost, mut clicks, mut impressions) = (0, 0, 0);
    for touch in touches {
        cost += touch.cost_micros;
        clicks += i64::from(touch.kind == EventKind::Click);
        impressions += i64::from(touch.kind == EventKind::Impression);
    }
    (cost, clicks, impressions)
}

#[tokio::test]
async fn spend_is_that_of_the_market_in_every_shape() {
    let (project, world) = market();
    let google = spent(&world, &[Channel::PaidSearch, Channel::Display]);
    let meta = spent(&world, &[Channel::PaidSocial, Channel::Retargeting]);
    let mut shown = Vec::new();
    for (connector, file, (cost, clicks, impressions)) in [
        ("google_ads", "google_ads/report.csv", google),
        ("google_ads", "google_ads/report_api.jsonl", google),
        ("meta_ads", "meta/insights.jsonl", meta),
    ] {
        let done = project.ingest(connector, file, ALL).await.expect("ingested");
        assert_eq!(done.quarantine, Vec::<String>::new(), "{file}");
        assert_eq!(sum(&done.spend, "cost_micros"), cost, "{file}");
        assert_eq!(sum(&done.spend, "clicks"), clicks, "{file}");
        // Advertisements of search are shown to people whom the market does not follow.
        assert!(sum(&done.spend, "impressions") >= impressions, "{file}");
        assert!(cost > 0 && done.spend.len() > 50);
        shown.push((sum(&done.spend, "impressions"), done.spend.len()));
    }
    assert_eq!(shown[0], shown[1], "the report and the API");
    assert_eq!(shown[2].0, meta.2);
}

#[tokio::test]
async fn web_tools_agree_on_orders_and_visits() {
    let (project, _) = market();
    let mut found = Vec::new();
    for (connector, file) in [
        ("ga4", "ga4/events.jsonl"),
        ("adobe_feed", "adobe/hit_data.tsv"),
        ("snowplow", "snowplow/events.tsv"),
        ("segment", "segment/calls.jsonl"),
    ] {
        let done = project.ingest(connector, file, ALL).await.expect("ingested");
        let faults: BTreeSet<&str> = done.quarantine.iter().filter_map(|q| q.split(' ').nth(1)).collect();
        assert!(faults.iter().all(|code| *code == "TL207"), "{file}: {faults:?}");
        let mut channels: Vec<(String, usize)> = Vec::new();
        for line in of_kind(&done, "visit") {
            let channel = field(line, " channel").expect("a channel");
            match channels.iter_mut().find(|(name, _)| *name == channel) {
                Some((_, n)) => *n += 1,
                None => channels.push((channel, 1)),
            }
        }
        channels.sort();
        found.push((file, orders(&done, "purchase"), channels));
    }
    let (_, orders, channels) = &found[0];
    assert!(orders.0 > 50 && channels.len() >= 6, "{orders:?} {channels:?}");
    for (file, others, visits) in &found[1..] {
        assert_eq!(others, orders, "{file}");
        assert_eq!(visits, channels, "{file}");
    }
}

#[tokio::test]
async fn sales_stores_calls_and_mail_are_the_markets() {
    let (project, world) = market();
    let days = world.scenario().days;
    let bought = |in_store: bool| {
        let all = world.lives().iter().flat_map(|l| &l.purchases).filter(move |p| p.in_store == in_store);
        all.map(|p| p.value_micros).fold((0_usize, 0_i64), |(n, sum), value| (n + 1, sum + value))
    };
    let deals = project.ingest("hubspot", "hubspot/deals.csv", ALL).await.expect("ingested");
    assert_eq!(orders(&deals, "purchase"), bought(false));
    let receipts = project.ingest("pos", "pos/receipts.csv", ALL).await.expect("ingested");
    assert_eq!((orders(&receipts, "purchase"), receipts.quarantine.len()), (bought(true), 0));
    let calls = project.ingest("callrail", "callrail/calls.csv", ALL).await.expect("ingested");
    let answered = world.lives().iter().flat_map(|l| &l.calls).filter(|c| c.duration_s > 0).count();
    assert_eq!((of_kind(&calls, "call").len(), calls.quarantine.len()), (answered, 0));
    assert!(answered > 5);
    let mail = project.ingest("email_service", "email_service/events.jsonl", ALL).await.expect("ingested");
    for (kind, wanted) in [("email_opened", EventKind::EmailOpened), ("email_clicked", EventKind::EmailClicked)] {
        let touches = world.lives().iter().flat_map(|l| &l.touches);
        let expect = touches.filter(|t| t.day < days && t.channel == Channel::Email && t.kind == wanted).count();
        assert_eq!(of_kind(&mail, kind).len(), expect, "{kind}");
    }
    let machines = mail.events.iter().filter(|line| line.contains(" name=email_machine_opened ")).count();
    assert!(machines > 20, "{machines}");
    let won = project.ingest("salesforce", "salesforce/opportunities.csv", ALL).await.expect("ingested");
    assert!(!of_kind(&won, "purchase").is_empty() && won.quarantine.is_empty(), "{:?}", won.quarantine);
    let members = project.ingest("salesforce", "salesforce/campaign_members.csv", ALL).await.expect("ingested");
    assert!(!members.events.is_empty() && members.report.rows_skipped > 0 && members.quarantine.is_empty());
    let contacts = project.ingest("salesforce", "salesforce/contacts.csv", ALL).await.expect("ingested");
    assert_eq!(contacts.events.len() as u64, contacts.report.rows_read);
}
