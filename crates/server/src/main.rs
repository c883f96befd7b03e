//! The fkj binary.

fn main() {}
