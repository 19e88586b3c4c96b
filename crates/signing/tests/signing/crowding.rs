//! How much is checked at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};

use dispensary::Signatures;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::sample::{DOCUMENT, World, profile, signer};

/// More than can ever be checked or wait.
const CROWD: usize = 2_000;

#[test]
fn a_crowd_is_turned_away_and_those_inside_are_served() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::new();
    let container = world.issue(&profile()).sign(DOCUMENT).unwrap();
    runtime.block_on(async {
        // Nobody runs meanwhile, so all of them come at the same moment.
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting: Vec<Pin<Box<dyn Future<Output = _> + Send>>> = Vec::new();
        let mut turned_away = 0;
        for _ in 0..CROWD {
            let mut asking = world.verifier.open(container.clone());
            match asking.as_mut().poll(&mut context) {
                std::task::Poll::Pending => waiting.push(asking),
                std::task::Poll::Ready(Ok(_)) => {}
                std::task::Poll::Ready(Err(unavailable)) => {
                    assert_eq!(unavailable.what, "the verification of signatures");
                    turned_away += 1;
                }
            }
        }
        assert!(turned_away > CROWD / 2, "{turned_away}");
        assert!(waiting.len() >= 256, "{}", waiting.len());
        // Those who go away make room for those behind them.
        drop(waiting.split_off(waiting.len() / 2));
        for asking in waiting {
            assert_eq!(asking.await.unwrap().signature, Ok(signer()));
        }
        assert_eq!(world.verifier.open(container).await.unwrap().signature, Ok(signer()));
    });
}

#[test]
fn a_document_is_read_off_the_thread_that_asks() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::new();
    let container = world.issue(&profile()).sign(DOCUMENT).unwrap();
    let (read, reading) = channel();
    let read = Box::new(move |document: &[u8]| {
        read.send((document.to_vec(), std::thread::current().id())).unwrap();
    });
    let opened = runtime.block_on(world.verifier.open_and_read(container, read)).unwrap();
    assert_eq!(opened.signature, Ok(signer()));
    let (document, thread) = reading.recv().unwrap();
    assert_eq!(document, DOCUMENT);
    assert_ne!(thread, std::thread::current().id());

    let (read, reading) = channel();
    let read = Box::new(move |_: &[u8]| read.send(()).unwrap());
    runtime.block_on(world.verifier.open_and_read(b"none".to_vec(), read)).unwrap();
    assert!(reading.recv().is_err(), "there was nothing to read");
}

#[test]
fn the_time_on_the_thread_is_measured() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let world = World::new();
    let container = world.issue(&profile()).sign(DOCUMENT).unwrap();
    for _ in 0..3 {
        assert_eq!(world.open(&container), Ok(signer()));
    }
    assert!(world.open(b"none").is_err());
    let rendered = metrics.render();
    assert!(rendered.contains("dispense_signature_seconds_count 4"), "{rendered}");
}
