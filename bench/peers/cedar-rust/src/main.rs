// SPDX-License-Identifier: Apache-2.0
//! The official engine by its best interface: requests, policies and entities parsed beforehand.
//!
//!     bench-cedar-rust [--budget MS | --count N] CASE…
//!
//! With --count one round over the first N requests of the first series is made inside `bench_counted`,
//! for callgrind.

use cedar_policy::*;
use serde_json::{json, Value};
use std::{collections::HashMap, fs, hint::black_box, path::Path, str::FromStr, time::Instant};

pub struct Subject {
    policies: PolicySet,
    entities: Entities,
    load_ms: f64,
}

fn read(dir: &str, file: &str) -> String {
    fs::read_to_string(Path::new(dir).join(file)).expect(file)
}

fn uid(value: &Value) -> EntityUid {
    EntityUid::from_str(value.as_str().expect("a uid is a string")).expect("a uid")
}

/// Policies are named by their @id, as the command does.
fn load_policies(dir: &str) -> PolicySet {
    let parsed = PolicySet::from_str(&read(dir, "policies.cedar")).expect("policies");
    let mut set = PolicySet::new();
    for policy in parsed.policies() {
        let id = PolicyId::new(policy.annotation("id").expect("@id"));
        set.add(policy.new_id(id)).expect("policy");
    }
    for template in parsed.templates() {
        let id = PolicyId::new(template.annotation("id").expect("@id"));
        set.add_template(template.new_id(id)).expect("template");
    }
    let links: Vec<Value> = serde_json::from_str(&read(dir, "links.json")).expect("links");
    for link in &links {
        let values = HashMap::from([
            (SlotId::principal(), uid(&link["args"]["?principal"])),
            (SlotId::resource(), uid(&link["args"]["?resource"])),
        ]);
        let name = |member: &str| PolicyId::new(link[member].as_str().expect("an id"));
        set.link(name("template_id"), name("link_id"), values).expect("link");
    }
    set
}

fn load(dir: &str) -> Subject {
    let start = Instant::now();
    let policies = load_policies(dir);
    let entities = Entities::from_json_str(&read(dir, "entities.json"), None).expect("entities");
    Subject { policies, entities, load_ms: start.elapsed().as_secs_f64() * 1e3 }
}

fn load_requests(dir: &str, file: &str) -> Vec<Request> {
    let parse = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("a request");
        Request::new(uid(&value["principal"]), uid(&value["action"]), uid(&value["resource"]), Context::empty(), None)
            .expect("a request")
    };
    read(dir, file).lines().map(parse).collect()
}

fn decide(subject: &Subject, request: &Request) -> bool {
    let response = Authorizer::new().is_authorized(black_box(request), &subject.policies, &subject.entities);
    response.decision() == Decision::Allow
}

#[no_mangle]
#[inline(never)]
pub fn bench_counted(subject: &Subject, requests: &[Request]) -> usize {
    requests.iter().filter(|request| decide(subject, request)).count()
}

fn median(list: &mut [u64]) -> u64 {
    list.sort_unstable();
    list[list.len() / 2]
}

fn nanoseconds(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}

fn clock_cost() -> u64 {
    median(&mut (0..10001).map(|_| nanoseconds(Instant::now())).collect::<Vec<_>>())
}

/// As many requests as a quarter of the budget is enough for, then rounds over them.
fn measure(subject: &Subject, requests: &[Request], budget_ms: u64) -> Value {
    let (start, mut first, mut answers) = (Instant::now(), Vec::new(), String::new());
    for request in requests {
        if answers.len() >= 10 && nanoseconds(start) > budget_ms * 250_000 {
            break;
        }
        let before = Instant::now();
        answers.push(if decide(subject, request) { '1' } else { '0' });
        first.push(nanoseconds(before));
    }
    let reached = &requests[..answers.len()];
    let least = if median(&mut first) > budget_ms * 100_000 { 1 } else { 3 };
    let mut rounds: Vec<Vec<u64>> = Vec::new();
    let start = Instant::now();
    while rounds.len() < 201 && (rounds.len() < least || nanoseconds(start) < budget_ms * 1_000_000) {
        let time = |request: &Request| {
            let before = Instant::now();
            black_box(decide(subject, request));
            nanoseconds(before)
        };
        rounds.push(reached.iter().map(time).collect());
    }
    let cost = clock_cost();
    let of_one = |i: usize| median(&mut rounds.iter().map(|r| r[i]).collect::<Vec<_>>()).saturating_sub(cost);
    let mut medians: Vec<u64> = (0..reached.len()).map(of_one).collect();
    medians.sort_unstable();
    json!({
        "requests": reached.len(), "rounds": rounds.len(), "answers": answers,
        "median_ns": medians[medians.len() / 2], "p99_ns": medians[medians.len() * 99 / 100],
        "mean_ns": medians.iter().sum::<u64>() as f64 / medians.len() as f64,
    })
}

const SERIES: [(&str, &str); 3] =
    [("all", "requests.jsonl"), ("hot", "requests.hot.jsonl"), ("uniform", "requests.uniform.jsonl")];

fn run(dir: &str, budget_ms: u64, count: usize) {
    let subject = load(dir);
    for (series, file) in SERIES {
        if !Path::new(dir).join(file).exists() {
            continue;
        }
        let requests = load_requests(dir, file);
        if count != 0 {
            let asked = &requests[..count.min(requests.len())];
            black_box(bench_counted(&subject, asked));
            println!("{}", asked.len());
            return;
        }
        let mut result = measure(&subject, &requests, budget_ms);
        result["peer"] = json!("cedar-rust");
        result["version"] = json!(get_sdk_version().to_string());
        result["mode"] = json!("parsed");
        result["case"] = json!(Path::new(dir).file_name().and_then(|name| name.to_str()));
        result["series"] = json!(series);
        result["load_ms"] = json!(subject.load_ms);
        println!("{result}");
    }
}

fn main() {
    let (mut budget_ms, mut count) = (500, 0);
    let mut words = std::env::args().skip(1).peekable();
    while let Some(option) = words.next_if(|word| word.starts_with("--")) {
        let value = words.next().expect("a number").parse().expect("a number");
        match option.as_str() {
            "--budget" => budget_ms = value,
            "--count" => count = value as usize,
            _ => panic!("the options are --budget MS and --count N"),
        }
    }
    words.for_each(|dir| run(&dir, budget_ms, count));
}
