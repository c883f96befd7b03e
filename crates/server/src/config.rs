//! `fkj.toml`: where the server listens, which issuers it trusts, which municipalities it serves.
//!
//! Paths in the file are relative to the file. Each municipality has a folder with its ledgers and
//! a `register.toml` with what it has decided.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use access::register::Register;
use serde::{Deserialize, Serialize};
use sources::source::SourceConfig;

use crate::custody::config::KeyConfig;
use crate::token::address;
use crate::token::claims::IssuerKind;
use crate::token::verify::Demands;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read or written.
    #[error("`{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not valid.
    #[error("`{path}`: {message}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Why, with line and column where TOML tells.
        message: String,
    },
}

/// The whole file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port.
    pub listen: String,
    /// Start of absolute links, such as `https://fkj.dalfjord.example`.
    pub public_url: String,
    /// File in which the servers of this machine remember DPoP proofs together; each in its own memory
    /// where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proofs_file: Option<PathBuf>,
    /// Megabytes that are kept free on the disk: with less, nothing more is taken, while what is there is read.
    #[serde(default = "least_free")]
    pub least_free_mb: u64,
    /// What of the log leaves for others to keep.
    #[serde(default, skip_serializing_if = "LogConfig::is_default")]
    pub log: LogConfig,
    /// Brokers that are told that something happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<BrokerConfig>,
    /// The database that the municipalities' ledgers are in, to be shared by several servers; each in files of
    /// its folder where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerConfig>,
    /// Issuers whose tokens are accepted.
    pub issuers: Vec<IssuerConfig>,
    /// Municipalities served.
    pub municipalities: Vec<MunicipalityConfig>,
}

/// Megabytes kept free where nothing is said: room for what the log of looks, the view and their write-ahead
/// files need until somebody has come.
pub const LEAST_FREE_MB: u64 = 256;

fn least_free() -> u64 {
    LEAST_FREE_MB
}

/// What of the log leaves for others to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Where signed checkpoints are written: a folder that is there, or a file to append to. To be
    /// outside the data folder, best where nothing can be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<PathBuf>,
    /// How often what is new is signed, beside every 1,024 entries.
    pub checkpoint_seconds: u64,
    /// Where entries are sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub export: Vec<ExportConfig>,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { checkpoints: None, checkpoint_seconds: 600, export: Vec::new() }
    }
}

impl LogConfig {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A receiver of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportConfig {
    /// Name, in the files that keep how far it is.
    pub name: String,
    /// `https://…/v1/logs` (OTLP), `syslog+tls://host:port`, `syslog+tcp://…`, `syslog+udp://…`, or
    /// `unix:///dev/log`.
    pub to: String,
    /// Headers of OTLP requests, such as a key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// A NATS JetStream that gets thin CloudEvents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerConfig {
    /// Name, in the files that keep how far it is.
    pub name: String,
    /// `tls://host:4222`, several with commas between; `nats://` for one on this machine.
    pub to: String,
    /// Its credentials file (`.creds`), where it asks who comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<PathBuf>,
    /// Start of subjects and streams.
    #[serde(default = "subject_prefix")]
    pub prefix: String,
    /// Copies that a new stream keeps.
    #[serde(default = "one")]
    pub replicas: usize,
    /// Days that a new stream keeps events.
    #[serde(default = "a_week")]
    pub days: u64,
}

fn subject_prefix() -> String {
    "fkj".to_owned()
}

fn one() -> usize {
    1
}

fn a_week() -> u64 {
    7
}

/// A PostgreSQL database that ledgers are in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerConfig {
    /// `postgres://user@host/database`, several hosts with commas between; without a password.
    pub url: String,
    /// File with the password, where the database asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// File with the certificates of the authorities to trust, as PEM; those of the machine where it is left
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<PathBuf>,
}

/// A trusted issuer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// `iss`, exactly.
    pub name: String,
    /// What it is, and so how its claims are read.
    pub kind: IssuerKind,
    /// File with its public keys as a JWK set; where it is left out, the issuer publishes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_file: Option<PathBuf>,
}

/// A municipality served here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MunicipalityConfig {
    /// Municipality number.
    pub number: String,
    /// `aud` of the tokens for it.
    pub audience: String,
    /// Its folder.
    pub directory: PathBuf,
    /// How tokens are sent to it; never both ways.
    #[serde(default)]
    pub tokens: Scheme,
    /// Whether DPoP proofs must hold a nonce that this server gave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dpop_nonce: bool,
    /// The authorization server that launches SMART apps, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smart: Option<SmartConfig>,
    /// Scopes of which a token must hold one; `{audience}/api` where it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The database that its ledgers are in, where that is not the one of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerConfig>,
    /// What keeps its key; the file `municipality.key` in its folder where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyConfig>,
    /// What kept its key before, until `fkj keys rotate` has been run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_before: Option<KeyConfig>,
    /// Who else is asked what they hold about its residents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceConfig>,
}

/// An authorization server as SMART apps find it (SMART App Launch 2.2 §6). Its tokens are accepted where it
/// stands among the issuers too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmartConfig {
    /// Its `iss`.
    pub issuer: String,
    /// Where its public keys are.
    pub jwks_uri: String,
    /// Where people log in.
    pub authorization_endpoint: String,
    /// Where tokens are had.
    pub token_endpoint: String,
    /// Where clients are registered, if they may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// What it can do, by SMART's codes, such as `launch-ehr`.
    pub capabilities: Vec<String>,
}

/// How an access token is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// With a proof that the sender holds the key it is bound to (RFC 9449).
    #[default]
    Dpop,
    /// By whoever holds it (RFC 6750).
    Bearer,
}

impl Scheme {
    /// Its name in the header `Authorization`.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Dpop => "DPoP",
            Scheme::Bearer => "Bearer",
        }
    }
}

/// Name of a municipality's register in its folder.
pub const REGISTER_FILE: &str = "register.toml";

impl Config {
    /// Reads the file; its paths become absolute or relative to where the process runs.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let config: Self = read_toml(path)?;
        config
            .check()
            .map_err(|message| ConfigError::Content { path: path.to_owned(), message })?;
        Ok(config.under(path.parent().unwrap_or(Path::new("."))))
    }

    /// With its paths relative to where the process runs instead of to `base`.
    pub fn under(mut self, base: &Path) -> Self {
        for issuer in &mut self.issuers {
            issuer.jwks_file = issuer.jwks_file.take().map(|file| base.join(file));
        }
        self.proofs_file = self.proofs_file.map(|file| base.join(file));
        self.log.checkpoints = self.log.checkpoints.map(|place| base.join(place));
        for broker in &mut self.events {
            broker.credentials = broker.credentials.take().map(|file| base.join(file));
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.be_under(base);
        }
        for municipality in &mut self.municipalities {
            municipality.directory = base.join(&municipality.directory);
            if let Some(ledger) = &mut municipality.ledger {
                ledger.be_under(base);
            }
            municipality.ledger = municipality.ledger.take().or_else(|| self.ledger.clone());
            let keys = [&mut municipality.key, &mut municipality.key_before];
            keys.into_iter().flatten().for_each(|key| key.be_under(base));
        }
        self
    }

    /// What must not stand twice: an issuer's name, since its kind decides how its claims are read, and an
    /// audience, since it alone tells one municipality's tokens from another's.
    fn check(&self) -> Result<(), String> {
        let twice = |names: Vec<&str>| {
            let mut known = BTreeSet::new();
            names.into_iter().find(|name| !known.insert(*name)).map(str::to_owned)
        };
        if let Some(name) = twice(self.issuers.iter().map(|it| it.name.as_str()).collect()) {
            return Err(format!("issuer `{name}` stands twice; give it one `kind`"));
        }
        if let Some(name) =
            twice(self.municipalities.iter().map(|it| it.audience.as_str()).collect())
        {
            return Err(format!("audience `{name}` stands twice; give each municipality its own"));
        }
        let exports = ("export", self.log.export.iter().map(|it| it.name.as_str()).collect());
        let brokers = ("events", self.events.iter().map(|it| it.name.as_str()).collect());
        for (what, names) in [exports, brokers] {
            let names: Vec<&str> = names;
            if let Some(name) = names.iter().find(|name| !is_plain(name)) {
                return Err(format!("{what} `{name}`: a name is letters, digits and `-`"));
            }
            if let Some(name) = twice(names) {
                return Err(format!("{what} `{name}` stands twice; give each its own name"));
            }
        }
        if let Some(broker) = self.events.iter().find(|it| !is_plain(&it.prefix)) {
            return Err(format!("events `{}`: a prefix is letters, digits and `-`", broker.name));
        }
        match address::normal(&self.public_url) {
            Some(_) => Ok(()),
            None => Err(format!("public_url `{}` is no http or https address", self.public_url)),
        }
    }

    /// With the ledgers of all its municipalities in one database.
    pub fn be_in(&mut self, ledger: &LedgerConfig) {
        self.ledger = Some(ledger.clone());
        for municipality in &mut self.municipalities {
            municipality.ledger = Some(ledger.clone());
        }
    }

    /// The municipality with this number.
    pub fn municipality(&self, number: &str) -> Option<&MunicipalityConfig> {
        self.municipalities.iter().find(|it| it.number == number)
    }
}

/// Whether a name may be a part of a file's and a subject's.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

impl LedgerConfig {
    /// The database that an address names.
    pub fn at(url: String) -> Self {
        Self { url, password_file: None, roots: None }
    }

    fn be_under(&mut self, base: &Path) {
        for file in [&mut self.password_file, &mut self.roots].into_iter().flatten() {
            *file = base.join(&file);
        }
    }
}

impl MunicipalityConfig {
    /// What it asks of tokens.
    pub fn demands(&self) -> Demands {
        let own = || vec![format!("{}/api", self.audience)];
        let scopes = if self.scopes.is_empty() { own() } else { self.scopes.clone() };
        let (audience, scheme, nonce) = (self.audience.clone(), self.tokens, self.dpop_nonce);
        Demands { audience, scopes, scheme, nonce }
    }

    /// What the municipality has decided.
    pub fn register(&self) -> Result<Register, ConfigError> {
        let path = self.directory.join(REGISTER_FILE);
        let register: Register = read_toml(&path)?;
        if register.number != self.number {
            let message = format!(
                "the register is for municipality `{}`, and the configuration says `{}`",
                register.number, self.number
            );
            return Err(ConfigError::Content { path, message });
        }
        Ok(register)
    }
}

/// Reads a TOML file.
fn read_toml<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, ConfigError> {
    let text = read_text(path)?;
    toml::from_str(&text)
        .map_err(|error| ConfigError::Content { path: path.to_owned(), message: error.to_string() })
}

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })
}

/// Writes a TOML file with a comment at its top.
pub fn write_toml(path: &Path, comment: &str, value: &impl Serialize) -> Result<(), ConfigError> {
    let text = toml::to_string(value).map_err(|error| ConfigError::Content {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    std::fs::write(path, format!("# {comment}\n\n{text}"))
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })
}
