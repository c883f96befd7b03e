//! Answers made in the background: who sees them, for how long, and what ends the work.

use std::sync::Arc;

use access::caller::{Caller, Party};
use exchange::bulk::later::Status;
use exchange::error::{Category, Failure};
use tokio::sync::oneshot;

use crate::town::{NOW, Town, nurse, system};

const HOUR: i64 = 60 * 60 * 1000;

/// Begins work that ends when told.
fn begin(town: &Town, caller: &Caller) -> (String, oneshot::Sender<Result<Vec<u8>, Failure>>) {
    let (end, ended) = oneshot::channel();
    let work = async move { ended.await.unwrap_or(Err(Failure::Busy)) };
    (town.tenant.answer_later(caller, "https://here".to_owned(), work).unwrap(), end)
}

/// Waits until the job no longer goes on, and gives the category of what it failed with.
async fn settled(town: &Town, caller: &Caller, id: &str) -> Option<Category> {
    loop {
        match town.tenant.job(caller, id, "https://here/job").await {
            Ok(Status::Going) => tokio::task::yield_now().await,
            Ok(Status::Done { .. }) => return None,
            Err(failure) => return Some(failure.category()),
        }
    }
}

async fn text(town: &Town, caller: &Caller, id: &str) -> Option<Vec<u8>> {
    let caller = Arc::new(caller.clone());
    let mut reading = town.tenant.clone().job_file(caller, id, 0).await.unwrap()?;
    reading.lines().await.unwrap()
}

#[tokio::test]
async fn an_answer_is_for_who_asked_and_for_an_hour() {
    let town = Town::new();
    let asking = nurse();
    let mut colleague = nurse();
    if let Party::Practitioner(person) = &mut colleague.party {
        person.subject = "somebody else".to_owned();
    }
    let (id, end) = begin(&town, &asking);
    assert!(matches!(town.tenant.job(&asking, &id, "").await, Ok(Status::Going)));
    assert_eq!(text(&town, &asking, &id).await, None);
    end.send(Ok(b"{}".to_vec())).unwrap();
    assert_eq!(settled(&town, &asking, &id).await, None);
    assert_eq!(text(&town, &asking, &id).await.as_deref(), Some(b"{}\n".as_slice()));
    for other in [colleague, system("plo")] {
        assert_eq!(settled(&town, &other, &id).await, Some(Category::NotFound));
        assert_eq!(text(&town, &other, &id).await, None);
        assert!(!town.tenant.job_end(&other, &id));
    }
    town.clock.set(NOW + HOUR);
    assert_eq!(settled(&town, &asking, &id).await, Some(Category::NotFound));
}

#[tokio::test]
async fn work_that_is_ended_goes_on_no_longer() {
    let town = Town::new();
    let asking = system("plo");
    let (id, mut end) = begin(&town, &asking);
    assert!(town.tenant.job_end(&asking, &id));
    end.closed().await;
    assert_eq!(settled(&town, &asking, &id).await, Some(Category::NotFound));
    assert!(!town.tenant.job_end(&asking, &id));
}

#[tokio::test]
async fn a_failure_is_told_where_the_answer_would_be_and_too_many_jobs_begin_nothing() {
    let town = Town::new();
    let asking = system("plo");
    let (id, end) = begin(&town, &asking);
    end.send(Err(Failure::Several)).unwrap();
    assert_eq!(settled(&town, &asking, &id).await, Some(Category::Precondition));
    let running: Vec<_> = (1..100).map(|_| begin(&town, &asking)).collect();
    let (mut tell, told) = oneshot::channel::<()>();
    let work = async move {
        drop(told);
        std::future::pending().await
    };
    let refused = town.tenant.answer_later(&asking, String::new(), work);
    assert_eq!(refused.unwrap_err().category(), Category::Invalid);
    // The work was let go of without having been begun.
    tell.closed().await;
    assert_eq!(running.len(), 99);
}
