//! An address as DPoP compares it: scheme, host and path, without query and fragment, after the
//! normalisation of RFC 3986 §6.2.2 and 6.2.3 (RFC 9449 §4.3, point 9).

use axum::http::Uri;

/// Normalises an absolute HTTP address; `None` where it is none, or names a user.
pub fn normal(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let authority = uri.authority()?.as_str().to_ascii_lowercase();
    if authority.contains('@') {
        return None;
    }
    let default = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    // A colon without a port means the default one too.
    let host =
        authority.strip_suffix(default).or(authority.strip_suffix(':')).unwrap_or(&authority);
    Some(format!("{scheme}://{host}{}", path(uri.path())?))
}

/// A path with percent-encoding as it must be and nowhere else, and without dot segments.
fn path(path: &str) -> Option<String> {
    let plain = unescape(path)?;
    let mut segments: Vec<&str> = Vec::new();
    for segment in plain.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    // "/a/." and "/a/.." end in a slash.
    if plain.ends_with("/.") || plain.ends_with("/..") {
        segments.push("");
    }
    Some(format!("/{}", segments.join("/")))
}

/// Takes away the escapes of unreserved characters, and writes the others in capitals.
fn unescape(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            plain.push(char::from(byte));
        } else {
            plain.push('%');
            plain.push_str(&digits.to_ascii_uppercase());
        }
        plain.push_str(rest);
    }
    Some(plain)
}
