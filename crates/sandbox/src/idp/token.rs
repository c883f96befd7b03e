//! The token endpoint.

use serde_json::{Map, Value, json};

use super::client::Client;
use super::desk::{Desk, Form, Moment, Posted, Refresh, Reply};
use super::details::Details;
use super::jwt;
use super::mint::{Grant, Organisation, Who};
use super::provider::{CLIENT, CODE, EXCHANGE, JWT, Provider, REFRESH};
use super::refused::Refused;
use super::scope::{check_resources, narrower, settle};
use crate::world::municipalities;

/// How long a refresh token is good, in seconds: a shift and a bit.
const REFRESH_LIFETIME: i64 = 12 * 3600;

/// Longest time that an assertion for Maskinporten may be good, in seconds.
const JWT_LIFETIME: i64 = 120;

/// Type of an access token (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A request for tokens whose client and key are known.
struct Asking<'a> {
    form: Form<'a>,
    client: Client,
    /// What the assertion says beside who the client is.
    details: Details,
    thumbprint: Option<String>,
}

impl Desk {
    /// `POST token`.
    pub fn token(
        &mut self,
        provider: Provider,
        posted: &Posted<'_>,
        moment: &mut Moment<'_>,
    ) -> Reply {
        let answered = self.give(provider, posted, moment);
        self.reply(posted, moment.now_s, 200, answered)
    }

    fn give(
        &mut self,
        provider: Provider,
        posted: &Posted<'_>,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let now = moment.now_s;
        let form = Form::read(posted.form)?;
        let wanted = form.one("grant_type").ok_or(Refused::request("send grant_type"))?;
        if !provider.grants().contains(&wanted) {
            return Err(Refused::new("unsupported_grant_type", "this issuer has no such grant"));
        }
        // First, since a client learns its first nonce from this refusal and then asks again.
        let proof = self.proof(provider, "token", posted, now)?;
        let thumbprint = proof.map(|proof| proof.thumbprint);
        if wanted == JWT {
            return self.for_organisation(&form, thumbprint.as_deref(), moment);
        }
        let (client, assertion) = self.authenticate(provider, &form, now)?;
        if !client.may(wanted) {
            return Err(Refused::new("unauthorized_client", "the client may not use this grant"));
        }
        if client.bound && thumbprint.is_none() {
            return Err(Refused::proof(
                "the client's tokens are bound to a key; send a DPoP proof",
            ));
        }
        check_resources(&client, form.all("resource"))?;
        let details = match assertion.get("assertion_details") {
            Some(list) if provider == Provider::Helseid => Details::read(list, &client)?,
            _ => Details::default(),
        };
        let asking = Asking { form, client, details, thumbprint };
        match wanted {
            CODE => self.for_code(asking, moment),
            REFRESH => self.for_refresh(asking, moment),
            CLIENT => self.for_client(provider, asking, moment),
            EXCHANGE => self.for_exchange(asking, moment),
            _ => Err(Refused::new("unsupported_grant_type", "this issuer has no such grant")),
        }
    }

    fn for_code(&mut self, asking: Asking<'_>, moment: &mut Moment<'_>) -> Result<Value, Refused> {
        let now = moment.now_s;
        let code = asking.form.one("code").ok_or(Refused::request("send code"))?;
        let Some((asked, mut grant)) = self.codes.take(code, now) else {
            // A code that comes again was stolen by one of the two (RFC 6749 §4.1.2).
            if let Some(session) = self.spent.take(code, now) {
                self.refresh.retain(|kept| kept.grant.session != session);
            }
            return Err(Refused::grant("the code is not known, used or more than a minute old"));
        };
        let day = now + REFRESH_LIFETIME;
        self.spent.keep(code.to_owned(), day, grant.session.clone(), now)?;
        if grant.client != asking.client.id || asked.provider != grant.provider {
            return Err(Refused::grant("the code was given to another client"));
        }
        if asking.form.one("redirect_uri") != Some(asked.redirect.as_str()) {
            return Err(Refused::grant("redirect_uri is another than the code was asked for with"));
        }
        let challenge = asking.form.one("code_verifier").and_then(jwt::challenge);
        if challenge != Some(asked.challenge) {
            return Err(Refused::grant("code_verifier does not fit code_challenge"));
        }
        if asked.thumbprint.is_some() && asked.thumbprint != asking.thumbprint {
            return Err(Refused::grant("the code is bound to another DPoP key (dpop_jkt)"));
        }
        grant.details = grant.details.joined(asking.details.clone())?;
        let mut reply = self.tokens(&asking, &grant, &grant.scopes, moment)?;
        if !asked.rejected.is_empty() {
            reply.insert("rejected_scope".to_owned(), json!(asked.rejected.join(" ")));
        }
        if grant.scopes.iter().any(|scope| scope == "openid") {
            let token = self.id_token(&asking.client, &grant, moment)?;
            reply.insert("id_token".to_owned(), json!(token));
        }
        Ok(Value::Object(reply))
    }

    /// Each refresh token is good once; one that comes again ends its session (RFC 9700 §4.14).
    fn for_refresh(
        &mut self,
        asking: Asking<'_>,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let now = moment.now_s;
        let token =
            asking.form.one("refresh_token").ok_or(Refused::request("send refresh_token"))?;
        let gone = Refused::grant("the refresh token is not known, used or too old; log in again");
        let kept = self.refresh.get_mut(token, now).ok_or(gone)?;
        if kept.grant.client != asking.client.id {
            return Err(gone);
        }
        if kept.is_spent {
            let session = kept.grant.session.clone();
            self.refresh.retain(|kept| kept.grant.session != session);
            return Err(gone);
        }
        if kept.thumbprint.is_some() && kept.thumbprint != asking.thumbprint {
            return Err(Refused::proof("the refresh token is bound to another DPoP key"));
        }
        let scopes = narrower(&kept.grant.scopes, asking.form.one("scope"))?;
        kept.is_spent = true;
        let mut grant = kept.grant.clone();
        // A new attest, for the next patient, takes the place of the last.
        if asking.details.attest.is_some() {
            grant.details.attest.clone_from(&asking.details.attest);
        }
        if asking.details.organisations.is_some() {
            grant.details.organisations.clone_from(&asking.details.organisations);
        }
        self.tokens(&asking, &grant, &scopes, moment).map(Value::Object)
    }

    fn for_client(
        &mut self,
        provider: Provider,
        asking: Asking<'_>,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let client = &asking.client;
        if client.public {
            return Err(Refused::new("unauthorized_client", "a client without keys is no system"));
        }
        let asked = asking.form.one("scope").unwrap_or_default();
        let settled = settle(provider, client, asked, false)?;
        if asking.details.attest.is_some() {
            let nobody = "a system attests no care relation; nobody is logged in";
            return Err(Refused::new("invalid_authorization_details", nobody));
        }
        let grant = Grant {
            provider,
            client: client.id.clone(),
            scopes: settled.given,
            who: Who::System,
            details: asking.details.clone(),
            launched: None,
            auth_time: moment.now_s,
            session: String::new(),
            nonce: None,
        };
        let mut reply = self.access(&asking, &grant, &grant.scopes, moment)?;
        if !settled.rejected.is_empty() {
            reply.insert("rejected_scope".to_owned(), json!(settled.rejected.join(" ")));
        }
        Ok(Value::Object(reply))
    }

    /// A system that was called with a token asks for one of its own for the same person (RFC 8693).
    fn for_exchange(
        &mut self,
        asking: Asking<'_>,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let form = &asking.form;
        if form.one("subject_token_type") != Some(ACCESS_TOKEN)
            || form.one("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN)
            || form.one("actor_token").is_some()
        {
            return Err(Refused::request(
                "an access token is exchanged for an access token, without actor_token",
            ));
        }
        let subject = form.one("subject_token").ok_or(Refused::request("send subject_token"))?;
        let wrong = Refused::grant("subject_token is no valid access token of this issuer");
        let jwt = jwt::read(subject).ok_or(wrong)?;
        let own = self.issuer.public().is_some_and(|jwk| jwt.is_signed_with(&jwk));
        let issuer = Provider::Helseid.issuer(&self.root);
        let fresh = jwt.seconds("exp").is_some_and(|expires| expires > moment.now_s);
        if !own
            || !fresh
            || jwt.text("iss") != Some(&issuer)
            || jwt.header.get("typ") != Some(&json!("at+jwt"))
        {
            return Err(wrong);
        }
        let client = &asking.client;
        if jwt.text("aud") != Some(&Self::audience(client)) {
            return Err(Refused::grant(
                "subject_token is for another municipality than the client",
            ));
        }
        let settled =
            settle(Provider::Helseid, client, form.one("scope").unwrap_or_default(), false)?;
        let Value::Object(mut claims) = jwt.claims else { return Err(wrong) };
        let before = claims.remove("act");
        let mut actor = json!({ "sub": client.id });
        if let (Some(before), Some(actor)) = (before, actor.as_object_mut()) {
            actor.insert("act".to_owned(), before);
        }
        let now = moment.now_s;
        let lifetime = Provider::Helseid.lifetime();
        claims.remove("cnf");
        claims.extend([
            ("act".to_owned(), actor),
            ("client_id".to_owned(), json!(client.id)),
            ("helseid://claims/client/client_name".to_owned(), json!(client.name)),
            ("scope".to_owned(), json!(settled.given)),
            ("jti".to_owned(), json!((moment.random)())),
            ("iat".to_owned(), json!(now)),
            ("nbf".to_owned(), json!(now)),
            ("exp".to_owned(), json!(now + lifetime)),
        ]);
        let bound = asking.thumbprint.as_ref().map(|it| ("cnf".to_owned(), json!({ "jkt": it })));
        claims.extend(bound);
        let failed = |_| Refused::new("server_error", "the token cannot be made");
        let token = self.issuer.sign("at+jwt", &Value::Object(claims)).map_err(failed)?;
        let mut reply = answer(token, asking.thumbprint.is_some(), lifetime, &settled.given);
        reply.insert("issued_token_type".to_owned(), json!(ACCESS_TOKEN));
        Ok(Value::Object(reply))
    }

    /// Maskinporten's grant: the assertion is the request.
    fn for_organisation(
        &mut self,
        form: &Form<'_>,
        thumbprint: Option<&str>,
        moment: &mut Moment<'_>,
    ) -> Result<Value, Refused> {
        let now = moment.now_s;
        let provider = Provider::Maskinporten;
        let text = form.one("assertion").ok_or(Refused::request("send assertion"))?;
        let jwt = jwt::read(text).ok_or(Refused::grant("the assertion is not a signed JWT"))?;
        let client = jwt.text("iss").and_then(|id| self.client(provider, id)).cloned();
        let client =
            client.ok_or(Refused::grant("`iss` of the assertion is no client known here"))?;
        let audiences = [provider.issuer(&self.root)];
        let expected = jwt::Expected {
            keys: &client.keys,
            kind: None,
            audiences: &audiences,
            longest: JWT_LIFETIME,
        };
        let (jti, until) = jwt::assertion(&jwt, &expected, now).map_err(Refused::grant)?;
        let used = Refused::grant("the assertion has been used before; make a new one");
        self.first(format!("{} {} {jti}", provider.key(), client.id), until, now, used)?;
        let settled = settle(provider, &client, jwt.text("scope").unwrap_or_default(), false)?;
        check_resources(&client, jwt.text("resource").into_iter())?;
        let consumer = jwt.text("consumer_org");
        let delegated = |number: &str| {
            municipalities()
                .iter()
                .any(|it| it.number == client.municipality.number && it.organisation() == number)
        };
        if consumer.is_some_and(|number| !delegated(number)) {
            return Err(Refused::grant(
                "consumer_org has not delegated to the client's organisation",
            ));
        }
        let scope = settled.given.join(" ");
        let asked = Organisation { scope: &scope, consumer, resource: jwt.text("resource") };
        let token = self.organisation_token(&client, &asked, thumbprint, moment)?;
        let reply = answer(token, thumbprint.is_some(), provider.lifetime(), &settled.given);
        Ok(Value::Object(reply))
    }

    /// An access token, and a refresh token where the client asked for one.
    fn tokens(
        &mut self,
        asking: &Asking<'_>,
        grant: &Grant,
        scopes: &[String],
        moment: &mut Moment<'_>,
    ) -> Result<Map<String, Value>, Refused> {
        let mut reply = self.access(asking, grant, scopes, moment)?;
        let longer = ["offline_access", "online_access"];
        if grant.scopes.iter().any(|scope| longer.contains(&scope.as_str()))
            && asking.client.may(REFRESH)
        {
            let (now, token) = (moment.now_s, (moment.random)());
            let thumbprint = asking.thumbprint.clone().filter(|_| asking.client.public);
            let kept = Refresh { grant: grant.clone(), thumbprint, is_spent: false };
            self.refresh.keep(token.clone(), now + REFRESH_LIFETIME, kept, now)?;
            reply.insert("refresh_token".to_owned(), json!(token));
            if grant.provider == Provider::Helseid {
                reply.insert("rt_expires_in".to_owned(), json!(REFRESH_LIFETIME));
            }
        }
        if let Some(launched) = &grant.launched {
            reply.insert("patient".to_owned(), json!(launched.patient));
            reply.insert("need_patient_banner".to_owned(), json!(launched.banner));
            reply.extend(launched.encounter.iter().map(|it| ("encounter".to_owned(), json!(it))));
        }
        Ok(reply)
    }

    fn access(
        &self,
        asking: &Asking<'_>,
        grant: &Grant,
        scopes: &[String],
        moment: &mut Moment<'_>,
    ) -> Result<Map<String, Value>, Refused> {
        let thumbprint = asking.thumbprint.as_deref();
        let token = self.access_token(&asking.client, grant, scopes, thumbprint, moment)?;
        Ok(answer(token, thumbprint.is_some(), grant.provider.lifetime(), scopes))
    }
}

/// What every grant answers (RFC 6749 §5.1, RFC 9449 §5).
fn answer(token: String, bound: bool, lifetime: i64, scopes: &[String]) -> Map<String, Value> {
    let kind = if bound { "DPoP" } else { "Bearer" };
    let members = [
        ("access_token", json!(token)),
        ("token_type", json!(kind)),
        ("expires_in", json!(lifetime)),
        ("scope", json!(scopes.join(" "))),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
