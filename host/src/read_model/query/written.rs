//! How many conditions the statement of a query has.

use super::{
    condition::Operand,
    logic::Logic,
    resource::{Embedding, Resource},
};

/// The conditions that are written for a resource: its own, those of its embeddings, and again those of each embedding that is asked for.
pub(super) fn written_conditions(resource: &Resource<'_>) -> usize {
    let shown = resource.embeddings.iter().map(|embedding| written_conditions(&embedding.resource));
    shown.fold(asked(resource), usize::saturating_add)
}

/// The conditions of a resource alone.
fn asked(resource: &Resource<'_>) -> usize {
    let of = |embedding: &Embedding<'_>| match embedding.resource.is_grouped() {
        true => written_conditions(&embedding.resource),
        false => asked(&embedding.resource),
    };
    // Each is counted once, however often it is asked for.
    let once: Vec<usize> = resource.embeddings.iter().map(of).collect();
    let inner = resource.embeddings.iter().zip(&once).filter(|(embedding, _)| embedding.inner);
    let inner = inner.fold(0_usize, |sum, (_, count)| sum.saturating_add(*count).saturating_add(1));
    resource.conditions.iter().fold(inner, |sum, logic| sum.saturating_add(of_logic(logic, &once)))
}

fn of_logic(logic: &Logic<'_>, embeddings: &[usize]) -> usize {
    match logic {
        Logic::Group { parts, .. } => parts.iter().fold(0, |sum, part| sum.saturating_add(of_logic(part, embeddings))),
        Logic::Condition(condition) => match condition.operand {
            Operand::Embedding(index) => embeddings[index].saturating_add(1),
            Operand::Field(_) | Operand::Words(_) => 1,
        },
    }
}
