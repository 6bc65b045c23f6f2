use gnomon_sdk::prelude::*;

#[derive(Table)]
#[table("customers")]
#[index("by_mail", columns(mail))]
struct Customer {
    #[key]
    customer: i64,
    mail: CiText,
}

fn sketch(rows: &mut Rows) {
    let _ = rows.find(Customer::by_mail("ada@example.org"));
}

fn main() {}
