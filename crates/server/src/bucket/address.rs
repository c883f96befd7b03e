//! Which object store, and with what right: `s3://bucket/prefix`, and what stands in the environment or in a
//! credential of the service.
//!
//! Invariants: the secret key is never an argument, in a configuration, a log or an error. In the clear only to a
//! store on this machine. Nobody's store is the default: where a municipality's backups go is said.

use std::ffi::OsString;

use axum::http::Uri;

use super::sign::Credentials;
use crate::command::Failed;
use crate::custody::credential;
use crate::https::Https;

/// Name of the credential with the access key: its id and its secret, a line each.
const CREDENTIAL: &str = "fkj-s3";

/// A bucket, and the beginning of the names in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The bucket.
    pub bucket: String,
    /// What names begin with; empty, or ending with `/`.
    pub prefix: String,
}

impl Address {
    /// Reads `s3://bucket/prefix`; nothing for what does not begin so.
    ///
    /// # Errors
    /// Names that would have to be escaped.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let is_plain = rest.bytes().all(plain) && !rest.contains("..") && !prefix.contains("//");
        if bucket.is_empty() || !is_plain {
            return Some(Err(format!(
                "`{text}`: write s3://bucket/prefix, of letters, digits, `-`, `_`, `.` and `/`"
            )));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Some(Ok(Self { bucket: bucket.to_owned(), prefix }))
    }
}

/// A store, as the environment names it.
pub struct Store {
    /// Its address, without a path.
    pub endpoint: Uri,
    /// Its region; many stores have none and take any.
    pub region: String,
    /// The access key.
    pub credentials: Credentials,
}

impl Store {
    /// From the variables that other programs for such stores go by, and the key from the credential `fkj-s3`
    /// where the service has one.
    ///
    /// # Errors
    /// What is missing or cannot be used.
    pub fn from_environment() -> Result<Self, Failed> {
        let text = |name: &str| std::env::var_os(name).map(OsString::into_string);
        let variable = |name: &str| match text(name) {
            Some(Ok(value)) => Ok(Some(value).filter(|value| !value.is_empty())),
            Some(Err(_)) => Err(Failed::from(format!("`{name}` is no text"))),
            None => Ok(None),
        };
        let needed = |name: &str| {
            let missing =
                format!("the environment has no `{name}`, which a store for backups needs");
            variable(name)?.ok_or_else(|| Failed::from(missing))
        };
        let endpoint = needed("AWS_ENDPOINT_URL")?;
        let uri: Uri = endpoint
            .parse()
            .map_err(|_| format!("AWS_ENDPOINT_URL: `{endpoint}` is no address"))?;
        if !Https::may_reach(&uri) || uri.path() != "/" {
            return Err("AWS_ENDPOINT_URL: write https://host:port; http is for a store on this machine only".into());
        }
        let held = match std::env::var_os("CREDENTIALS_DIRECTORY") {
            Some(folder) if std::path::Path::new(&folder).join(CREDENTIAL).exists() => {
                Some(String::from_utf8(credential(CREDENTIAL)?)?)
            }
            _ => None,
        };
        let credentials = match held {
            Some(held) => {
                let mut lines = held.lines().map(str::trim).filter(|line| !line.is_empty());
                let (id, secret) = (lines.next(), lines.next());
                let (Some(id), Some(secret)) = (id, secret) else {
                    return Err(format!(
                        "the credential `{CREDENTIAL}` is not two lines: key id, secret"
                    )
                    .into());
                };
                Credentials { id: id.to_owned(), secret: secret.to_owned(), token: None }
            }
            None => Credentials {
                id: needed("AWS_ACCESS_KEY_ID")?,
                secret: needed("AWS_SECRET_ACCESS_KEY")?,
                token: variable("AWS_SESSION_TOKEN")?,
            },
        };
        let region = variable("AWS_REGION")?.unwrap_or_else(|| "us-east-1".to_owned());
        Ok(Self { endpoint: uri, region, credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_what_names_begin_with() {
        let told = |text| {
            let read = Address::parse(text)?;
            Some(read.map(|it| (it.bucket, it.prefix)).map_err(drop))
        };
        let is = |bucket: &str, prefix: &str| Some(Ok((bucket.to_owned(), prefix.to_owned())));
        assert_eq!(told("s3://backups"), is("backups", ""));
        assert_eq!(told("s3://backups/fkj/a/"), is("backups", "fkj/a/"));
        for wrong in ["s3://", "s3:///a", "s3://b/å", "s3://b/../c", "s3://b/a//b", "s3://b/a?c"] {
            assert_eq!(told(wrong), Some(Err(())), "{wrong}");
        }
        assert_eq!(told("/mnt/backups"), None);
    }
}
