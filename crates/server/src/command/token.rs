//! `fkj token`: an access token from the demo's stand-in issuer, for trying the API.

use std::path::PathBuf;

use ledger::clock::{Clock, SystemClock};
use ledger::random::{Random, SystemRandom};
use sandbox::claims::{Role, TokenRequest, roles};
use sandbox::holder::{Holder, ProofOf};
use sandbox::issuer::Issuer;

use crate::command::Failed;

/// Arguments of `fkj token`.
#[derive(clap::Args)]
pub struct Token {
    /// Folder of the demo.
    #[arg(long, default_value = "./data")]
    dir: PathBuf,
    /// Municipality number.
    #[arg(long, default_value = "9901")]
    kommune: String,
    /// Whom the token is for, such as `plo-epj`, `legevaktslege` or `innbygger`.
    #[arg(long = "as", value_name = "ROLE")]
    role: String,
    /// Identity number, for `innbygger`.
    #[arg(long)]
    pid: Option<String>,
    /// Print the two headers of one request, with a token bound to a key made for it and a proof; good
    /// for ten seconds: `fkj token --as utvikler --dpop GET URL | curl -H @- URL`.
    #[arg(long, num_args = 2, value_names = ["METHOD", "URL"])]
    dpop: Option<Vec<String>>,
}

/// Folder of the stand-in issuer in a demo's folder.
pub const ISSUER_DIR: &str = "sandbox";

impl Token {
    /// Prints the token.
    pub fn run(self) -> Result<(), Failed> {
        let role = Role::from_key(&self.role).ok_or_else(|| {
            let known: Vec<&str> = roles().iter().map(|info| info.key).collect();
            format!("no role `{}`; the roles are {}", self.role, known.join(", "))
        })?;
        let issuer = Issuer::open(&self.dir.join(ISSUER_DIR))?;
        let request = request(self.kommune, role, self.pid)?;
        match self.dpop.as_deref() {
            Some([method, address]) => println!("{}", headers(&issuer, &request, method, address)?),
            _ => println!("{}", issuer.token(&request)?),
        }
        Ok(())
    }
}

/// The headers of one request, each on a line.
fn headers(
    issuer: &Issuer,
    request: &TokenRequest,
    method: &str,
    address: &str,
) -> Result<String, Failed> {
    let holder = Holder::new()?;
    let token = issuer.bound_token(request, &holder.thumbprint()?)?;
    let proof = holder.proof(&ProofOf {
        method,
        address,
        token: &token,
        now_s: request.now_s,
        jti: &random_id()?,
    })?;
    Ok(format!("Authorization: DPoP {token}\nDPoP: {proof}"))
}

/// A request for a token that is valid from now.
pub fn request(
    municipality: String,
    role: Role,
    pid: Option<String>,
) -> Result<TokenRequest, Failed> {
    Ok(TokenRequest {
        municipality,
        role,
        pid,
        now_s: SystemClock.now_ms() / 1000,
        jti: random_id()?,
    })
}

fn random_id() -> Result<String, Failed> {
    let mut id = [0; 16];
    SystemRandom.fill(&mut id)?;
    Ok(format!("{:032x}", u128::from_be_bytes(id)))
}
