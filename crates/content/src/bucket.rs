//! An S3 bucket. Who we are and where the bucket is stand in the usual `AWS_*` variables.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

/// How often a request is sent once more. Together with the limits below, a dead endpoint has shown
/// itself before the whole call is over, so that the log has its reason and not merely a silence.
const RETRIES: usize = 1;
const RETRIED_FOR: Duration = Duration::from_secs(3);

/// The pause before that, between the two. They must differ: `object_store` 0.14 draws a number
/// from that range, and panics where it is empty.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(100));

/// How long one request may take, and how long until it is connected.
const REQUEST_WITHIN: &str = "2s";
const CONNECTED_WITHIN: &str = "1s";

/// That bucket, with all keys below `prefix`.
pub(crate) fn open(name: &str, prefix: Path) -> object_store::Result<Arc<dyn ObjectStore>> {
    let (init_backoff, max_backoff) = PAUSES;
    let retry = RetryConfig {
        backoff: BackoffConfig { init_backoff, max_backoff, base: 2.0 },
        max_retries: RETRIES,
        retry_timeout: RETRIED_FOR,
    };
    let client = AmazonS3ConfigKey::Client;
    let bucket = AmazonS3Builder::from_env()
        .with_bucket_name(name)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // Containers are removed one by one, and not every bucket knows how to remove many.
        .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true")
        .with_config(client(ClientConfigKey::Timeout), REQUEST_WITHIN)
        .with_config(client(ClientConfigKey::ConnectTimeout), CONNECTED_WITHIN)
        .with_retry(retry)
        .build()?;
    Ok(Arc::new(PrefixStore::new(bucket, prefix)))
}
