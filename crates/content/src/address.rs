//! Where the store is, as `CONTENT_STORE_URL` says it.

use std::path::PathBuf;

use object_store::path::Path;
use url::Url;

/// A place to keep containers in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A folder of this machine, or one that is mounted here.
    Folder(PathBuf),
    /// A bucket, and what all keys in it begin with.
    Bucket { name: String, prefix: Path },
}

/// A `CONTENT_STORE_URL` that names no place.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    /// It is none of the forms that are known.
    #[error(
        "CONTENT_STORE_URL: expected `file:///folder` or `s3://bucket/prefix`, but found `{0}`; \
         an example: file:///var/lib/dispense/content"
    )]
    OtherForm(String),
    /// It has a secret in it, which is not repeated here.
    #[error(
        "CONTENT_STORE_URL: expected `s3://bucket/prefix` without a user or a password; give them \
         in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )]
    WithSecret,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, NoAddress> {
        let other = || NoAddress::OtherForm(text.to_owned());
        let url = Url::parse(text).map_err(|_| other())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NoAddress::WithSecret);
        }
        if url.query().is_some() || url.fragment().is_some() || url.port().is_some() {
            return Err(other());
        }
        match url.scheme() {
            // `file:folder` and `file://folder` parse as well, and mean something else.
            "file" if text.starts_with("file:///") && url.path() != "/" => {
                url.to_file_path().map(Self::Folder).map_err(|()| other())
            }
            "s3" => {
                let name = url.host_str().filter(|it| !it.is_empty()).ok_or_else(other)?;
                let prefix = Path::from_url_path(url.path()).map_err(|_| other())?;
                Ok(Self::Bucket { name: name.to_owned(), prefix })
            }
            _ => Err(other()),
        }
    }
}
