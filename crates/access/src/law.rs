//! What holds in every municipality: the schema of policies and the policies fixed by law, shipped
//! with the platform. They are read once; a test reads them, and where they could not be read,
//! nothing is decided.

use std::collections::HashMap;
use std::sync::LazyLock;

use cedar_policy::{
    Entities, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, Schema,
};

use crate::policy::{Act, Actor, Ask, Asked, Meta, Origin, Unfit};

/// Version of the law's policies; grows whenever one of them changes.
pub const VERSION: u32 = 1;

/// The files, in the order they are told.
const FILES: [(&str, &str); 3] = [
    ("work", include_str!("../law/work.cedar")),
    ("supply", include_str!("../law/supply.cedar")),
    ("resident", include_str!("../law/resident.cedar")),
];

/// The law, read.
pub(crate) struct Law {
    pub schema: Schema,
    pub actions: Entities,
    /// Each with what it can be asked.
    pub policies: Vec<(Policy, Meta, Vec<Ask>)>,
    actors: HashMap<Actor, EntityTypeName>,
    acts: HashMap<Act, EntityUid>,
    asked: HashMap<Asked, EntityUid>,
}

static LAW: LazyLock<Result<Law, String>> =
    LazyLock::new(|| Law::read().map_err(|it| it.to_string()));

impl Law {
    /// The law of this version of the platform.
    pub fn get() -> Result<&'static Self, Unfit> {
        LAW.as_ref().map_err(|error| Unfit::Law(error.clone()))
    }

    fn read() -> Result<Self, Box<dyn std::error::Error>> {
        let (schema, _) = Schema::from_cedarschema_str(include_str!("../law/schema.cedarschema"))?;
        let mut policies = Vec::new();
        for (file, text) in FILES {
            let set: PolicySet = text.parse()?;
            for policy in set.policies() {
                let name = policy.annotation("rule").or_else(|| policy.annotation("role"));
                let name = name.ok_or_else(|| format!("{file}: `{}` has no name", policy.id()))?;
                let meta = Meta::of(policy, Origin::Law, name, &format!("{file}.cedar"))?;
                let asks = asks(policy, &schema);
                let policy = policy.new_id(PolicyId::new(policies.len().to_string()));
                policies.push((policy, meta, asks));
            }
        }
        let uid = |kind: &str, id: &str| -> Result<EntityUid, Box<dyn std::error::Error>> {
            Ok(EntityUid::from_type_name_and_id(kind.parse()?, EntityId::new(id)))
        };
        let (mut actors, mut acts, mut asked) = (HashMap::new(), HashMap::new(), HashMap::new());
        for actor in Actor::ALL {
            actors.insert(actor, actor.name().parse()?);
        }
        for act in Act::ALL {
            acts.insert(act, uid("Action", act.name())?);
        }
        for it in Asked::ALL {
            asked.insert(it, uid(it.name(), "it")?);
        }
        let actions = schema.action_entities()?;
        Ok(Self { schema, actions, policies, actors, acts, asked })
    }

    /// The entities of a request: who, to do what, about whom.
    pub fn entities(&self, ask: Ask, who: &str) -> Option<(EntityUid, EntityUid, EntityUid)> {
        let kind = self.actors.get(&ask.actor)?.clone();
        let principal = EntityUid::from_type_name_and_id(kind, EntityId::new(who));
        Some((principal, self.acts.get(&ask.act)?.clone(), self.asked.get(&ask.asked)?.clone()))
    }
}

/// What can be asked of a policy: where it is not shown to be false by its scope and by the schema.
pub(crate) fn asks(policy: &Policy, schema: &Schema) -> Vec<Ask> {
    let ask = |env: cedar_policy::RequestEnv| {
        let actor = Actor::ALL.into_iter().find(|it| it.name() == env.principal().basename())?;
        let act = Act::ALL.into_iter().find(|it| it.name() == env.action().id().unescaped())?;
        let asked = Asked::ALL.into_iter().find(|it| it.name() == env.resource().basename())?;
        Some(Ask { actor, act, asked })
    };
    policy.get_valid_request_envs(schema).filter_map(ask).collect()
}
