//! `[municipalities.key]` in `fkj.toml`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What keeps a municipality's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeyConfig {
    /// A file of 32 bytes.
    File {
        /// The file.
        path: PathBuf,
    },
    /// A file that a passphrase opens, as `fkj keys new` makes it.
    SealedFile {
        /// The file.
        path: PathBuf,
        /// Where the passphrase is; asked for at the terminal when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passphrase: Option<PassphraseFrom>,
    },
    /// A credential that systemd gives the service: 32 bytes or their base64.
    Credential {
        /// Its name.
        name: String,
    },
    /// A variable of the environment with the base64 of 32 bytes.
    Environment {
        /// Its name.
        name: String,
    },
    /// The secrets engine `transit` of HashiCorp Vault.
    Vault(VaultConfig),
}

/// Where a passphrase is. Never itself in a configuration or an argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum PassphraseFrom {
    /// In a file.
    File {
        /// The file.
        file: PathBuf,
    },
    /// In a credential that systemd gives the service.
    Credential {
        /// Its name.
        credential: String,
    },
}

/// A key in HashiCorp Vault's secrets engine `transit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// Such as `https://vault.dalfjord.example:8200`.
    pub address: String,
    /// Name of the key.
    pub key: String,
    /// File with the token, read at each call, so that an agent can renew it.
    pub token_file: PathBuf,
    /// Where the engine is mounted.
    #[serde(default = "transit")]
    pub mount: String,
    /// The namespace, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

fn transit() -> String {
    "transit".to_owned()
}

impl KeyConfig {
    /// Its paths become relative to where the process runs instead of to `base`.
    pub fn be_under(&mut self, base: &Path) {
        let join = |path: &mut PathBuf| *path = base.join(&*path);
        match self {
            KeyConfig::File { path } => join(path),
            KeyConfig::SealedFile { path, passphrase } => {
                join(path);
                if let Some(PassphraseFrom::File { file }) = passphrase {
                    join(file);
                }
            }
            KeyConfig::Vault(vault) => join(&mut vault.token_file),
            KeyConfig::Credential { .. } | KeyConfig::Environment { .. } => {}
        }
    }

    /// What it is, for who asks how keys stand.
    pub fn told(&self) -> String {
        match self {
            KeyConfig::File { path } => format!("the file `{}`", path.display()),
            KeyConfig::SealedFile { path, .. } => {
                format!("the file `{}` behind a passphrase", path.display())
            }
            KeyConfig::Credential { name } => format!("the credential `{name}`"),
            KeyConfig::Environment { name } => format!("the variable `{name}`"),
            KeyConfig::Vault(vault) => {
                format!("the key `{}` of Vault at {}", vault.key, vault.address)
            }
        }
    }
}
