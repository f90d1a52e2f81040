//! Progress bars on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use throughline_core::Progress;

/// One bar a stage.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    all: MultiProgress,
    bars: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Bars {
    fn with(&self, stage: &str, f: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = self.bars.lock().unwrap_or_else(PoisonError::into_inner).get(stage) {
            f(bar);
        }
    }
}

fn style(total: bool) -> ProgressStyle {
    let template =
        if total { "{prefix:>10} {wide_bar} {pos}/{len} {elapsed}" } else { "{prefix:>10} {spinner} {pos} {elapsed}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bars {
    fn start(&self, stage: &str, total: Option<u64>) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if bars.get(stage).is_some_and(|b| !b.is_finished()) {
            return;
        }
        let bar = self.all.add(ProgressBar::new(total.unwrap_or(0)));
        bar.set_style(style(total.is_some_and(|t| t > 0)));
        bar.set_prefix(stage.to_owned());
        bars.insert(stage.to_owned(), bar);
    }

    fn advance(&self, stage: &str, done: u64) {
        self.with(stage, |bar| bar.inc(done));
    }

    fn finish(&self, stage: &str, summary: &str) {
        let line = format!("{stage:>10}  {summary}");
        self.with(stage, ProgressBar::finish_and_clear);
        if std::io::stderr().is_terminal() {
            // A line that cannot be shown is no reason to stop a run.
            drop(self.all.println(line));
        } else {
            use std::io::Write as _;
            drop(writeln!(std::io::stderr(), "{line}"));
        }
    }
}
