//! Prices that change: an order has the prices that its customer was shown, each the current price of its product, or one that was
//! replaced only a while ago.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::decide::{Decided, Hosts, is};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PriceNotValid;

/// The prices of a product, each with the minute in which the next one replaced it.
#[derive(Clone, Debug, Default)]
struct Prices {
    replaced: Vec<(u64, u32)>,
    current: Option<u64>,
}

impl Prices {
    fn see(&mut self, event: &Value) {
        let minute = event["time"].as_str().unwrap()[14..16].parse().unwrap();
        let price = event["data"]["price"].as_u64();
        if let Some(old) = std::mem::replace(&mut self.current, price) {
            self.replaced.push((old, minute));
        }
    }

    /// Whether this price can be paid in a minute, if prices stay valid for so many minutes.
    fn allow(&self, price: u64, minute: u32, grace: u32) -> bool {
        self.current == Some(price) || self.replaced.iter().any(|(old, until)| *old == price && minute < until + grace)
    }
}

fn time(minute: u32) -> String {
    format!("2026-01-05T08:{minute:02}:00Z")
}

/// Prices by product.
type Catalog = BTreeMap<String, Prices>;

fn see(catalog: &mut Catalog, event: &Value) {
    let product = event["data"]["product"].as_str().unwrap();
    catalog.entry(product.to_owned()).or_default().see(event);
}

async fn set_price(hosts: &Hosts, product: &str, price: u64, minute: u32) {
    let event = json!({"type": "PriceSet", "time": time(minute), "data": {"product": product, "price": price},
                       "tags": [format!("product:{product}")]});
    hosts.next().append_events(&format!("price-{product}"), &json!([event])).await;
}

/// Orders products at the prices that were shown.
async fn order(hosts: &Hosts, cart: &[(&str, u64)], minute: u32, grace: u32) -> Result<Decided, PriceNotValid> {
    // An item for each product. Orders are not among them: they do not stand in each other's way.
    let item = |product: &str| json!({"types": ["PriceSet"], "tags": [format!("product:{product}")]});
    let query = json!({"items": cart.iter().map(|(product, _)| item(product)).collect::<Vec<_>>()});
    let lines: Vec<Value> = cart.iter().map(|(product, price)| json!({"product": product, "price": price})).collect();
    let tags: Vec<String> = cart.iter().map(|(product, _)| format!("product:{product}")).collect();
    let ordered = json!({"type": "Ordered", "time": time(minute), "data": {"lines": lines}, "tags": tags});
    let decide = |catalog: &Catalog| {
        let allows = |(product, price): &(&str, u64)| {
            catalog.get(*product).is_some_and(|prices| prices.allow(*price, minute, grace))
        };
        if cart.iter().all(allows) { Ok(vec![ordered.clone()]) } else { Err(PriceNotValid) }
    };
    hosts.decide(&query, see, decide).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_valid_while_it_is_current_and_a_while_after_that() {
    let hosts = Hosts::start().await;
    let order = async |cart: &[(&str, u64)], minute| order(&hosts, cart, minute, 10).await.map(|_| ());
    assert_eq!(order(&[("pen", 120)], 1).await, Err(PriceNotValid));
    set_price(&hosts, "pen", 120, 1).await;
    set_price(&hosts, "ink", 300, 1).await;
    assert_eq!(order(&[("pen", 120)], 1).await, Ok(()));
    assert_eq!(order(&[("pen", 100)], 1).await, Err(PriceNotValid));

    set_price(&hosts, "pen", 140, 20).await;
    assert_eq!(order(&[("pen", 120)], 29).await, Ok(()));
    assert_eq!(order(&[("pen", 120)], 30).await, Err(PriceNotValid));
    assert_eq!(order(&[("pen", 140)], 30).await, Ok(()));

    // A cart has one price too many that is not valid.
    assert_eq!(order(&[("ink", 300), ("pen", 120)], 25).await, Ok(()));
    assert_eq!(order(&[("ink", 300), ("pen", 120)], 31).await, Err(PriceNotValid));
    assert_eq!(order(&[("ink", 299), ("pen", 140)], 31).await, Err(PriceNotValid));
    assert_eq!(order(&[("ink", 300), ("pen", 140)], 31).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_do_not_stand_in_each_others_way() {
    let hosts = Hosts::start().await;
    set_price(&hosts, "pen", 120, 1).await;
    for ordered in join_all((0..16).map(|_| order(&hosts, &[("pen", 120)], 2, 0))).await {
        assert_eq!(ordered.unwrap().tries, 1);
    }
}

/// Prices change while customers order what they were shown, and no price stays valid when it is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn no_order_has_a_price_that_was_replaced_before_it() {
    const PRODUCTS: [&str; 2] = ["pen", "ink"];
    const CHANGES: u64 = 30;
    let hosts = Hosts::start().await;
    for product in PRODUCTS {
        set_price(&hosts, product, 1, 1).await;
    }
    let change = async |product| {
        for price in 2..=CHANGES {
            set_price(&hosts, product, price, 1).await;
        }
    };
    let shop = async || {
        let (mut placed, mut refused, mut shown) = (0, 0, [1; PRODUCTS.len()]);
        loop {
            let are_final = shown == [CHANGES; PRODUCTS.len()];
            let cart: Vec<(&str, u64)> = PRODUCTS.into_iter().zip(shown).collect();
            match order(&hosts, &cart, 1, 0).await {
                Ok(_) => placed += 1,
                Err(PriceNotValid) => refused += 1,
            }
            if are_final {
                return (placed, refused);
            }
            shown = current_prices(&hosts, PRODUCTS).await;
        }
    };
    let (_, shopped) = tokio::join!(join_all(PRODUCTS.map(change)), join_all((0..6).map(|_| shop())));
    let (placed, refused) = shopped.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    // How many are placed before that depends on who is faster; the last one of each is at the final prices.
    assert!(placed >= shopped.len(), "{placed} orders were placed, {refused} refused");

    let (mut catalog, mut ordered) = (Catalog::new(), 0);
    for event in hosts.log().await {
        if !is(&event, "Ordered") {
            see(&mut catalog, &event);
            continue;
        }
        ordered += 1;
        for line in event["data"]["lines"].as_array().unwrap() {
            let current = catalog[line["product"].as_str().unwrap()].current;
            assert_eq!(line["price"].as_u64(), current, "another price is current: {event}");
        }
    }
    assert_eq!(ordered, placed);
}

/// What the shop shows.
async fn current_prices<const N: usize>(hosts: &Hosts, products: [&str; N]) -> [u64; N] {
    let mut prices = [0; N];
    for (price, product) in prices.iter_mut().zip(products) {
        let page = hosts.next().json(&format!("/v1/streams/price-{product}/events?direction=backward&limit=1")).await;
        *price = page["events"][0]["data"]["price"].as_u64().unwrap();
    }
    prices
}
