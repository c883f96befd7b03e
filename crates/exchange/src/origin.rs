//! Where a request came from, for the audit ledger: known at the edge, needed where a record is
//! written, and nothing that any decision in between may rest on. So it goes along with the task that
//! serves the request instead of through every signature.

use std::net::IpAddr;

tokio::task_local! {
    static CURRENT: Origin;
}

/// Where a request came from. The default is work of the platform's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the request; empty where there is none.
    pub request: String,
    /// What kind of network it came from, as far as the server sees: behind a proxy, the proxy's.
    pub network: Option<Network>,
}

/// What kind of network an address is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The machine itself.
    Loopback,
    /// A private network (RFC 1918, RFC 4193) or link.
    Private,
    /// Anywhere else.
    Public,
}

impl Network {
    /// The kind of network of an address.
    pub fn of(address: IpAddr) -> Self {
        let (loopback, private) = match address.to_canonical() {
            IpAddr::V4(it) => (it.is_loopback(), it.is_private() || it.is_link_local()),
            IpAddr::V6(it) => {
                (it.is_loopback(), it.is_unique_local() || it.is_unicast_link_local())
            }
        };
        match (loopback, private) {
            (true, _) => Network::Loopback,
            (_, true) => Network::Private,
            _ => Network::Public,
        }
    }

    /// Key, as the audit ledger has it.
    pub fn key(self) -> &'static str {
        match self {
            Network::Loopback => "loopback",
            Network::Private => "private",
            Network::Public => "public",
        }
    }
}

impl Origin {
    /// That of the task that is running.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Does work as of this origin.
    pub async fn during<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }
}
