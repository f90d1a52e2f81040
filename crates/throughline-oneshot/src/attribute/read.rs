//! Reading paths and journeys, row by row: nothing of the file is kept but what models need.

use arrow::array::{Array, ArrayRef, AsArray as _, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use throughline_attribution::{Ending, Journeys, Outcome, PathTable, PathTableBuilder, cluster_key};
use throughline_core::Diagnostic;

use super::AttributeArgs;
use crate::OneShotError;
use crate::files::{Csv, is_parquet, number, parquet_batches, text};

/// The path of a row as the file holds it.
#[derive(Debug, Clone, Copy)]
enum Path<'a> {
    Text(&'a str),
    Steps(&'a [&'a str]),
}

/// A row as the file holds it; blank fields are absent.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    path: Path<'a>,
    conversions: Option<f64>,
    value: Option<f64>,
    nulls: Option<f64>,
    person: Option<&'a str>,
}

/// The paths of a file of counts, and what was wrong with its rows.
pub fn read_paths(args: &AttributeArgs) -> Result<(PathTable, Vec<Diagnostic>), OneShotError> {
    let mut builder = PathTableBuilder::new();
    let mut rows = 0_u64;
    let mut found = for_each_row(args, |row| {
        let outcome = Outcome {
            conversions: row.conversions.unwrap_or(if args.conversions.is_some() { 0.0 } else { 1.0 }),
            value: row.value.unwrap_or(0.0),
            nulls: row.nulls.unwrap_or(0.0),
        };
        match row.path {
            Path::Text(text) => builder.push_text(text, &args.separator, outcome),
            Path::Steps(steps) => builder.push(steps, None, outcome),
        };
        rows += 1;
        Ok(())
    })?;
    refuse_empty(args, rows, &mut found)?;
    let (table, diagnostics) = builder.build();
    found.extend(diagnostics);
    Ok((table, found))
}

/// The journeys of a file with one row each, and what was wrong with its rows.
pub fn read_journeys(args: &AttributeArgs) -> Result<(Journeys, Vec<Diagnostic>), OneShotError> {
    let mut builder = Journeys::builder("persons");
    let mut rows = 0_u64;
    let mut found = for_each_row(args, |row| {
        let ending = ending(args, &row)?;
        let (key, value) = (row.person.map(cluster_key), row.value.unwrap_or(0.0));
        match row.path {
            Path::Text(text) => builder.push_text(text, &args.separator, key, ending, value),
            Path::Steps(steps) => builder.push(steps, None, key, ending, value),
        };
        rows += 1;
        Ok(())
    })?;
    refuse_empty(args, rows, &mut found)?;
    let (journeys, diagnostics) = builder.build();
    found.extend(diagnostics);
    Ok((journeys, found))
}

/// How the one journey of a row ended.
fn ending(args: &AttributeArgs, row: &Row<'_>) -> Result<Ending, Diagnostic> {
    let conversions = row.conversions.unwrap_or(if args.conversions.is_some() { 0.0 } else { 1.0 });
    // Without a column of its own, whoever did not convert is a journey without conversion.
    let nulls = row.nulls.unwrap_or(if args.nulls.is_some() { 0.0 } else { 1.0 - conversions });
    match (conversions, nulls) {
        (1.0, 0.0) => Ok(Ending::Conversion),
        (0.0, 1.0) => Ok(Ending::Null),
        (0.0, 0.0) => Ok(Ending::Adjustment),
        _ => {
            let message =
                format!("{conversions} conversions and {nulls} nulls are not one journey; the row is left out");
            Err(Diagnostic::warning("TL460", message).help("with --person, each row is one journey"))
        }
    }
}

fn refuse_empty(args: &AttributeArgs, rows: u64, found: &mut Vec<Diagnostic>) -> Result<(), OneShotError> {
    if rows > 0 {
        return Ok(());
    }
    let finding = Diagnostic::error("TL046", "no usable row").at(args.file.display().to_string(), None, None);
    found.insert(0, finding);
    Err(OneShotError::Findings(std::mem::take(found)))
}

fn for_each_row(
    args: &AttributeArgs,
    each: impl FnMut(Row<'_>) -> Result<(), Diagnostic>,
) -> Result<Vec<Diagnostic>, OneShotError> {
    if is_parquet(&args.file) { parquet(args, each) } else { csv(args, each) }
}

fn csv(
    args: &AttributeArgs,
    mut each: impl FnMut(Row<'_>) -> Result<(), Diagnostic>,
) -> Result<Vec<Diagnostic>, OneShotError> {
    let mut csv = Csv::open(&args.file, &args.delimiter)?;
    let path = csv.column(&args.path)?;
    let optional = |name: &Option<String>| name.as_ref().map(|n| csv.column(n)).transpose();
    let (conversions, value, nulls) = (optional(&args.conversions)?, optional(&args.value)?, optional(&args.nulls)?);
    let person = optional(&args.person)?;
    csv.rows(|_, record| {
        let amount = |column: Option<usize>| column.map_or(Ok(None), |c| number(record, c));
        each(Row {
            path: Path::Text(text(record, path)?),
            conversions: amount(conversions)?,
            value: amount(value)?,
            nulls: amount(nulls)?,
            person: person.map(|p| text(record, p)).transpose()?.filter(|p| !p.is_empty()),
        })
    })
}

fn parquet(
    args: &AttributeArgs,
    mut each: impl FnMut(Row<'_>) -> Result<(), Diagnostic>,
) -> Result<Vec<Diagnostic>, OneShotError> {
    let optional = [&args.conversions, &args.value, &args.nulls, &args.person];
    let columns: Vec<&str> =
        std::iter::once(args.path.as_str()).chain(optional.iter().filter_map(|c| c.as_deref())).collect();
    let mut found = Vec::new();
    let mut line = 0_u64;
    parquet_batches(&args.file, &columns, |arrays| {
        let mut rest = arrays[1..].iter();
        let mut column = |wanted: &Option<String>| wanted.as_ref().and_then(|_| rest.next());
        let numbers = [column(&args.conversions), column(&args.value), column(&args.nulls)]
            .map(|a| a.map(as_numbers).transpose());
        let [conversions, value, nulls] = numbers;
        let (conversions, value, nulls) = (conversions?, value?, nulls?);
        let persons = column(&args.person).map(|a| cast(a, &DataType::Utf8)).transpose()?;
        let paths = Paths::of(&arrays[0])?;
        let mut steps = Vec::new();
        for row in 0..arrays[0].len() {
            line += 1;
            let amount = |column: &Option<ArrayRef>| amount(column.as_ref(), row);
            let result = amount(&conversions).and_then(|conversions| {
                each(Row {
                    path: paths.row(row, &mut steps),
                    conversions,
                    value: amount(&value)?,
                    nulls: amount(&nulls)?,
                    person: persons.as_ref().and_then(|p| text_at(p.as_string(), row)),
                })
            });
            if let Err(finding) = result {
                found.push(finding.at(args.file.display().to_string(), Some(line), None));
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn as_numbers(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    cast(array, &DataType::Float64)
}

fn amount(column: Option<&ArrayRef>, row: usize) -> Result<Option<f64>, Diagnostic> {
    let Some(column) = column else { return Ok(None) };
    let numbers = column.as_primitive::<Float64Type>();
    match (numbers.is_valid(row), numbers.value(row)) {
        (false, _) => Ok(None),
        (true, number) if number.is_finite() => Ok(Some(number)),
        (true, number) => Err(Diagnostic::warning("TL037", format!("`{number}` is not a number; the row is left out"))),
    }
}

fn text_at(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row).trim()).filter(|t| !t.is_empty())
}

/// The paths of a batch: texts, or lists of texts.
enum Paths {
    Texts(ArrayRef),
    Lists(ArrayRef),
}

impl Paths {
    fn of(array: &ArrayRef) -> Result<Self, ArrowError> {
        match array.data_type() {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                let item = arrow::datatypes::Field::new_list_field(DataType::Utf8, true);
                Ok(Self::Lists(cast(array, &DataType::List(item.into()))?))
            }
            _ => Ok(Self::Texts(cast(array, &DataType::Utf8)?)),
        }
    }

    /// The path of a row; absent is empty.
    fn row<'a: 'b, 'b>(&'a self, row: usize, steps: &'b mut Vec<&'a str>) -> Path<'b> {
        match self {
            Self::Texts(texts) => Path::Text(text_at(texts.as_string(), row).unwrap_or_default()),
            Self::Lists(lists) => {
                let lists = lists.as_list::<i32>();
                steps.clear();
                if lists.is_valid(row) {
                    let offsets = lists.value_offsets();
                    let texts = lists.values().as_string::<i32>();
                    let (from, to) = (offsets[row], offsets[row + 1]);
                    let at = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
                    steps.extend(at.map(|i| text_at(texts, i).unwrap_or_default()));
                }
                Path::Steps(steps)
            }
        }
    }
}
