//! Signing in, and what is not signed in.

use serde_json::json;

use crate::Outcome;
use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_works_once() -> Outcome {
    let house = House::open().await?;
    let token = house.first_token().await?;
    let browser = house.browser(&token).await?;
    let session = browser.get("/api/v1/session").await?.json()?;
    assert_eq!((&session["user"]["name"], &session["user"]["roles"]), (&json!("admin"), &json!(["admin"])));
    assert!(session["may"].as_array().is_some_and(|m| m.contains(&json!("createUser"))));
    let again = house.nobody().post("/api/v1/session", json!({ "token": token })).await?;
    assert_eq!((again.status, again.json()?["code"].clone()), (401, json!("TL921")));
    assert_eq!(house.bearer(&token).get("/api/v1/session").await?.status, 401, "nor as a token");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_planted_before_signing_in_is_not_the_session() -> Outcome {
    let house = House::open().await?;
    let token = house.first_token().await?;
    let planted = format!("throughline_session={}", "a".repeat(64));
    let answer = house.nobody().and("cookie", &planted).post("/api/v1/session", json!({ "token": token })).await?;
    assert_eq!(answer.status, 200);
    let set = answer.header("set-cookie").to_owned();
    assert!(!set.contains(&"a".repeat(64)), "{set}");
    for promise in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(set.contains(promise), "{set}");
    }
    assert_eq!(house.nobody().and("cookie", &planted).get("/api/v1/session").await?.status, 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unsafe_requests_of_a_browser_need_its_token_and_our_origin() -> Outcome {
    let house = House::open().await?;
    let browser = house.browser(&house.first_token().await?).await?;
    let freeze = json!({ "reason": "test" });
    let cases = [
        (browser.without("x-csrf-token"), 403),
        (browser.and("x-csrf-token", &"0".repeat(64)), 403),
        (browser.and("origin", "https://evil.example"), 403),
        (browser.and("origin", "null"), 403),
        (browser.and("sec-fetch-site", "cross-site"), 403),
        (browser.and("sec-fetch-site", "same-site"), 403),
        (browser.and("origin", &house.url).and("sec-fetch-site", "same-origin"), 200),
    ];
    for (client, expect) in cases {
        let answer = client.post("/api/v1/freeze", freeze.clone()).await?;
        assert_eq!(answer.status, expect, "{:?}: {}", client.headers, answer.body);
    }
    // A page elsewhere cannot sign a visitor in as somebody else either.
    let foreign = house.nobody().and("origin", "https://evil.example");
    assert_eq!(foreign.post("/api/v1/session", json!({ "token": "tlk_x_y" })).await?.status, 403);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_sign_out_by_idleness_and_with_the_account() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let token = |name: &'static str| async {
        Ok::<_, Box<dyn std::error::Error>>(house.token_of(name).await?.headers[0].1.replace("Bearer ", ""))
    };
    let browser = house.browser(&token("admin").await?).await?;
    assert_eq!(browser.send("DELETE", "/api/v1/session", None).await?.status, 204);
    assert_eq!(browser.get("/api/v1/session").await?.status, 401);

    let browser = house.browser(&token("admin").await?).await?;
    house.pass_hours(11);
    assert_eq!(browser.get("/api/v1/session").await?.status, 200);
    house.pass_hours(13);
    assert_eq!(browser.get("/api/v1/session").await?.status, 401, "12 hours without use");

    house.user(&house.token_of("admin").await?, "ana", &["analyst"], &[]).await?;
    let ana = house.browser(&token("ana").await?).await?;
    let users = house.token_of("admin").await?.get("/api/v1/users").await?.json()?;
    let id =
        users["items"].as_array().and_then(|u| u.iter().find(|u| u["name"] == "ana")).ok_or("no ana")?["id"].clone();
    let path = format!("/api/v1/users/{}", id.as_str().unwrap_or_default());
    let barred = house.token_of("admin").await?.send("PATCH", &path, Some(json!({ "disabled": true }))).await?;
    assert_eq!(barred.status, 200, "{}", barred.body);
    assert_eq!(ana.get("/api/v1/session").await?.status, 401);
    drop(admin);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_checked_slowly_counted_and_not_told_apart() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let user = json!({ "name": "Mara", "roles": ["viewer"], "password": "a long password" });
    assert_eq!(admin.post("/api/v1/users", user).await?.status, 201);
    let short = json!({ "name": "kim", "roles": ["viewer"], "password": "short" });
    assert_eq!(admin.post("/api/v1/users", short).await?.status, 422);
    let sign_in = |name: &str, password: &str| json!({ "name": name, "password": password });
    let good = house.nobody().post("/api/v1/session", sign_in("mara", "a long password")).await?;
    assert_eq!(good.status, 200, "{}", good.body);
    let wrong = house.nobody().post("/api/v1/session", sign_in("mara", "another password")).await?;
    let unknown = house.nobody().post("/api/v1/session", sign_in("nobody", "another password")).await?;
    let (mut wrong_body, mut unknown_body) = (wrong.json()?, unknown.json()?);
    wrong_body["request_id"] = json!("");
    unknown_body["request_id"] = json!("");
    assert_eq!((wrong.status, wrong_body), (unknown.status, unknown_body), "alike for known and unknown names");
    let mut last = 0;
    for _ in 0..12 {
        last = house.nobody().post("/api/v1/session", sign_in("mara", "guess guess guess")).await?.status;
    }
    assert_eq!(last, 429);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_what_its_scopes_say_until_it_ends() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let make = |scopes: serde_json::Value| json!({ "label": "ci", "scopes": scopes, "expires_in_days": 2 });
    let made = admin.post("/api/v1/tokens", make(json!(["read"]))).await?.json()?;
    let reader = house.bearer(made["token"].as_str().ok_or("no token")?);
    assert_eq!(reader.get("/api/v1/line").await?.status, 200);
    assert_eq!(reader.post("/api/v1/freeze", json!({ "reason": "x" })).await?.status, 403);
    assert_eq!(reader.get("/api/v1/users").await?.status, 403, "an administrator's token, for reading only");
    let more = reader.post("/api/v1/tokens", make(json!(["read", "admin"]))).await?;
    assert_eq!(more.status, 403, "a token makes no stronger one: {}", more.body);
    let wide = reader.without("authorization").post("/api/v1/session", json!({ "token": made["token"] })).await?;
    assert_eq!(wide.status, 401, "nor a session");

    let listed = admin.get("/api/v1/tokens").await?.body;
    let secret = made["token"].as_str().unwrap_or_default().rsplit('_').next().unwrap_or_default().to_owned();
    assert!(!listed.contains(&secret) && !listed.contains("argon2"), "{listed}");
    let other = admin.post("/api/v1/tokens", make(json!(["read"]))).await?.json()?;
    let short = house.bearer(other["token"].as_str().ok_or("no token")?);
    assert_eq!(short.get("/api/v1/line").await?.status, 200);
    let revoke = format!("/api/v1/tokens/{}", other["id"].as_str().unwrap_or_default());
    assert_eq!(admin.send("DELETE", &revoke, None).await?.status, 204);
    assert_eq!(short.get("/api/v1/line").await?.status, 401, "revoked, though believed a moment ago");
    house.pass_hours(49);
    assert_eq!(reader.get("/api/v1/line").await?.status, 401, "ended");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let me = admin.get("/api/v1/session").await?.json()?["user"]["id"].as_str().unwrap_or_default().to_owned();
    for change in [json!({ "roles": ["viewer"] }), json!({ "disabled": true })] {
        let answer = admin.send("PATCH", &format!("/api/v1/users/{me}"), Some(change)).await?;
        assert_eq!(answer.status, 409, "{}", answer.body);
    }
    Ok(())
}
