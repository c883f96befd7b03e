//! Signing requests to an object store: AWS Signature Version 4 (Amazon S3 API reference, "Authenticating
//! requests: using the Authorization header"), which on-premises stores take too.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use ledger::crypto::sha256;

/// What a request is signed with.
#[derive(Clone)]
pub struct Credentials {
    /// Access key id.
    pub id: String,
    /// Secret access key. Never printed.
    pub secret: String,
    /// Token of a session, where the key is of one.
    pub token: Option<String>,
}

/// A request, as far as its signature says it.
pub struct Asked<'a> {
    /// Method.
    pub method: &'a str,
    /// Path of the address, of characters that need no escape.
    pub path: &'a str,
    /// Names and values of the query, unescaped, in the order of their names.
    pub query: &'a [(&'a str, &'a str)],
    /// Lower-case names and values of the headers, in the order of their names.
    pub headers: &'a [(&'a str, &'a str)],
    /// SHA-256 of the body.
    pub body: [u8; 32],
    /// The time, as `20261123T120000Z`.
    pub time: &'a str,
    /// The store's region.
    pub region: &'a str,
}

impl Credentials {
    /// The header `Authorization`.
    pub fn authorization(&self, asked: &Asked<'_>) -> String {
        let names: Vec<&str> = asked.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let headers: String = asked
            .headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let canonical =
            [asked.method, asked.path, &query(asked.query), &headers, &names, &hex(&asked.body)]
                .join("\n");
        let date = asked.time.get(..8).unwrap_or_default();
        let scope = format!("{date}/{}/s3/aws4_request", asked.region);
        let digest = hex(&sha256(&[canonical.as_bytes()]));
        let signed = ["AWS4-HMAC-SHA256", asked.time, &scope, &digest].join("\n");
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [date, asked.region, "s3", "aws4_request", &signed] {
            key = hmac::sign(&Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
        }
        let (id, signature) = (&self.id, hex(&key));
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope},SignedHeaders={names},Signature={signature}"
        )
    }
}

/// A query as it is sent and signed.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the page that the module names.
    #[test]
    fn signatures_are_those_that_amazon_publishes() {
        let credentials = Credentials {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
        };
        let (time, region, body) = ("20130524T000000Z", "us-east-1", sha256(&[]));
        let (host, empty) = (("host", "examplebucket.s3.amazonaws.com"), hex(&body));
        let (hashed, dated) = (("x-amz-content-sha256", empty.as_str()), ("x-amz-date", time));
        let get = Asked {
            method: "GET",
            path: "/test.txt",
            query: &[],
            headers: &[host, ("range", "bytes=0-9"), hashed, dated],
            body,
            time,
            region,
        };
        let list = Asked {
            path: "/",
            query: &[("max-keys", "2"), ("prefix", "J")],
            headers: &[host, hashed, dated],
            ..get
        };
        for (asked, signature) in [
            (get, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            (list, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let header = credentials.authorization(&asked);
            assert!(header.ends_with(&format!("Signature={signature}")), "{header}");
        }
    }
}
