//! Lift and cumulative gain by part of a ranking.

use super::Predicted;

/// One part of a ranking by falling score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiftRow {
    /// Number of the part, 1 for the highest scores.
    pub part: usize,
    /// Rows in it.
    pub rows: u64,
    /// Rows of it with the event; a fraction where a cut falls into tied scores.
    pub events: f64,
    /// Share with the event.
    pub rate: f64,
    /// Rate over the base rate; `None` without any event.
    pub lift: Option<f64>,
    /// Share of all events in this part and those above; `None` without any event.
    pub gain: Option<f64>,
    /// Rate in this part and those above over the base rate.
    pub cumulative_lift: Option<f64>,
}

/// The lift and gain table: `parts` parts of nearly equal numbers of rows, the first ones larger by one where they do not
/// divide. Where a cut falls into tied scores, the block counts in proportion: its expectation over all orders, exact because
/// counts are linear. Empty for 0 parts; at most as many parts as rows.
pub fn lift_table(predicted: &Predicted, parts: usize) -> Vec<LiftRow> {
    let (n, base) = (predicted.rows(), predicted.base_rate());
    let parts = parts.min(usize::try_from(n).unwrap_or(usize::MAX));
    let (size, more) = (n / parts.max(1) as u64, n % parts.max(1) as u64);
    let mut blocks = predicted.blocks.iter();
    // What is left of the block at hand.
    let (mut left, mut rate) = (0, 0.0);
    let (mut rows_so_far, mut events_so_far) = (0, 0.0);
    let mut row = |index: usize| {
        let rows = size + u64::from((index as u64) < more);
        let (mut wanted, mut events) = (rows, 0.0);
        while wanted > 0 {
            if left == 0 {
                let Some(block) = blocks.next() else { break };
                (left, rate) = (block.rows, block.events as f64 / block.rows as f64);
            }
            let taken = wanted.min(left);
            events += taken as f64 * rate;
            wanted -= taken;
            left -= taken;
        }
        rows_so_far += rows;
        events_so_far += events;
        let over = |events: f64, rows: u64| (base > 0.0).then(|| events / rows as f64 / base);
        LiftRow {
            part: index + 1,
            rows,
            events,
            rate: events / rows as f64,
            lift: over(events, rows),
            gain: (base > 0.0).then(|| (events_so_far / predicted.events() as f64).min(1.0)),
            cumulative_lift: over(events_so_far, rows_so_far),
        }
    };
    (0..parts).map(&mut row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_in_proportion_and_totals_tie_out() {
        let score = [0.9, 0.5, 0.5, 0.5, 0.5, 0.1];
        let event = [true, true, true, false, false, false];
        let table = lift_table(&Predicted::new(&score, &event).expect("counts"), 3);
        let events: Vec<f64> = table.iter().map(|r| r.events).collect();
        assert_eq!(events, [1.5, 1.0, 0.5]);
        assert_eq!((table[0].lift, table[0].gain, table[2].gain), (Some(1.5), Some(0.5), Some(1.0)));
        assert_eq!(table[2].cumulative_lift, Some(1.0));
        let none = lift_table(&Predicted::new(&[1.0], &[false]).expect("counts"), 2);
        assert_eq!((none[0].lift, none[0].gain, none[0].rate, none.len()), (None, None, 0.0, 1));
        assert!(lift_table(&Predicted::new(&[1.0], &[false]).expect("counts"), 0).is_empty());
    }
}
