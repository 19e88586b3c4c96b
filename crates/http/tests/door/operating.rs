//! Health and metrics.

use actix_web::test::TestRequest;
use dispense_http::{Check, CheckStatus};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use super::world::World;

fn check(name: &'static str, status: CheckStatus) -> Check {
    Check { name, status, detail: "as expected".to_owned() }
}

#[actix_web::test]
async fn the_process_is_alive_whatever_is_wrong() {
    let world = World::new().await;
    world.state.get().checks = vec![check("event_log", CheckStatus::Unavailable)];
    let answer = world.send_bare(TestRequest::get().uri("/health/live")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"status": "ok", "checks": []}));
}

/// What no command needs does not take an instance out of service, and is shown all the same.
#[actix_web::test]
async fn it_is_ready_unless_a_check_says_that_it_cannot_work() {
    let world = World::new().await;
    for (found, code, status) in [
        (CheckStatus::Ok, 200, "ok"),
        (CheckStatus::Degraded, 200, "degraded"),
        (CheckStatus::Unavailable, 503, "unavailable"),
    ] {
        let checks = vec![check("event_log", CheckStatus::Ok), check("followers", found)];
        world.state.get().checks = checks;
        let answer = world.send_bare(TestRequest::get().uri("/health/ready")).await;
        assert_eq!(answer.status, code);
        assert_eq!(
            answer.json(),
            json!({"status": status, "checks": [
                {"name": "event_log", "status": "ok", "detail": "as expected"},
                {"name": "followers", "status": status, "detail": "as expected"},
            ]})
        );
    }
}

#[actix_web::test]
async fn figures_are_shown_as_they_are() {
    let world = World::new().await;
    let answer = world.send_bare(TestRequest::get().uri("/metrics")).await;
    assert_eq!(answer.text(), "up 1\n");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
}

#[actix_web::test]
async fn requests_are_counted_by_pattern_and_never_by_path() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    world.look("17").await;
    world.look("18?secret=1").await;
    world.send_bare(TestRequest::get().uri("/some/where")).await;
    let strange = TestRequest::default().method("BREW".parse().unwrap()).uri("/pot");
    world.send_bare(strange).await;
    let figures = figures.render();
    for line in [
        "http_requests_total{route=\"/api/v1/dispenses/{id}\",method=\"GET\",status=\"404\"} 2",
        "http_requests_total{route=\"unknown\",method=\"GET\",status=\"404\"} 1",
        "http_requests_total{route=\"unknown\",method=\"other\",status=\"404\"} 1",
        "http_request_duration_seconds_count{route=\"unknown\",method=\"GET\",status=\"404\"} 1",
    ] {
        assert!(figures.contains(line), "{line} in {figures}");
    }
    assert!(!figures.contains("where") && !figures.contains("secret"), "{figures}");
}
