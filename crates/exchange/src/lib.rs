//! The flows of one municipality.

pub mod answer;
pub mod audit;
pub mod board;
pub mod bundle;
pub mod cloud_event;
pub mod error;
pub mod naming;
pub mod okt;
pub mod overview;
pub mod print;
pub mod read;
pub mod searchset;
pub mod services;
pub mod submission;
pub mod tenant;
pub mod vitals;

mod locks;
mod okt_flow;
mod prepare;
mod submit;
