//! Random expressions over random batches.

use proptest::prelude::*;
use throughline_core::expr::{Expr, ExprError, Type};
use throughline_lake::{CompiledExpr, expression_schema};

use super::batches::{batch, declared};
use super::writer::Writer;
use super::{difference, entries};

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_give_what_rows_give(
        ty in prop::sample::select(Type::ALL.to_vec()),
        depth in 1..5_u32,
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        batch in batch(24),
    ) {
        let declared = declared();
        let schema = expression_schema(&declared);
        let text = Writer::new(&bytes, &schema).write(ty, depth);
        let expr = match Expr::parse(&text, &schema) {
            Ok(expr) => expr,
            Err(ExprError::TooLong { .. } | ExprError::TooManyNodes { .. } | ExprError::TooDeep { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
        };
        let found = difference(&expr, &declared, &batch);
        prop_assert!(found.is_none(), "{}", found.unwrap_or_default());
    }

    #[test]
    fn chosen_rows_give_what_they_give_in_the_whole(
        ty in prop::sample::select(Type::ALL.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        batch in batch(24),
        chosen in prop::collection::vec(prop::option::of(any::<bool>()), 24),
    ) {
        let declared = declared();
        let schema = expression_schema(&declared);
        let text = Writer::new(&bytes, &schema).write(ty, 2);
        let Ok(expr) = Expr::parse(&text, &schema) else { return Ok(()) };
        let compiled = CompiledExpr::new(&expr, &declared).expect("it compiles");
        let chosen = &chosen[..batch.num_rows()];
        let got = compiled.evaluate_where(&batch, &chosen.iter().copied().collect()).expect("answers");
        let whole = entries(&compiled.evaluate(&batch).expect("answers"), expr.ty());
        let expect: Vec<String> =
            whole.into_iter().zip(chosen).filter(|(_, c)| **c == Some(true)).map(|(entry, _)| entry).collect();
        prop_assert_eq!(entries(&got, expr.ty()), expect, "{}", text);
    }
}
