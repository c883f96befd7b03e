use sandbox::*;
use std::collections::HashMap;
fn main() {
    let now: i64 = 1_795_392_000_000 + 9 * 3600_000; // some time in nov 2026
    println!("{}", calendar::written(now));
    for s in stories::stories() {
        println!("{} {} {}", s.key, s.number, s.name);
    }
    let m = world::municipality("9901").unwrap();
    let n: u32 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(500);
    let t = std::time::Instant::now();
    let mut c: HashMap<String, (usize, usize)> = HashMap::new();
    for d in delivery::deliveries(7, m, n, now) {
        let e = c.entry(format!("{:?} {}", d.channel, d.client_id)).or_default();
        e.0 += 1;
        e.1 += d.body.len();
    }
    let el = t.elapsed();
    let tot: (usize, usize) = c.values().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    println!(
        "{c:?} {el:?} {} /s {} MB/s",
        tot.0 as f64 / el.as_secs_f64(),
        tot.1 as f64 / 1e6 / el.as_secs_f64()
    );
    if std::env::args().nth(2).is_some() {
        return;
    }
    for i in 0..40 {
        let r = people::resident(7, m, i);
        let care = services::care(7, m, &r, calendar::date_of(now));
        let inf = infection::infections(7, m, &r, &care, now);
        let rounds = vitals::rounds(7, m, &r, &care, &inf, now);
        println!(
            "{i} {} {:?} {} {:?} {} kin {} {} | {:?} {}",
            r.person.name(),
            r.profile,
            r.person.birth,
            r.person.street,
            r.number,
            r.kin.given,
            r.kin.relation,
            care.place,
            care.site
        );
        println!(
            "   {:?}",
            care.decisions
                .iter()
                .map(|d| (
                    d.code,
                    d.state,
                    d.start.to_string(),
                    d.revision.map(|x| x.to_string()),
                    d.end.map(|x| x.to_string()),
                    d.hours
                ))
                .collect::<Vec<_>>()
        );
        println!("   {:?}", rounds.iter().map(|x| x.score.total.unwrap()).collect::<Vec<_>>());
    }
    let mut by: HashMap<String, Vec<u8>> = HashMap::new();
    for i in 4..3000 {
        let r = people::resident(7, m, i);
        let care = services::care(7, m, &r, calendar::date_of(now));
        let rounds = vitals::rounds(7, m, &r, &care, &[], now);
        for x in rounds {
            by.entry(format!("{:?}", r.profile)).or_default().push(x.score.total.unwrap());
        }
    }
    for (k, mut v) in by {
        v.sort();
        let q = |p: usize| v[v.len() * p / 100];
        println!("{k} n {} p10 {} p50 {} p90 {} p99 {}", v.len(), q(10), q(50), q(90), q(99));
    }
    let ds: Vec<_> = delivery::deliveries(7, m, 5, now).collect();
    println!("{}", ds[0].body.get(..700).unwrap());
    for d in &ds[1..4] {
        println!("{}", d.body);
    }
    for d in ds.iter().filter(|d| d.channel == delivery::Channel::Okt).take(1) {
        println!("{}", d.body);
    }
    for d in delivery::deliveries(7, m, 60, now)
        .filter(|d| d.channel == delivery::Channel::CloudEvent)
        .take(2)
    {
        println!("{}", d.body);
    }
    for s in 0..18 {
        let d = delivery::live(7, m, s, now);
        let v: serde_json::Value = serde_json::from_str(&d.body).unwrap();
        let e = v["entry"].as_array().unwrap().last().unwrap().clone();
        print!("{} ", e["resource"]["valueQuantity"]["value"]);
    }
}
