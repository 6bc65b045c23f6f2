//! Course subscriptions: a subscription is bounded by the capacity of its course and by the number of courses of its student at once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::decide::{Decided, Hosts, is, text};

/// Courses of one student.
const MOST_COURSES: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    CourseExists,
    NoSuchCourse,
    SameCapacity,
    FullyBooked,
    SubscribedAlready,
    TooManyCourses,
}

/// What a subscription depends on.
#[derive(Default)]
struct Enrolment {
    capacity: Option<usize>,
    /// The students of the course.
    students: BTreeSet<String>,
    /// The courses of the student.
    courses: BTreeSet<String>,
}

impl Enrolment {
    fn see(&mut self, course: &str, student: &str, event: &Value) {
        if !is(event, "StudentSubscribed") {
            self.capacity = capacity(event);
            return;
        }
        if text(event, "course") == course {
            self.students.insert(text(event, "student").to_owned());
        }
        if text(event, "student") == student {
            self.courses.insert(text(event, "course").to_owned());
        }
    }
}

fn capacity(event: &Value) -> Option<usize> {
    event["data"]["capacity"].as_u64().map(|capacity| usize::try_from(capacity).unwrap())
}

/// The events that set the capacity of a course.
fn capacity_of(course: &str) -> Value {
    json!({"types": ["CourseDefined", "CapacityChanged"], "tags": [format!("course:{course}")]})
}

async fn define(hosts: &Hosts, course: &str, places: usize) -> Result<Decided, Refused> {
    let event = json!({"type": "CourseDefined", "data": {"capacity": places}, "tags": [format!("course:{course}")]});
    let query = json!({"items": [capacity_of(course)]});
    let see = |exists: &mut bool, _: &Value| *exists = true;
    hosts.decide(&query, see, |exists| if *exists { Err(Refused::CourseExists) } else { Ok(vec![event.clone()]) }).await
}

async fn change_capacity(hosts: &Hosts, course: &str, places: usize) -> Result<Decided, Refused> {
    let event = json!({"type": "CapacityChanged", "data": {"capacity": places}, "tags": [format!("course:{course}")]});
    let query = json!({"items": [capacity_of(course)]});
    let see = |current: &mut Option<usize>, event: &Value| *current = capacity(event);
    let decide = |current: &Option<usize>| match current {
        None => Err(Refused::NoSuchCourse),
        Some(current) if *current == places => Err(Refused::SameCapacity),
        Some(_) => Ok(vec![event.clone()]),
    };
    hosts.decide(&query, see, decide).await
}

async fn subscribe(hosts: &Hosts, course: &str, student: &str) -> Result<Decided, Refused> {
    let (of_course, of_student) = (format!("course:{course}"), format!("student:{student}"));
    let query = json!({"items": [
        capacity_of(course),
        {"types": ["StudentSubscribed"], "tags": [of_course]},
        {"types": ["StudentSubscribed"], "tags": [of_student]},
    ]});
    let event = json!({
        "type": "StudentSubscribed", "data": {"course": course, "student": student}, "tags": [of_course, of_student],
    });
    let see = |enrolment: &mut Enrolment, event: &Value| enrolment.see(course, student, event);
    let decide = |enrolment: &Enrolment| match enrolment.capacity {
        None => Err(Refused::NoSuchCourse),
        Some(_) if enrolment.courses.contains(course) => Err(Refused::SubscribedAlready),
        Some(capacity) if enrolment.students.len() >= capacity => Err(Refused::FullyBooked),
        Some(_) if enrolment.courses.len() >= MOST_COURSES => Err(Refused::TooManyCourses),
        Some(_) => Ok(vec![event.clone()]),
    };
    hosts.decide(&query, see, decide).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_bounded_by_its_course_and_by_its_student() {
    let hosts = Hosts::start().await;
    assert_eq!(subscribe(&hosts, "art", "ada").await.unwrap_err(), Refused::NoSuchCourse);
    assert_eq!(change_capacity(&hosts, "art", 3).await.unwrap_err(), Refused::NoSuchCourse);
    for (course, places) in [("art", 1), ("biology", 5), ("chemistry", 5)] {
        define(&hosts, course, places).await.unwrap();
    }
    assert_eq!(define(&hosts, "art", 9).await.unwrap_err(), Refused::CourseExists);

    subscribe(&hosts, "art", "ada").await.unwrap();
    assert_eq!(subscribe(&hosts, "art", "ada").await.unwrap_err(), Refused::SubscribedAlready);
    assert_eq!(subscribe(&hosts, "art", "bob").await.unwrap_err(), Refused::FullyBooked);
    assert_eq!(change_capacity(&hosts, "art", 1).await.unwrap_err(), Refused::SameCapacity);
    change_capacity(&hosts, "art", 2).await.unwrap();
    subscribe(&hosts, "art", "bob").await.unwrap();

    subscribe(&hosts, "biology", "ada").await.unwrap();
    assert_eq!(subscribe(&hosts, "chemistry", "ada").await.unwrap_err(), Refused::TooManyCourses);

    let stream = hosts.next().json("/v1/streams/course-art/events").await;
    let types: Vec<&Value> = stream["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    // Each event is in the stream of its first tag.
    assert_eq!(types, ["CourseDefined", "StudentSubscribed", "CapacityChanged", "StudentSubscribed"]);
}

/// Every student wants a place in every course, twice at once, and there are places for a part of them.
#[tokio::test(flavor = "multi_thread")]
async fn students_who_race_for_places_overbook_no_course() {
    const STUDENTS: usize = 24;
    const PLACES: usize = 10;
    const COURSES: [&str; 3] = ["art", "biology", "chemistry"];
    let hosts = Hosts::start().await;
    for course in COURSES {
        define(&hosts, course, PLACES).await.unwrap();
    }
    let wish = async |number: usize, first: usize| {
        let (student, mut refused) = (format!("s{number}"), Vec::new());
        for course in COURSES.iter().cycle().skip(first).take(COURSES.len()) {
            refused.extend(subscribe(&hosts, course, &student).await.err());
        }
        refused
    };
    // A student sends the same wishes from two browsers, which race each other.
    let wishes = (0..2 * STUDENTS).map(|number| wish(number / 2, number / 2));
    let refused: Vec<Refused> = join_all(wishes).await.into_iter().flatten().collect();
    for reason in [Refused::FullyBooked, Refused::SubscribedAlready] {
        assert!(refused.contains(&reason), "nobody was refused with {reason:?}");
    }

    let (mut of_course, mut of_student) = (BTreeMap::new(), BTreeMap::new());
    for event in hosts.log().await.iter().filter(|event| is(event, "StudentSubscribed")) {
        let (course, student) = (text(event, "course").to_owned(), text(event, "student").to_owned());
        let students: &mut BTreeSet<String> = of_course.entry(course.clone()).or_default();
        assert!(students.insert(student.clone()), "subscribed twice: {event}");
        assert!(students.len() <= PLACES, "overbooked: {event}");
        let courses: &mut BTreeSet<String> = of_student.entry(student).or_default();
        assert!(courses.insert(course) && courses.len() <= MOST_COURSES, "a course too many: {event}");
    }
    // No place is left: at most twice ten students have two courses, and the others take whatever there is.
    let students: Vec<usize> = of_course.values().map(BTreeSet::len).collect();
    assert_eq!(students, [PLACES; COURSES.len()]);
}
