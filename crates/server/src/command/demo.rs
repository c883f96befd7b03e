//! `fkj demo`: two synthetic municipalities in one process, filled and served.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ledger::clock::{Clock, SystemClock};
use sandbox::claims::{HELSEID, IDPORTEN, audience};
use sandbox::delivery::{deliveries, live};
use sandbox::idp::provider::Provider;
use sandbox::issuer::Issuer;
use sandbox::national::National;
use sandbox::world::municipalities;
use sources::source::SourceConfig;

use crate::app::App;
use crate::command::serve::{listen, open, runtime, serve, stopped};
use crate::command::token::ISSUER_DIR;
use crate::command::{CONFIG_FILE, Failed};
use crate::config::{
    Config, IssuerConfig, LEAST_FREE_MB, LogConfig, MunicipalityConfig, REGISTER_FILE, Scheme,
    SmartConfig, write_toml,
};
use crate::fill::{deliver, fill};
use crate::outside;
use crate::token::claims::IssuerKind;

/// Arguments of `fkj demo`.
#[derive(clap::Args)]
pub struct Demo {
    /// Folder for everything the demo keeps; used again at the next start.
    #[arg(long, default_value = "./data")]
    dir: PathBuf,
    /// Address and port.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Residents in each municipality.
    #[arg(long, default_value_t = 200)]
    patients: u32,
    /// Seed of everything made up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds between new measurements of a patient on the acute ward; 0 for none.
    #[arg(long, default_value_t = 30)]
    live: u64,
    /// How the API takes tokens, chosen when the demo is made. With `dpop`, `fkj token --dpop` prints the
    /// headers of a request.
    #[arg(long, value_enum, default_value_t = Scheme::Bearer)]
    tokens: Scheme,
}

impl Demo {
    /// Makes what is missing, fills it, serves it.
    pub fn run(self) -> Result<(), Failed> {
        let listener = listen(&self.listen)?;
        let address = listener.local_addr()?;
        let path = self.dir.join(CONFIG_FILE);
        let made =
            if path.exists() { None } else { Some(make(&self.dir, &self.listen, self.tokens)?) };
        let mut config = match &made {
            Some(made) => made.clone().under(&self.dir),
            None => Config::read(&path)?,
        };
        config.public_url = format!("http://{address}");
        serve_stand_ins(&mut config, &self.dir);
        let issuer = Issuer::open(&self.dir.join(ISSUER_DIR))?;
        let app = open(&config, Some(issuer))?;
        runtime()?.block_on(async {
            match &made {
                Some(made) => {
                    self.fill(&app).await?;
                    // Written last: a folder with this file is whole.
                    write_toml(&path, "fkj; paths are relative to this file.", made)?;
                }
                None => eprintln!("{} is there already and is used as it is.", self.dir.display()),
            }
            if self.live > 0 {
                tokio::spawn(measure(app.clone(), self.seed, Duration::from_secs(self.live)));
            }
            // Not before: filling may be broken off.
            let stopped = stopped()?;
            let dir = self.dir.display();
            eprintln!("Open http://{address}/ and choose who to be. All persons are made up.");
            let proof = match config.municipalities.first().map(|it| it.tokens) {
                Some(Scheme::Dpop) => " --dpop GET URL | curl -H @- URL",
                _ => "",
            };
            eprintln!(
                "A token for the API: fkj token --dir {dir} --kommune 9901 --as utvikler{proof}"
            );
            eprintln!("Stop with Ctrl-C.");
            outside::start(&app, &config)?;
            serve(listener, app, stopped).await
        })
    }

    /// Sends what the systems of both municipalities would have sent.
    async fn fill(&self, app: &App) -> Result<(), Failed> {
        let now = SystemClock.now_ms();
        for municipality in municipalities() {
            let tenant = &app.tenants.get(municipality.number).ok_or("not configured")?.tenant;
            let deliveries = deliveries(self.seed, municipality, self.patients, now);
            let count = fill(tenant, municipality, deliveries, self.patients).await?;
            eprintln!(
                "{} {}: {count} deliveries for {} residents.",
                municipality.number, municipality.name, self.patients
            );
        }
        Ok(())
    }
}

/// The stand-ins as they are reached at this start: issuers like others, and for SMART apps the municipalities'
/// own. They are in no file, since their addresses follow the server's.
fn serve_stand_ins(config: &mut Config, dir: &Path) {
    let root = config.public_url.clone();
    for provider in Provider::ALL {
        config.issuers.push(IssuerConfig {
            name: provider.issuer(&root),
            kind: match provider {
                Provider::Helseid | Provider::Smart => IssuerKind::Helseid,
                Provider::Idporten => IssuerKind::Idporten,
                Provider::Maskinporten => IssuerKind::Maskinporten,
            },
            jwks_file: Some(dir.join(ISSUER_DIR).join("jwks.json")),
        });
    }
    let address = Provider::Smart.address(&root);
    for municipality in &mut config.municipalities {
        municipality.sources = National::ALL.map(|it| national(it, &root)).to_vec();
        municipality.smart = Some(SmartConfig {
            issuer: Provider::Smart.issuer(&root),
            jwks_uri: format!("{address}/jwks"),
            authorization_endpoint: format!("{address}/authorize"),
            token_endpoint: format!("{address}/token"),
            registration_endpoint: Some(format!("{address}/clients")),
            capabilities: SMART.iter().map(|&it| it.to_owned()).collect(),
        });
    }
}

/// A stand-in for a national source, as one that is configured.
fn national(source: National, root: &str) -> SourceConfig {
    SourceConfig {
        key: source.key().to_owned(),
        shape: source.key().to_owned(),
        title: None,
        base: format!("{root}/kilder/{}", source.key()),
        deadline_ms: 1_000,
        at_once: 32,
        headers: BTreeMap::new(),
    }
}

/// What the stand-in can do for SMART apps, by SMART's codes (SMART App Launch 2.2 §6).
const SMART: [&str; 15] = [
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
];

/// Writes the registers and the stand-in issuer's keys, and tells the configuration.
fn make(dir: &Path, listen: &str, tokens: Scheme) -> Result<Config, Failed> {
    let issuer_dir = dir.join(ISSUER_DIR);
    if issuer_dir.exists() {
        let dir = dir.display();
        return Err(format!("`{dir}` holds a demo that was never finished; delete it first").into());
    }
    std::fs::create_dir_all(&issuer_dir)?;
    Issuer::create(&issuer_dir)?;
    let jwks_file = PathBuf::from(ISSUER_DIR).join("jwks.json");
    let trusted = |name: &str, kind: IssuerKind| IssuerConfig {
        name: name.to_owned(),
        kind,
        jwks_file: Some(jwks_file.clone()),
    };
    let mut config = Config {
        listen: listen.to_owned(),
        public_url: format!("http://{listen}"),
        proofs_file: None,
        least_free_mb: LEAST_FREE_MB,
        log: LogConfig::default(),
        events: Vec::new(),
        ledger: None,
        issuers: vec![
            trusted(HELSEID, IssuerKind::Helseid),
            trusted(IDPORTEN, IssuerKind::Idporten),
        ],
        municipalities: Vec::new(),
    };
    for municipality in municipalities() {
        let directory = PathBuf::from(municipality.number);
        std::fs::create_dir_all(dir.join(&directory))?;
        write_toml(
            &dir.join(&directory).join(REGISTER_FILE),
            "What the municipality has decided: units, systems that deliver, roles that read.",
            &sandbox::register::register(municipality),
        )?;
        config.municipalities.push(MunicipalityConfig {
            number: municipality.number.to_owned(),
            audience: audience(municipality),
            directory,
            tokens,
            dpop_nonce: false,
            smart: None,
            scopes: Vec::new(),
            key: None,
            key_before: None,
            ledger: None,
            sources: Vec::new(),
        });
    }
    Ok(config)
}

/// Measures the patient of the acute ward's story again and again, so that an open board moves.
async fn measure(app: Arc<App>, seed: u64, every: Duration) {
    let mut step = 0;
    loop {
        tokio::time::sleep(every).await;
        for municipality in municipalities() {
            let Some(hosted) = app.tenants.get(municipality.number) else { continue };
            let delivery = live(seed, municipality, step, SystemClock.now_ms());
            if let Err(error) = deliver(&hosted.tenant, municipality, &delivery).await {
                tracing::warn!(%error, "a live measurement was not taken");
            }
        }
        step += 1;
    }
}
