//! Lists, conditional requests, masking, and what a run leaves to read.

use serde_json::{Value, json};

use crate::Outcome;
use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_read_page_by_page() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    assert_eq!(admin.get("/api/v1/attribution").await?.status, 404, "nothing to show before a run");
    let state = house.run(&admin).await?;
    assert_eq!((&state["status"], &state["requested_by"]), (&json!("succeeded"), &json!("admin")), "{state}");
    assert!(state["stages"].as_array().is_some_and(|s| s.iter().all(|s| s["state"] == "done")), "{state}");

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("/api/v1/conversions?limit=7{cursor}")).await?.json()?;
        for item in page["items"].as_array().ok_or("no items")? {
            seen.push((
                item["ended_at"].as_str().unwrap_or("").to_owned(),
                item["id"].as_str().unwrap_or("").to_owned(),
            ));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 20);
    let mut order = seen.clone();
    order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    order.dedup();
    assert_eq!(order, seen, "newest first, none twice");

    let credit = admin.get("/api/v1/attribution").await?.json()?;
    for model in ["linear", "markov:1"] {
        let total: f64 = credit["channels"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c["credits"][model]["conversions"].as_f64())
            .sum();
        assert!((total - credit["totals"]["conversions"].as_f64().unwrap_or(0.0)).abs() < 1e-9, "{model}: {total}");
    }
    let inner = &credit["channels"][0]["credits"]["linear"];
    let (outer, inner) = (&inner["conversions_interval"], &inner["conversions_inner"]);
    assert!(inner[0].as_f64() >= outer[0].as_f64() && inner[1].as_f64() <= outer[1].as_f64(), "{credit}");
    assert_eq!(admin.get("/api/v1/attribution?conversion=nothing").await?.status, 404);

    let first = admin.get("/api/v1/conversions?limit=1").await?.json()?["items"][0].clone();
    let of = format!("/api/v1/conversions?person={}", first["person_id"].as_str().unwrap_or(""));
    assert_eq!(admin.get(&of).await?.json()?["items"], json!([first]), "one person, one conversion");
    assert_eq!(admin.get("/api/v1/conversions?person=x").await?.status, 422);

    let id = &seen[0].1;
    let thread = admin.get(&format!("/api/v1/conversions/{id}")).await?.json()?;
    assert_eq!((&thread["journey"]["journey_id"], &thread["masked"]), (&json!(id), &json!(false)));
    let page = admin.get("/api/v1/runs/1/report.html").await?;
    assert!(page.status == 200 && page.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(admin.get("/api/v1/runs/1").await?.json()?["run_seq"], 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_may_not_see_personal_data_see_dots() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let viewer = house.user(&admin, "vera", &["viewer"], &[]).await?;
    house.run(&admin).await?;
    let id = viewer.get("/api/v1/conversions").await?.json()?["items"][0]["id"].as_str().unwrap_or("").to_owned();
    let path = format!("/api/v1/conversions/{id}");
    let (seen, shown) = (viewer.get(&path).await?.json()?, admin.get(&path).await?.json()?);
    assert_eq!(seen["masked"], true);
    let event = |thread: &Value| thread["journey"]["conversion_event_id"].as_str().unwrap_or("").to_owned();
    assert_eq!(event(&seen), "\u{2022}\u{2022}\u{2022}");
    assert!(event(&shown).starts_with('o'), "{shown}");
    assert!(!seen.to_string().contains(&format!("\"{}\"", event(&shown))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_caller_has_is_not_sent_again() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let first = admin.get("/api/v1/configuration").await?;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && first.header("cache-control").contains("private"), "{tag}");
    let again = admin.and("if-none-match", &tag).get("/api/v1/configuration").await?;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let other = admin.and("if-none-match", "\"x\"").get("/api/v1/configuration").await?;
    assert_eq!((other.status, other.body), (200, first.body));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_and_limits_are_checked() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    for path in [
        "/api/v1/runs?limit=0",
        "/api/v1/runs?limit=x",
        "/api/v1/runs?cursor=!",
        "/api/v1/approvals?state=odd",
        "/api/v1/decisions?cursor=WyJhIiwiYiIsImMiXQ",
    ] {
        assert_eq!(admin.get(path).await?.status, 422, "{path}");
    }
    for text in ["'; DROP TABLE decisions; --", "\\", "%00", "ö' OR 'a'='a"] {
        let path = format!("/api/v1/decisions?policy={}", text.replace('%', "%25").replace(' ', "%20"));
        let answer = admin.get(&path).await?;
        assert_eq!((answer.status, answer.json()?["items"].clone()), (200, json!([])), "{text}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_answer() -> Outcome {
    let house = House::open().await?;
    assert_eq!(house.nobody().get("/healthz").await?.body, "ok");
    assert_eq!(house.nobody().get("/readyz").await?.body, "ready");
    assert_eq!(house.nobody().get("/metrics").await?.status, 401);
    let admin = house.admin().await?;
    assert_eq!(admin.get("/metrics").await?.status, 200);
    Ok(())
}
