use super::{
    super::{
        error::ErrorCode,
        tests::company::{company, referring},
    },
    *,
};
use crate::read_model::{ColumnType, ReferenceDeclaration, TableDeclaration, samples};

fn catalog(tables: &[Table]) -> Catalog<'_> {
    Catalog { projection: "company", tables: tables.iter().collect(), aggregates: true }
}

/// The cardinality and the references of the relationship that is meant.
fn meant(origin: &str, name: &str, hint: Option<&str>) -> Result<(&'static str, String), QueryError> {
    let tables = company();
    let catalog = catalog(&tables);
    let found = Relationships::new(&catalog).find(catalog.table(origin).unwrap(), name, hint)?;
    let candidate = found.candidate();
    let is_to_one = matches!(candidate.cardinality, "many-to-one" | "one-to-one");
    assert_eq!(found.is_to_one(), is_to_one, "{name}");
    Ok((candidate.cardinality, candidate.relationship))
}

const BY_CLIENT: &str = "projects_client_id_fkey using projects(client_id) and clients(id)";

#[test]
fn a_reference_is_found_from_both_sides() {
    for (origin, name, hint, cardinality, relationship) in [
        ("projects", "clients", None, "many-to-one", BY_CLIENT),
        ("projects", "client_id", None, "many-to-one", BY_CLIENT),
        ("projects", "projects_client_id_fkey", None, "many-to-one", BY_CLIENT),
        ("projects", "clients", Some("client_id"), "many-to-one", BY_CLIENT),
        ("projects", "clients", Some("id"), "many-to-one", BY_CLIENT),
        ("projects", "clients", Some("projects_client_id_fkey"), "many-to-one", BY_CLIENT),
        ("projects", "lead_id", None, "many-to-one", "projects_lead_id_fkey using projects(lead_id) and people(id)"),
        (
            "projects",
            "people",
            Some("lead_id"),
            "many-to-one",
            "projects_lead_id_fkey using projects(lead_id) and people(id)",
        ),
        (
            "clients",
            "projects",
            None,
            "one-to-many",
            "projects_client_id_fkey using clients(id) and projects(client_id)",
        ),
        (
            "people",
            "projects",
            Some("reviewer_id"),
            "one-to-many",
            "projects_reviewer_id_fkey using people(id) and projects(reviewer_id)",
        ),
        (
            "people",
            "projects_reviewer_id_fkey",
            None,
            "one-to-many",
            "projects_reviewer_id_fkey using people(id) and projects(reviewer_id)",
        ),
        (
            "assignments",
            "tasks",
            None,
            "many-to-one",
            "assignments_project_id_number_fkey using assignments(project_id, number) and tasks(project_id, number)",
        ),
    ] {
        let found = meant(origin, name, hint);
        assert_eq!(found, Ok((cardinality, relationship.to_owned())), "{origin} {name} {hint:?}");
    }
}

#[test]
fn a_reference_by_the_whole_key_is_one_to_one() {
    let by_project = "budgets_project_id_fkey using budgets(project_id) and projects(id)";
    assert_eq!(meant("budgets", "projects", None), Ok(("one-to-one", by_project.to_owned())));
    let from_project = "budgets_project_id_fkey using projects(id) and budgets(project_id)";
    assert_eq!(meant("projects", "budgets", None), Ok(("one-to-one", from_project.to_owned())));
}

#[test]
fn a_table_with_two_references_in_its_key_joins_many_to_many() {
    let through = "assignments using assignments_person_id_fkey(person_id) and assignments_project_id_number_fkey(project_id, number)";
    assert_eq!(meant("people", "tasks", None), Ok(("many-to-many", through.to_owned())));
    assert_eq!(meant("people", "tasks", Some("assignments")), Ok(("many-to-many", through.to_owned())));
    assert_eq!(meant("tasks", "people", None).map(|(cardinality, _)| cardinality), Ok("many-to-many"));
    // The columns of the references of `projects` are not in its key.
    assert_eq!(meant("clients", "people", None).unwrap_err().code.as_str(), "PGRST200");
}

#[test]
fn a_table_that_refers_to_itself_is_embedded_in_both_directions() {
    let children = "people_boss_id_fkey using people(id) and people(boss_id)";
    for (name, hint) in [("people", None), ("people", Some("boss_id")), ("people", Some("people_boss_id_fkey"))] {
        assert_eq!(meant("people", name, hint), Ok(("one-to-many", children.to_owned())), "{name} {hint:?}");
    }
    let boss = "people_boss_id_fkey using people(boss_id) and people(id)";
    for name in ["boss_id", "people_boss_id_fkey"] {
        assert_eq!(meant("people", name, None), Ok(("many-to-one", boss.to_owned())), "{name}");
    }
}

#[test]
fn several_relationships_are_listed() {
    let error = meant("projects", "people", None).unwrap_err();
    assert_eq!(
        error.message,
        "Could not embed because more than one relationship was found for 'projects' and 'people'"
    );
    assert_eq!(
        error.hint.as_deref(),
        Some(
            "Try changing 'people' to one of the following: 'people!projects_lead_id_fkey', 'people!projects_reviewer_id_fkey'. \
             Find the desired relationship in the 'details' key."
        )
    );
    let ErrorCode::Ambiguous(candidates) = error.code else { panic!("{:?}", error.code) };
    assert_eq!(
        serde_json::to_value(candidates).unwrap(),
        serde_json::json!([
            {
                "cardinality": "many-to-one",
                "embedding": "projects with people",
                "relationship": "projects_lead_id_fkey using projects(lead_id) and people(id)",
            },
            {
                "cardinality": "many-to-one",
                "embedding": "projects with people",
                "relationship": "projects_reviewer_id_fkey using projects(reviewer_id) and people(id)",
            },
        ])
    );
}

#[test]
fn candidates_are_in_the_order_of_postgrest() {
    let key = || samples::column("id", ColumnType::I64);
    let by = |name| samples::nullable(name, ColumnType::I64);
    let both = ["agent_id", "department_id"].map(|name| samples::column(name, ColumnType::I64));
    let tables = [
        // The reference of the key is one row on both sides.
        referring(
            samples::declaration("agents", [key(), by("department_id")], &["id"]),
            &[(&["department_id"], "departments"), (&["id"], "departments")],
        ),
        referring(samples::declaration("departments", [key(), by("head_id")], &["id"]), &[(&["head_id"], "agents")]),
        referring(
            samples::declaration("memberships", both, &["agent_id", "department_id"]),
            &[(&["department_id"], "departments"), (&["agent_id"], "agents")],
        ),
    ];
    let catalog = catalog(&tables);
    let error = Relationships::new(&catalog).find(&tables[0], "departments", None).unwrap_err();
    let ErrorCode::Ambiguous(candidates) = error.code else { panic!("{:?}", error.code) };
    let shown: Vec<_> = candidates.iter().map(|its| (its.cardinality, its.hint.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("one-to-many", "departments!departments_head_id_fkey"),
            ("many-to-one", "departments!agents_department_id_fkey"),
            ("one-to-one", "departments!agents_id_fkey"),
            ("many-to-many", "departments!memberships"),
        ]
    );
}

#[test]
fn what_is_not_related_is_refused_with_what_is() {
    for (origin, name, hint, by_hint, suggestion) in [
        ("projects", "client", None, "", Some("Perhaps you meant 'clients' instead of 'client'.")),
        ("projects", "nothing_like_it", None, "", None),
        ("projects", "clients", Some("x"), "' using the hint 'x", None),
        ("clients", "budgets", None, "", None),
    ] {
        let error = meant(origin, name, hint).unwrap_err();
        assert_eq!(error.code, ErrorCode::NoRelationship);
        assert_eq!(
            error.message,
            format!("Could not find a relationship between '{origin}' and '{name}' in the schema cache")
        );
        assert_eq!(
            error.details.unwrap(),
            format!(
                "Searched for a foreign key relationship between '{origin}' and '{name}{by_hint}' in the schema 'company', but no matches \
                 were found."
            )
        );
        assert_eq!(error.hint.as_deref(), suggestion, "{name}");
    }
}

#[test]
fn references_by_the_same_columns_have_names_of_their_own() {
    let mut tables = company();
    let declared = |name: &str, targets: &[&str]| {
        let columns = [samples::column("id", ColumnType::I64)];
        let references =
            targets.iter().map(|&table| ReferenceDeclaration { columns: vec!["id".into()], table: table.into() });
        let declaration = samples::declaration(name, columns, &["id"]);
        Table::check(&TableDeclaration { references: references.collect(), ..declaration }).unwrap()
    };
    tables.push(declared("notes", &["clients", "people", "clients"]));
    let catalog = catalog(&tables);
    let names: Vec<_> = Link::all(&catalog)
        .into_iter()
        .filter(|link| link.from.name().as_str() == "notes")
        .map(|link| (link.name, link.to.name().to_string()))
        .collect();
    let expected = [("notes_id_fkey", "clients"), ("notes_id_fkey1", "people")];
    assert_eq!(names, expected.map(|(name, to)| (name.to_owned(), to.to_owned())));
}
