//! Arrays as Postgres sends them.

/// The elements of an array in Postgres' binary format; `None` is null.
///
/// # Errors
/// It is not an array of one dimension.
pub(super) fn elements(mut wire: &[u8]) -> Result<Vec<Option<&[u8]>>, &'static str> {
    const TOO_SHORT: &str = "Postgres sent an array that ends too early";
    let number = |wire: &mut &[u8]| -> Result<i32, &'static str> {
        let (number, rest) = wire.split_first_chunk().ok_or(TOO_SHORT)?;
        *wire = rest;
        Ok(i32::from_be_bytes(*number))
    };
    let dimensions = number(&mut wire)?;
    // Whether there are nulls, and the type of the elements.
    let _ = (number(&mut wire)?, number(&mut wire)?);
    match dimensions {
        0 => return Ok(Vec::new()),
        1 => {}
        _ => return Err("an array has several dimensions, and a list of Arrow has one"),
    }
    let length = number(&mut wire)?;
    // The number of the first element.
    number(&mut wire)?;
    let mut elements = Vec::new();
    for _ in 0..length {
        elements.push(match usize::try_from(number(&mut wire)?) {
            // -1 stands for null.
            Err(_) => None,
            Ok(bytes) => {
                let (element, rest) = wire.split_at_checked(bytes).ok_or(TOO_SHORT)?;
                wire = rest;
                Some(element)
            }
        });
    }
    Ok(elements)
}
