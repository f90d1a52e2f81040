//! Which conversions count, and what refunds do.

use throughline_paths::Fate::{
    Counted, NoConsent, RefundIgnored, Refunded, RepeatedOrder, RepeatedPerson, RepeatedSession, UnknownOrder,
    WithinGap, WithoutOrder,
};
use throughline_paths::{ConversionConfig, Counting, NONE, Refunds, Tally};

use crate::support::{check_fates, check_for, person, purchase, run, touches};

fn counting(count: Counting) -> ConversionConfig {
    ConversionConfig { count, ..purchase() }
}

#[test]
fn counting_rules() {
    let text = "0:!@x 1:!@y 2:!@x 3:! 4:! 100:!@x 101:!@z";
    check_fates(&purchase(), text, &[Counted; 7]);
    let once = counting(Counting::OncePerPerson);
    check_fates(&once, "0:-! 1:! 2:!", &[NoConsent, Counted, RepeatedPerson]);
    let session = counting(Counting::OncePerSession);
    check_fates(&session, "0:! 20:a 40:! 80:! 81:!", &[Counted, RepeatedSession, Counted, RepeatedSession]);
    let order = counting(Counting::OncePerOrder);
    let expect = [Counted, Counted, RepeatedOrder, Counted, Counted, RepeatedOrder, Counted];
    check_fates(&order, text, &expect);
    let gap = ConversionConfig { min_gap_minutes: 10, ..purchase() };
    check_fates(&gap, "0:! 9:! 10:! 11:! 19:! 20:!", &[Counted, WithinGap, Counted, WithinGap, WithinGap, Counted]);
}

#[test]
fn what_does_not_count_ends_no_journey() {
    let order = counting(Counting::OncePerOrder);
    check_for(&touches(""), &order, "0:a 1:!5@x 2:b 3:!5@x 4:c 5:!5@y", "a!5 b>c!5");
    check_for(&touches(""), &purchase(), "0:a 1:-!5 2:b 3:!5", "a>b!5");
}

#[test]
fn refunds_reduce_the_conversion_of_their_order() {
    let text = "0:a 1:!7@x 2:b 3:!9@y 4:?2@x 5:?-1@x 6:?20@y 7:?3@z 8:?4 9:-?1@x";
    let expect = [Counted, Counted, Refunded, Refunded, Refunded, UnknownOrder, WithoutOrder, NoConsent];
    check_fates(&purchase(), text, &expect);
    check_for(&touches(""), &purchase(), text, "a!4 b!-11");
    let out = run(&touches(""), &purchase(), &person(text));
    assert_eq!(out.outcome_journey, [0, 1, 0, 0, 1, NONE, NONE, NONE]);
    assert_eq!(out.outcome_micros, [4, -11, 2, 1, 20, 3, 4, 1]);
    let mut tally = Tally::default();
    tally.add(&out);
    assert_eq!((tally.value_micros, tally.lost_refunds_micros, tally.fate(Refunded)), (-7, 7, 3));
    let ignoring = ConversionConfig { refunds: Refunds::Ignore, ..purchase() };
    check_for(&touches(""), &ignoring, text, "a!7 b!9");
    check_fates(&ignoring, "0:!7@x 1:?2@x 2:?2", &[Counted, RefundIgnored, RefundIgnored]);
}

#[test]
fn a_refund_goes_to_the_first_conversion_that_counts() {
    check_for(&touches(""), &purchase(), "0:?2@x 1:!7@x 2:!8@x", "!5 !8");
    let gap = ConversionConfig { min_gap_minutes: 10, ..purchase() };
    check_fates(&gap, "0:!1@x 1:!1@y 2:?1@y", &[Counted, WithinGap, UnknownOrder]);
    let extreme =
        "0:!9223372036854775807@x 1:?-9223372036854775808@x 2:?-9223372036854775808@x 3:?-9223372036854775808@x";
    let out = run(&touches(""), &purchase(), &person(extreme));
    assert_eq!(out.value_micros, [i64::MIN]);
}
