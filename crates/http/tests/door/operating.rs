//! Health and metrics.

use actix_web::test::TestRequest;
use dispense_http::Check;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use super::world::World;

fn check(name: &'static str, ok: bool) -> Check {
    Check { name, ok, detail: "as expected".to_owned() }
}

#[actix_web::test]
async fn the_process_is_alive_whatever_is_wrong() {
    let world = World::new().await;
    world.state.get().checks = vec![check("event_log", false)];
    let answer = world.send_bare(TestRequest::get().uri("/health/live")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"status": "ok", "checks": []}));
}

#[actix_web::test]
async fn it_is_ready_when_every_check_passes() {
    let world = World::new().await;
    world.state.get().checks = vec![check("event_log", true), check("registry", true)];
    let ready = async || world.send_bare(TestRequest::get().uri("/health/ready")).await;
    assert_eq!(ready().await.status, 200);
    world.state.get().checks[1].ok = false;
    let answer = ready().await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json(),
        json!({"status": "unavailable", "checks": [
            {"name": "event_log", "ok": true, "detail": "as expected"},
            {"name": "registry", "ok": false, "detail": "as expected"},
        ]})
    );
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
