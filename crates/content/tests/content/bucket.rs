//! Requests to a bucket: their shape, on a small server that is no bucket and only answers like
//! one. And an endpoint that answers nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dispensary::Contents;
use dispense_content::ObjectContents;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::own_process;
use crate::sample::{DISPENSE, container, in_full, key_of, keys};

/// What the server was asked, a line for each request, and what it holds.
#[derive(Default)]
struct Held {
    asked: Vec<String>,
    objects: BTreeMap<String, Vec<u8>>,
}

type Bucket = Arc<Mutex<Held>>;

/// Answers one request after the other on one connection.
async fn serve(connection: TcpStream, bucket: Bucket) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let (mut first, mut length, mut condition) = (String::new(), 0, String::new());
        if connection.read_line(&mut first).await? == 0 {
            return Ok(());
        }
        loop {
            let mut header = String::new();
            connection.read_line(&mut header).await?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "if-none-match" => condition = format!(" if-none-match {value}"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await?;
        let (status, body) = bucket.lock().unwrap().answer(&first, &condition, body);
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-length: {}\r\netag: \"1\"\r\n\
             last-modified: Sat, 31 Jan 2026 10:00:00 GMT\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).await?;
        connection.write_all(&body).await?;
    }
}

impl Held {
    fn answer(&mut self, first: &str, condition: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let (method, rest) = first.split_once(' ').unwrap();
        let (path, _) = rest.split_once(' ').unwrap();
        let shown = path.split_once("probe-").map_or(path, |(before, _)| before);
        self.asked.push(format!("{method} {shown}{condition}"));
        match (method, self.objects.get(path)) {
            ("GET", _) if path.contains("list-type=2") => (200, self.list()),
            ("GET", Some(found)) => (200, found.clone()),
            ("GET", None) => (404, Vec::new()),
            ("PUT", Some(_)) if !condition.is_empty() => (412, Vec::new()),
            ("PUT", _) => {
                self.objects.insert(path.to_owned(), body);
                (200, Vec::new())
            }
            ("DELETE", _) => {
                self.objects.remove(path);
                (204, Vec::new())
            }
            other => panic!("nobody asks that: {other:?}"),
        }
    }

    fn list(&self) -> Vec<u8> {
        let object = |(path, body): (&String, &Vec<u8>)| {
            format!(
                "<Contents><Key>{}</Key><LastModified>2026-01-31T10:00:00.000Z</LastModified>\
                 <Size>{}</Size></Contents>",
                path.trim_start_matches("/signed/"),
                body.len()
            )
        };
        let objects: String = self.objects.iter().map(object).collect();
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>")
            .into()
    }
}

/// Runs the test once more in a process that is told of the bucket as operators do it.
fn knows_the_bucket(name: &str, endpoint: &str) {
    let mut test = own_process::test(name, endpoint, &[]);
    test.env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "somebody")
        .env("AWS_SECRET_ACCESS_KEY", "hush")
        .env("AWS_REGION", "eu-central-1");
    own_process::succeeds(test);
}

#[tokio::test]
async fn a_container_is_put_only_where_its_key_is_free() {
    const NAME: &str = "bucket::a_container_is_put_only_where_its_key_is_free";
    let signed = container(7, 1_000);
    let key = key_of(&signed);
    if own_process::part().is_some() {
        let contents = ObjectContents::open("s3://signed/of/2026").await.unwrap();
        contents.put(&key, signed.clone()).await.unwrap();
        contents.put(&key, signed.clone()).await.unwrap();
        assert_eq!(contents.get(&key).await.unwrap(), Some(signed));
        assert_eq!(keys(&contents).await, std::slice::from_ref(&key));
        contents.remove(&key).await.unwrap();
        contents.remove(&key).await.unwrap();
        assert_eq!(contents.get(&key).await.unwrap(), None);
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let bucket = Bucket::default();
    let serving = bucket.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, serving.clone()));
        }
    });
    tokio::task::spawn_blocking(move || knows_the_bucket(NAME, &endpoint)).await.unwrap();

    let path = format!("/signed/of/2026/{key}");
    let asked = bucket.lock().unwrap().asked.clone();
    let expected = [
        "PUT /signed/of/2026/ if-none-match *".to_owned(),
        "GET /signed/of/2026/".to_owned(),
        "DELETE /signed/of/2026/".to_owned(),
        format!("PUT {path} if-none-match *"),
        format!("PUT {path} if-none-match *"),
        format!("GET {path}"),
        format!("GET {path}"),
        "GET /signed?list-type=2&prefix=of%2F2026%2F".to_owned(),
        format!("DELETE {path}"),
        format!("DELETE {path}"),
        format!("GET {path}"),
    ];
    assert_eq!(asked, expected, "{DISPENSE}");
}

#[tokio::test]
async fn an_endpoint_that_answers_nothing_stops_the_start_with_its_reason() {
    const NAME: &str = "bucket::an_endpoint_that_answers_nothing_stops_the_start_with_its_reason";
    if own_process::part().is_some() {
        let error = ObjectContents::open("s3://signed/of/2026").await.unwrap_err();
        let full = in_full(&error);
        assert!(full.contains("cannot be kept at `s3://signed/of/2026`"), "{full}");
        assert!(full.contains("PUT http://127.0.0.1"), "a mere silence: {full}");
        assert!(!full.contains("hush"), "{full}");
        return;
    }
    // It takes connections, and never says a word.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    tokio::task::spawn_blocking(move || knows_the_bucket(NAME, &silent)).await.unwrap();
    drop(listener);
    // And here nobody takes them.
    let closed = "http://127.0.0.1:1".to_owned();
    tokio::task::spawn_blocking(move || knows_the_bucket(NAME, &closed)).await.unwrap();
}
