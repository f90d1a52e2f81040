//! The function `property(json, 'name')` of queries.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::scalar::ScalarValue;

use crate::rows::property_text;

/// `property(json, 'name')`: a member of a JSON object as text, as in expressions: a string as it is, other JSON as its text, null and
/// absent as NULL.
pub(crate) fn property() -> ScalarUDF {
    let member = |arguments: &[ColumnarValue]| {
        let [json, ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)))] = arguments else {
            let message = "property takes a text of JSON and the name of a member, written out".to_owned();
            return Err(DataFusionError::Plan(message));
        };
        let rows = match json {
            ColumnarValue::Array(array) => Arc::clone(array),
            ColumnarValue::Scalar(value) => value.to_array()?,
        };
        let rows = arrow::compute::cast(&rows, &DataType::Utf8)?;
        let texts = arrow::array::AsArray::as_string::<i32>(&rows);
        let mut found = StringBuilder::with_capacity(texts.len(), texts.len() * 8);
        for text in texts {
            found.append_option(text.and_then(|json| property_text(json, name)));
        }
        let found: ArrayRef = Arc::new(found.finish());
        Ok(match json {
            ColumnarValue::Array(_) => ColumnarValue::Array(found),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?),
        })
    };
    let inputs = vec![DataType::Utf8, DataType::Utf8];
    create_udf("property", inputs, DataType::Utf8, Volatility::Immutable, Arc::new(member))
}
