//! Sources that lie elsewhere: objects of a store that speaks S3's language, a file of a web server, and Delta tables.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::sources::{check_purchases, project};
use crate::support::{json, refused, shown, write};

/// Objects by key; the paths that were fetched.
#[derive(Debug, Default)]
struct Held {
    objects: BTreeMap<String, String>,
    fetched: Vec<String>,
}

/// A server of one bucket.
struct Store {
    port: u16,
    held: Arc<Mutex<Held>>,
}

impl Store {
    fn start(objects: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let objects = objects.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let held = Arc::new(Mutex::new(Held { objects, fetched: Vec::new() }));
        let shared = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let held = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream, &held));
            }
        });
        Self { port, held }
    }

    fn put(&self, key: &str, text: &str) {
        self.held.lock().expect("held").objects.insert(key.to_owned(), text.to_owned());
    }

    /// What was fetched since the last question.
    fn fetched(&self) -> Vec<String> {
        std::mem::take(&mut self.held.lock().expect("held").fetched)
    }

    fn options(&self) -> Vec<String> {
        let endpoint = format!("THROUGHLINE_OBJECTS_AWS_ENDPOINT=http://127.0.0.1:{}", self.port);
        let rest = [
            "AWS_ALLOW_HTTP=true",
            "AWS_ACCESS_KEY_ID=k",
            "AWS_SECRET_ACCESS_KEY=hush",
            "AWS_REGION=eu-west-1",
            "ALLOW_HTTP=true",
        ];
        [endpoint].into_iter().chain(rest.map(|o| format!("THROUGHLINE_OBJECTS_{o}"))).collect()
    }

    fn arguments<'a>(options: &'a [String], command: &'a [&'a str]) -> Vec<&'a str> {
        command.iter().copied().chain(options.iter().flat_map(|o| ["--set", o.as_str()])).collect()
    }
}

fn answer(stream: TcpStream, held: &Mutex<Held>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let mut writer = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 2 {
            line.clear();
        }
        let mut words = first.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
        let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
        let key = path.trim_start_matches('/').trim_start_matches("shop").trim_start_matches('/').to_owned();
        let mut held = held.lock().expect("held");
        let object = held.objects.get(&key).cloned();
        let (status, body, tag) = match object {
            _ if query.contains("list-type=2") => ("200 OK", listing(&held.objects, query), String::new()),
            Some(text) => {
                let tag = format!("\"{}-{}\"", text.len(), text.bytes().map(u64::from).sum::<u64>());
                if method == "GET" {
                    held.fetched.push(key);
                }
                ("200 OK", text, tag)
            }
            None => ("404 Not Found", String::new(), String::new()),
        };
        drop(held);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: {tag}\r\nLast-Modified: Sun, 01 Mar 2026 10:00:00 GMT\r\n\r\n",
            body.len()
        );
        let body = if method == "HEAD" { "" } else { body.as_str() };
        if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn listing(objects: &BTreeMap<String, String>, query: &str) -> String {
    let prefix = query.split('&').find_map(|p| p.strip_prefix("prefix=")).unwrap_or_default().replace("%2F", "/");
    let mut entries = String::new();
    for (key, text) in objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
        let tag = format!("{}-{}", text.len(), text.bytes().map(u64::from).sum::<u64>());
        entries.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>2026-03-01T10:00:00.000Z</LastModified><ETag>&quot;{tag}&quot;</ETag><Size>{}</Size></Contents>",
            text.len()
        ));
    }
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>shop</Name><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
    )
}

const SHOP: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: LOCATION
consent: \"'granted'\"
emits:
  - id: \"id\"
    kind: \"'purchase'\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    value: \"value\"
    currency: \"'EUR'\"
";

fn rows(rows: &[(&str, &str)]) -> String {
    let row = |(id, value): &(&str, &str)| format!("{id},2026-03-01T10:00:00Z,{id}@a.example,{value}\n");
    "id,at,email,value\n".to_owned() + &rows.iter().map(row).collect::<String>()
}

#[test]
fn objects_are_fetched_when_they_are_new_and_never_again() {
    let store = Store::start(&[
        ("in/day-1.csv", &rows(&[("a", "1")])),
        ("in/day-2.csv", &rows(&[("b", "2")])),
        ("in/notes.txt", "no rows"),
        ("other/day-3.csv", "no rows"),
    ]);
    let dir = project(&[("sources/shop.yaml", &SHOP.replace("LOCATION", "s3://shop/in/day-*.csv"))]);
    let (root, options) = (dir.path(), store.options());
    let run = ["run", shown(root)];
    let run = Store::arguments(&options, &run);
    let report = json(&run);
    check_purchases(root, &["a=1.0", "b=2.0"]);
    assert_eq!(report["sources"][0]["last_file"], "s3://shop/in/day-2.csv");
    assert!(!report.to_string().contains("hush"));
    assert_eq!(store.fetched(), ["in/day-1.csv", "in/day-2.csv"]);
    json(&run);
    assert_eq!(store.fetched(), Vec::<String>::new());
    store.put("in/day-1.csv", &rows(&[("a", "10"), ("late", "3")]));
    json(&run);
    assert_eq!(store.fetched(), ["in/day-1.csv"]);
    check_purchases(root, &["a=10.0", "b=2.0", "late=3.0"]);
    let kept = walk(&root.join(".throughline/objects"));
    assert_eq!(kept, 2, "an earlier content is not kept");
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| if e.path().is_dir() { walk(&e.path()) } else { 1 }).sum()
}

#[test]
fn a_file_of_a_web_server_is_read_by_its_address() {
    let store = Store::start(&[("a.csv", &rows(&[("a", "1")]))]);
    let location = format!("http://127.0.0.1:{}/shop/a.csv", store.port);
    let dir = project(&[("sources/shop.yaml", &SHOP.replace("LOCATION", &location))]);
    let options = store.options();
    json(&Store::arguments(&options, &["run", shown(dir.path())]));
    check_purchases(dir.path(), &["a=1.0"]);
    write(dir.path(), "sources/shop.yaml", SHOP.replace("LOCATION", &location.replace("a.csv", "b.csv")));
    refused(&Store::arguments(&options, &["run", shown(dir.path())]), &["shop/b.csv", "no file matches"]);
    write(dir.path(), "sources/shop.yaml", SHOP.replace("LOCATION", "https://me:hush2@example.org/a.csv"));
    refused(&["run", shown(dir.path())], &["keep them in variables THROUGHLINE_OBJECTS_"]);
}

const COPY: &str = "apiVersion: throughline/v1
kind: Source
name: copy
connector: delta
location: LOCATION
consent: \"'granted'\"
emits:
  - id: source_event_id
    kind: kind
    occurred_at: occurred_at
    subjects: { cookie: source_event_id }
    value: \"value_micros / 1000000.0\"
    currency: currency
    properties: { day: date }
";

#[test]
fn a_delta_table_is_read_as_its_newest_version_stands() {
    let first = project(&[
        ("sources/shop.yaml", &SHOP.replace("LOCATION", "data/*.csv")),
        ("data/1.csv", &rows(&[("a", "1"), ("b", "2")])),
        ("data/2.csv", &rows(&[("c", "3")]).replace("03-01", "03-02")),
    ]);
    json(&["run", shown(first.path())]);
    let table = first.path().join(".throughline/lake/events");
    let second = project(&[("sources/copy.yaml", &COPY.replace("LOCATION", shown(&table)))]);
    let ran = |report: &Value| {
        let units = report["stages"][0]["units"].as_array().expect("units").clone();
        units.iter().filter(|u| u["status"] == "ran").count()
    };
    let report = json(&["run", shown(second.path())]);
    check_purchases(second.path(), &["a=1.0", "b=2.0", "c=3.0"]);
    assert_eq!(ran(&report), 2, "a file of each day");
    assert_eq!(ran(&json(&["run", shown(second.path())])), 0);
    // A version that replaces one file: what it had goes, what it has comes, the rest is not read again.
    write(first.path(), "data/1.csv", rows(&[("a", "10"), ("late", "4")]));
    json(&["run", shown(first.path())]);
    let report = json(&["run", shown(second.path())]);
    check_purchases(second.path(), &["a=10.0", "c=3.0", "late=4.0"]);
    assert_eq!(ran(&report), 2, "one file read, one dropped: {report}");
    write(second.path(), "sources/copy.yaml", COPY.replace("LOCATION", "nowhere"));
    refused(&["check", shown(second.path())], &["error[TL021]", "nowhere"]);
}
