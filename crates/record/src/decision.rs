//! The frozen wire format of an administrative decision, version 1: JSON, the body of an entry of
//! [`crate::entry::Kind::Decision`].
//!
//! A decision says who decided what and why; when is the entry's own time. What a part of the register
//! holds is the part's own JSON, to which the register gives meaning. Invariant: a body that is not
//! understood to the last member is refused, never read in part. A decision that a newer version of the
//! platform made could be the one that closes something.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalogue::CategoryKey;
use crate::entry::Position;

/// Category of the entries of decisions. It is not in the catalogue: no role and no agreement opens it.
pub const ADMINISTRATION: CategoryKey = "administration";

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Format version.
    pub v: u8,
    /// Who decided.
    pub who: Who,
    /// Why, in the decider's own words.
    pub why: String,
    /// What changes.
    pub change: Change,
}

/// Who decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// Name of the person, or what stands in for one, such as the file of a founding.
    pub name: String,
    /// Who it is as the register has it, or the subject of the login; nobody where an operator's command
    /// decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The client that was used.
    pub client: String,
}

/// A part of the register: a list, whose members have keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Something that stands once: name, organisation, which identity numbers are accepted.
    Setting,
    /// A unit, by organisation number.
    Unit,
    /// A role that reads, by key.
    Role,
    /// An agreement with a system that delivers.
    Agreement,
    /// A vendor, by organisation number.
    Vendor,
    /// A vendor's system.
    System,
    /// A processor agreement (GDPR article 28).
    Processor,
    /// An agreement between controllers (pasientjournalloven §9, §19).
    Sharing,
    /// An information service that the municipality has adopted.
    Service,
    /// The outcome of an impact and risk assessment, which opens or closes a category or service.
    Gate,
    /// A kill switch that is thrown.
    Switch,
    /// A purpose of use, by its code.
    Purpose,
    /// A policy of the municipality's own.
    Policy,
    /// Somebody who administers the register.
    Admin,
}

impl Part {
    /// Every part, in the order a register is told in.
    pub const ALL: [Part; 14] = [
        Part::Setting,
        Part::Purpose,
        Part::Unit,
        Part::Role,
        Part::Agreement,
        Part::Vendor,
        Part::System,
        Part::Processor,
        Part::Sharing,
        Part::Service,
        Part::Gate,
        Part::Switch,
        Part::Policy,
        Part::Admin,
    ];

    /// Its name on the wire and in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Part::Setting => "setting",
            Part::Unit => "unit",
            Part::Role => "role",
            Part::Agreement => "agreement",
            Part::Vendor => "vendor",
            Part::System => "system",
            Part::Processor => "processor",
            Part::Sharing => "sharing",
            Part::Service => "service",
            Part::Gate => "gate",
            Part::Switch => "switch",
            Part::Purpose => "purpose",
            Part::Policy => "policy",
            Part::Admin => "admin",
        }
    }

    /// The part with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// What a decision changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// A member of a part is this from now on, whether it was there or not.
    Put {
        /// The part.
        part: Part,
        /// The member's key.
        key: String,
        /// What it is.
        value: Value,
    },
    /// A member of a part is no longer there.
    End {
        /// The part.
        part: Part,
        /// The member's key.
        key: String,
    },
    /// Several changes of the register at once: a founding, a file applied, a step back.
    Several {
        /// In their order.
        changes: Vec<Change>,
        /// Where they bring back what once was: the version that is brought back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restores: Option<Position>,
    },
    /// Somebody may act for the person whom the entry is about.
    Represent {
        /// Its id.
        id: String,
        /// Who, for what and how long.
        value: Value,
    },
    /// The person whom the entry is about is no longer represented so.
    RepresentEnd {
        /// Its id.
        id: String,
    },
    /// Emergency access to the person whom the entry is about.
    Open {
        /// Its id.
        id: String,
        /// To whom, from when to when.
        value: Value,
    },
    /// An emergency access to the person whom the entry is about was looked into.
    Review {
        /// Id of the opening.
        id: String,
        /// What was found.
        outcome: Outcome,
    },
    /// A finding of the log analysis was looked into, or is taken up again. Where the finding is about
    /// looks at one person, so is the entry.
    Settle {
        /// Id of the finding.
        finding: String,
        /// What came of it.
        outcome: Inquiry,
    },
    /// Somebody with a duty for it says whether an access that is in use is still needed.
    Certify {
        /// Id of the access.
        access: String,
        /// Whether it is.
        needed: bool,
    },
    /// Asked of a second person: everything about the person whom the entry is about is erased.
    Erase {
        /// On what ground.
        basis: Ground,
    },
    /// A second person has agreed, and everything about the person whom the entry is about is erased. It
    /// is the body of the entry of [`crate::entry::Kind::Erasure`], which outlives the person's key: so
    /// its reason is the ground's key, and there are no words of anybody's in it.
    Erased {
        /// Position of the proposal.
        proposal: Position,
        /// Who proposed it.
        proposed_by: Who,
        /// On what ground.
        basis: Ground,
    },
    /// Asked of a second person: one record about the person whom the entry is about is erased.
    EraseRecord {
        /// Which: `type/id`.
        record: String,
        /// On what ground.
        basis: Ground,
        /// Id of the Task by which it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    },
    /// A second person has agreed, and the record is erased. It is told in the entry of
    /// [`crate::entry::Kind::Resealing`], which outlives the record: so its reason is the ground's key.
    RecordErased {
        /// Position of the proposal.
        proposal: Position,
        /// Who proposed it.
        proposed_by: Who,
        /// Which: `type/id`.
        record: String,
        /// On what ground.
        basis: Ground,
        /// Id of the Task by which it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    },
    /// Nothing about the person whom the entry is about may be erased. The hold is known by the position
    /// of this entry.
    Hold {},
    /// A hold on the person whom the entry is about is lifted.
    Release {
        /// Position of the hold.
        hold: Position,
    },
    /// What the archive law preserves about the person whom the entry is about has been handed to the
    /// municipality's depot.
    HandOver {
        /// Where the depot has it: its own reference.
        reference: String,
    },
    /// What stands before this entry was followed from the ledgers of another installation, with its positions
    /// and times.
    Continues {
        /// SHA-256 of the manifest of the export it came by, hexadecimal.
        export: String,
        /// Public keys of the checkpoints of the ledgers that were left, as C2SP writes them.
        keys: Vec<String>,
        /// The signed checkpoint of all entries of each of those ledgers, as C2SP writes it.
        checkpoints: Vec<String>,
    },
    /// Asks a second person for a change that destroys something. The proposal is known by the position
    /// of this entry.
    Propose {
        /// What is asked for.
        change: Box<Change>,
        /// When the question lapses: milliseconds since 1970-01-01T00:00:00Z.
        expires: i64,
    },
    /// A second person agrees: the proposed change is made.
    Approve {
        /// Position of the proposal.
        proposal: Position,
    },
    /// Somebody says no, or the proposer takes it back.
    Reject {
        /// Position of the proposal.
        proposal: Position,
    },
}

/// What a review of an emergency access found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was needed.
    Justified,
    /// It was not needed, and nobody is to blame.
    Mistaken,
    /// It is taken further.
    Misused,
}

/// How far an inquiry into a finding of the log analysis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inquiry {
    /// Nobody has concluded.
    Open,
    /// There was a reason for the looks.
    Explained,
    /// There was none, and it was dealt with at the workplace.
    FollowedUp,
    /// It was reported to a supervisory authority or the police.
    Reported,
}

impl Inquiry {
    /// Every outcome.
    pub const ALL: [Inquiry; 4] =
        [Inquiry::Open, Inquiry::Explained, Inquiry::FollowedUp, Inquiry::Reported];

    /// Its name on the wire and in forms.
    pub fn key(self) -> &'static str {
        match self {
            Inquiry::Open => "open",
            Inquiry::Explained => "explained",
            Inquiry::FollowedUp => "followed-up",
            Inquiry::Reported => "reported",
        }
    }
}

/// On what ground everything about a person, or one record, is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// What must be kept has been kept long enough (pasientjournalloven §25, arkivlova).
    RetentionEnded,
    /// Asked for by whom it is about (helsepersonelloven §43).
    OnRequest,
    /// It was recorded about the wrong person (helsepersonelloven §43).
    WrongPerson,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Ground; 3] = [Ground::RetentionEnded, Ground::OnRequest, Ground::WrongPerson];

    /// Its name on the wire and in forms.
    pub fn key(self) -> &'static str {
        match self {
            Ground::RetentionEnded => "retention-ended",
            Ground::OnRequest => "on-request",
            Ground::WrongPerson => "wrong-person",
        }
    }

    /// The ground with this name.
    pub fn from_key(key: &str) -> Option<Self> {
        Ground::ALL.into_iter().find(|ground| ground.key() == key)
    }
}

/// Bytes that are not a decision of any known format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a decision of a known format")]
pub struct NotADecision;

impl Decision {
    /// The current format version.
    pub const VERSION: u8 = 1;

    /// A decision in the current format.
    pub fn new(who: Who, why: impl Into<String>, change: Change) -> Self {
        Self { v: Self::VERSION, who, why: why.into(), change }
    }

    /// The bytes that the ledger seals.
    pub fn seal(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Decision::seal`] wrote.
    pub fn open(body: &[u8]) -> Result<Self, NotADecision> {
        let decision: Self = serde_json::from_slice(body).map_err(|_| NotADecision)?;
        if decision.v == Self::VERSION { Ok(decision) } else { Err(NotADecision) }
    }
}
