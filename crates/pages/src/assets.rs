//! Style sheets, scripts and icon, part of the binary.

/// The policy under which every page works.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// Every asset: file name, content type and bytes.
pub const ALL: [(&str, &str, &[u8]); 5] = [
    ("docs.css", "text/css; charset=utf-8", include_bytes!("../assets/docs.css")),
    ("docs.js", "text/javascript; charset=utf-8", include_bytes!("../assets/docs.js")),
    ("fkj.css", "text/css; charset=utf-8", include_bytes!("../assets/fkj.css")),
    ("fkj.svg", "image/svg+xml", include_bytes!("../assets/fkj.svg")),
    ("tavle.js", "text/javascript; charset=utf-8", include_bytes!("../assets/tavle.js")),
];

/// Content type and bytes of the file of this name.
pub fn get(file: &str) -> Option<(&'static str, &'static [u8])> {
    ALL.into_iter().find(|(name, _, _)| *name == file).map(|(_, kind, bytes)| (kind, bytes))
}
