//! `fkj.toml`: where the server listens, which issuers it trusts, which municipalities it serves.
//!
//! Paths in the file are relative to the file. Each municipality has a folder with its ledgers and
//! a `register.toml` with what it has decided.

use std::path::{Path, PathBuf};

use access::register::Register;
use serde::{Deserialize, Serialize};

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
    /// Issuers whose tokens are accepted.
    pub issuers: Vec<IssuerConfig>,
    /// Municipalities served.
    pub municipalities: Vec<MunicipalityConfig>,
}

/// A trusted issuer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// `iss`, exactly.
    pub name: String,
    /// File with its public keys as a JWK set.
    pub jwks_file: PathBuf,
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
}

/// Name of a municipality's register in its folder.
pub const REGISTER_FILE: &str = "register.toml";

impl Config {
    /// Reads the file; its paths become absolute or relative to where the process runs.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let config: Self = read_toml(path)?;
        Ok(config.under(path.parent().unwrap_or(Path::new("."))))
    }

    /// With its paths relative to where the process runs instead of to `base`.
    pub fn under(mut self, base: &Path) -> Self {
        for issuer in &mut self.issuers {
            issuer.jwks_file = base.join(&issuer.jwks_file);
        }
        for municipality in &mut self.municipalities {
            municipality.directory = base.join(&municipality.directory);
        }
        self
    }

    /// The municipality with this number.
    pub fn municipality(&self, number: &str) -> Option<&MunicipalityConfig> {
        self.municipalities.iter().find(|it| it.number == number)
    }
}

impl MunicipalityConfig {
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
