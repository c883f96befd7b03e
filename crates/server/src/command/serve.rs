//! `fkj serve`: serve the municipalities of a configuration file until told to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use exchange::tenant::{Environment, Tenant};
use ledger::clock::{Clock, SystemClock};
use ledger::random::{Random, SystemRandom};
use parking_lot::Mutex;
use sandbox::idp::desk::Desk;
use sandbox::issuer::Issuer;
use sources::source::Sources;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Described, Hosted};
use crate::carrier::HttpCarrier;
use crate::command::Failed;
use crate::config::{Config, LedgerConfig, MunicipalityConfig};
use crate::custody;
use crate::databases::Databases;
use crate::outside;
use crate::routes::router;
use crate::token::fetch::{Discovery, Source};
use crate::token::keys::KeyRing;
use crate::token::nonce::Nonces;
use crate::token::replay::{Memory, Replay};
use crate::token::replay_file::Shared;
use crate::token::verify::{TrustedIssuer, Verifier};

/// Arguments of `fkj serve`.
#[derive(clap::Args)]
pub struct Serve {
    /// The configuration file.
    #[arg(long, default_value = "fkj.toml")]
    config: PathBuf,
    /// The database that the municipalities' ledgers are in, such as `postgres://fkj@db1,db2/fkj`, instead of what
    /// `ledger` of the configuration names.
    #[arg(long)]
    ledger: Option<String>,
}

impl Serve {
    /// Serves until interrupted.
    pub fn run(self) -> Result<(), Failed> {
        let mut config = Config::read(&self.config)?;
        if let Some(url) = self.ledger {
            config.be_in(&LedgerConfig::at(url));
        }
        let listener = listen(&config.listen)?;
        let app = open(&config, None)?;
        runtime()?.block_on(async {
            let stopped = stopped()?;
            eprintln!("fkj serves on http://{}", listener.local_addr()?);
            outside::start(&app, &config)?;
            serve(listener, app, stopped).await
        })
    }
}

/// The clock and randomness of the machine.
pub fn environment() -> Environment {
    Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
}

/// The runtime every serving command uses.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Opens everything a configuration names.
pub fn open(config: &Config, demo: Option<Issuer>) -> Result<Arc<App>, Failed> {
    let environment = environment();
    let verifier = verifier(config, environment.clock.clone())?;
    let mut databases = Databases::default();
    let mut tenants = BTreeMap::new();
    let mut closed = BTreeSet::new();
    for municipality in &config.municipalities {
        let number = municipality.number.clone();
        match tenant_in(municipality, environment.clone(), &mut databases) {
            Ok(tenant) => {
                tenant.keep_free(config.least_free_mb << 20);
                let hosted = Hosted {
                    tenant: Arc::new(tenant),
                    demands: municipality.demands(),
                    smart: municipality.smart.clone(),
                    described: Described::default(),
                };
                tenants.insert(number, hosted);
            }
            // One municipality's fault must not stop the others.
            Err(error) => {
                tracing::error!(number, "not opened: {error}");
                closed.insert(number);
            }
        }
    }
    if tenants.is_empty() {
        return Err("no municipality could be opened".into());
    }
    let public_url = config.public_url.trim_end_matches('/').to_owned();
    let demo = demo.map(Arc::new);
    let desk = match &demo {
        Some(issuer) => {
            let mut secret = [0; 32];
            SystemRandom.fill(&mut secret)?;
            Some(Mutex::new(Desk::new(&public_url, issuer.clone(), &secret)))
        }
        None => None,
    };
    let faults = Mutex::default();
    Ok(Arc::new(App { tenants, closed, verifier, public_url, demo, desk, faults }))
}

/// Verifies the tokens of the issuers a configuration names.
fn verifier(config: &Config, clock: Arc<dyn Clock>) -> Result<Verifier, Failed> {
    let mut issuers = Vec::new();
    for issuer in &config.issuers {
        let source = match &issuer.jwks_file {
            Some(file) => Source::File(file.clone()),
            None => Source::Discovery(Box::new(Discovery::new(&issuer.name, issuer.kind)?)),
        };
        let keys = Arc::new(KeyRing::new(issuer.name.clone(), source, clock.clone())?);
        issuers.push(TrustedIssuer { name: issuer.name.clone(), kind: issuer.kind, keys });
    }
    let mut secret = [0; 32];
    SystemRandom.fill(&mut secret)?;
    let replay: Box<dyn Replay> = match &config.proofs_file {
        Some(file) => {
            let shared = Shared::open(file)?;
            secret = shared.secret(&secret)?;
            Box::new(shared)
        }
        None => Box::new(Memory::default()),
    };
    Ok(Verifier::new(issuers, replay, Nonces::new(&secret), clock))
}

/// Opens a municipality with the key that its configuration names.
pub fn tenant(
    municipality: &MunicipalityConfig,
    environment: Environment,
) -> Result<Tenant, Failed> {
    tenant_in(municipality, environment, &mut Databases::default())
}

fn tenant_in(
    municipality: &MunicipalityConfig,
    environment: Environment,
    databases: &mut Databases,
) -> Result<Tenant, Failed> {
    // First, since a new municipality's key is made with its folder: nothing is made of one without a register.
    let (directory, register) = (&municipality.directory, municipality.register()?);
    let service = custody::service(municipality, &environment.random)?;
    let sources = Sources::new(&municipality.sources, Arc::new(HttpCarrier::default()))?;
    let tenant = match &municipality.ledger {
        None => Tenant::open_with(directory, register, environment, service)?,
        Some(config) => {
            let database = databases.of(config)?;
            Tenant::open_in(directory, register, environment, service, &database)?
        }
    };
    Ok(tenant.asking(sources))
}

/// Takes the address, before anything else is done: a second start fails at once.
pub fn listen(address: &str) -> Result<TcpListener, Failed> {
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until `stopped`; what has begun is finished first.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failed> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let warmed = app.clone();
    tokio::spawn(async move { warmed.verifier.warm().await });
    for hosted in app.tenants.values() {
        tokio::spawn(watch_log(hosted.tenant.clone()));
    }
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stopped).await?;
    Ok(())
}

/// Analyses the log of a municipality now and then, on a thread of its own, until the server ends.
async fn watch_log(tenant: Arc<Tenant>) {
    loop {
        // Settings are read each time, so that what is changed counts from the next run.
        let minutes = match tenant.vigilance_settings() {
            Ok(settings) => settings.every_minutes,
            Err(error) => {
                tracing::error!(%error, "the log is not analysed");
                NEXT_LOOK
            }
        };
        let wait = if minutes == 0 { NEXT_LOOK } else { minutes };
        tokio::time::sleep(Duration::from_secs(60) * wait).await;
        if minutes == 0 {
            continue;
        }
        let analysed = tenant.clone();
        match tokio::task::spawn_blocking(move || analysed.analyse_settled()).await {
            Ok(Ok(ran)) if ran.days > 0 => {
                tracing::info!(days = ran.days, findings = ran.findings, "the log is analysed");
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the log could not be analysed"),
            Err(error) => tracing::error!(%error, "the analysis of the log has ended"),
        }
    }
}

/// Minutes until settings that say nothing useful are read again.
const NEXT_LOOK: u32 = 60;

/// Interrupt or termination, from now on: taken before it is told that fkj serves, so that whoever then ends it
/// ends it in order.
pub fn stopped() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}
