//! Charts as inline SVG: dots with intervals, and bars. Every position across is a percentage of the width and every
//! text has the page's size, so that one chart fits a wide screen, a telephone and paper.

use super::format::{Unit, clipped};
use super::html::{Html, Table, el, p, text};
use super::scale::Scale;

const LANE: usize = 13;
const LINE: usize = 17;
const AXIS: usize = 26;

/// How a series is drawn: by shape and by colour, so that neither is needed alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// One of several of the same kind, by number.
    Nth(usize),
    /// What the chart is about.
    Main,
    /// What was expected.
    Promised,
    /// What is known to be so.
    Truth,
}

const SHAPES: [&str; 8] = [
    "M-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0z",
    "M-3.8 -3.8h7.6v7.6h-7.6z",
    "M0 -4.8l4.6 8.2h-9.2z",
    "M0 4.8l4.6 -8.2h-9.2z",
    "M-1.5 -4.6h3v3.1h3.1v3h-3.1v3.1h-3v-3.1h-3.1v-3h3.1z",
    "M-4.6 0a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0 -9.2 0zM-2.1 0a2.1 2.1 0 1 1 4.2 0a2.1 2.1 0 1 1 -4.2 0z",
    "M-4.2 -4.2h8.4v8.4h-8.4zM-1.9 -1.9v3.8h3.8v-3.8z",
    "M0 -5l4.8 3.5l-1.8 5.6h-6l-1.8 -5.6z",
];
const CLASSES: [&str; 8] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"];
const DIAMOND: &str = "M0 -6l5.4 6l-5.4 6l-5.4 -6z";
const HOLLOW_DIAMOND: &str = "M0 -6l5.4 6l-5.4 6l-5.4 -6zM0 -2.9l-2.6 2.9l2.6 2.9l2.6 -2.9z";

impl Look {
    fn shape(self) -> &'static str {
        match self {
            Self::Nth(i) => SHAPES[i % SHAPES.len()],
            Self::Main => SHAPES[0],
            Self::Promised => HOLLOW_DIAMOND,
            Self::Truth => DIAMOND,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Nth(i) => CLASSES[i % CLASSES.len()],
            Self::Main => "main",
            Self::Promised => "promised",
            Self::Truth => "truth",
        }
    }
}

/// A series.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Its name in the legend.
    pub(super) name: String,
    /// How it is drawn.
    pub(super) look: Look,
}

/// A number of a series in a row.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// Which series.
    pub(super) series: usize,
    /// Which line of the row.
    pub(super) lane: usize,
    /// The number.
    pub(super) value: f64,
    /// Its interval.
    pub(super) span: Option<(f64, f64)>,
    /// What it says, in words.
    pub(super) title: String,
}

/// A row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Of what.
    pub(super) label: String,
    /// The numbers in words, at the right.
    pub(super) readout: String,
    /// Its marks.
    pub(super) marks: Vec<Mark>,
}

/// Rows of dots with intervals on one scale.
#[derive(Debug, Clone)]
pub(super) struct DotChart<'a> {
    /// What it shows, for those who do not see it.
    pub(super) label: &'a str,
    /// Unit of the axis.
    pub(super) unit: &'a Unit,
    /// The series, in the order of the legend.
    pub(super) series: &'a [Series],
    /// The rows, from the top.
    pub(super) rows: &'a [Row],
    /// Whether zero is on the axis in any case.
    pub(super) from_zero: bool,
}

/// Draws the chart and its legend; `None` without a finite number.
pub(super) fn dot_chart(chart: &DotChart<'_>) -> Option<Html> {
    let marks = || chart.rows.iter().flat_map(|r| &r.marks).filter(|m| m.value.is_finite());
    let values = marks().map(|m| m.value);
    let ends = marks().filter_map(|m| m.span).flat_map(|(lo, hi)| [lo, hi]);
    let zero = (chart.from_zero && marks().next().is_some()).then_some(0.0);
    let scale = Scale::holding(values.chain(ends).chain(zero))?;
    let two_lines = needs_two_lines(chart.rows.iter().map(|r| (&r.label, &r.readout)));
    let head = if two_lines { 2 * LINE } else { LINE };
    let lanes = |row: &Row| row.marks.iter().map(|m| m.lane.min(63) + 1).max().unwrap_or(1);
    let heights: Vec<usize> = chart.rows.iter().map(|r| head + lanes(r) * LANE + 13).collect();
    let plot: usize = heights.iter().sum();
    let mut inner = axis(&scale, chart.unit, plot);
    let place = if two_lines { Place::Below } else { Place::Beside };
    let mut top = 0;
    for (row, height) in chart.rows.iter().zip(&heights) {
        let band = (top + head + 1, top + head + lanes(row) * LANE + 3);
        inner = inner.with(heading(&row.label, &row.readout, top, place)).with(grid(&scale, band));
        for mark in row.marks.iter().filter(|m| m.value.is_finite()) {
            let look = chart.series.get(mark.series).map_or(Look::Main, |s| s.look);
            inner = inner.with(draw(mark, look, &scale, band));
        }
        top += height;
    }
    let legend = (chart.series.len() > 1).then(|| legend(chart.series));
    Some(frame(chart.label, plot + AXIS, inner).with_some(legend))
}

fn needs_two_lines<'a>(mut lines: impl Iterator<Item = (&'a String, &'a String)>) -> bool {
    lines.any(|(label, readout)| label.chars().count() + readout.chars().count() > 44)
}

fn frame(label: &str, height: usize, inner: Html) -> Html {
    let height = height.to_string();
    let attributes =
        [("class", "chart"), ("role", "img"), ("aria-label", label), ("width", "100%"), ("height", height.as_str())];
    el("svg", &attributes, inner)
}

fn percent(x: f64) -> String {
    format!("{x:.3}%")
}

/// The numbers of the axis.
fn axis(scale: &Scale, unit: &Unit, bottom: usize) -> Html {
    let y = (bottom + 16).to_string();
    let number = |tick: f64| {
        let (at, words) = (scale.at(tick), unit.tick(tick, scale.step()));
        let anchor = match at {
            _ if words.chars().count() <= 2 => "middle",
            a if a < 4.0 => "start",
            a if a > 96.0 => "end",
            _ => "middle",
        };
        el("text", &[("class", "tick"), ("x", &percent(at)), ("y", &y), ("text-anchor", anchor)], text(words))
    };
    scale.ticks().into_iter().map(number).collect()
}

/// The lines of the axis behind the marks of a row; they leave the words alone.
fn grid(scale: &Scale, (top, bottom): (usize, usize)) -> Html {
    let (top, bottom) = (top.to_string(), bottom.to_string());
    let line = |tick: f64| {
        let x = percent(scale.at(tick));
        let class = if tick == 0.0 { "zero" } else { "grid" };
        el("line", &[("class", class), ("x1", &x), ("x2", &x), ("y1", &top), ("y2", &bottom)], text(""))
    };
    scale.ticks().into_iter().map(line).collect()
}

/// Where the numbers of a row stand in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Beside,
    Below,
    Right,
}

fn heading(label: &str, readout: &str, top: usize, place: Place) -> Html {
    let (first, second) = ((top + 13).to_string(), (top + 13 + LINE).to_string());
    let (name, numbers) = (text(clipped(label, 44)), text(clipped(readout, 60)));
    let (name, apart) = match place {
        Place::Beside => (name.with(el("tspan", &[("class", "readout"), ("dx", "9")], numbers)), None),
        Place::Below => (name, Some(("0", &second, "start", numbers))),
        Place::Right => (name, Some(("100%", &first, "end", numbers))),
    };
    let name = el("text", &[("class", "label"), ("x", "0"), ("y", &first)], name);
    let apart = apart.map(|(x, y, anchor, numbers)| {
        el("text", &[("class", "readout"), ("x", x), ("y", y), ("text-anchor", anchor)], numbers)
    });
    name.with_some(apart)
}

/// One mark: interval, shape and words. The truth is a line through its row.
fn draw(mark: &Mark, look: Look, scale: &Scale, (top, bottom): (usize, usize)) -> Html {
    let middle = match look {
        Look::Truth => usize::midpoint(top, bottom),
        _ => top + mark.lane.min(63) * LANE + LANE / 2 + 1,
    };
    let mut inner = el("title", &[], text(&mark.title));
    let (x, y) = (percent(scale.at(mark.value)), middle.to_string());
    if look == Look::Truth {
        let (top, bottom) = (top.to_string(), bottom.to_string());
        inner = inner.with(el("line", &[("x1", &x), ("x2", &x), ("y1", &top), ("y2", &bottom)], text("")));
    }
    if let Some((lo, hi)) = mark.span {
        let (left, right) = (percent(scale.at(lo)), percent(scale.at(hi)));
        inner = inner.with(el("line", &[("x1", &left), ("x2", &right), ("y1", &y), ("y2", &y)], text("")));
        for (end, at, arrow) in [(lo, &left, "M3 -4l-6 4l6 4z"), (hi, &right, "M-3 -4l6 4l-6 4z")] {
            if !scale.holds(end) {
                inner = inner.with(shape(at, &y, arrow));
            }
        }
    }
    let class = format!("mark {}", look.class());
    el("g", &[("class", class.as_str())], inner.with(shape(&x, &y, look.shape())))
}

fn shape(x: &str, y: &str, path: &str) -> Html {
    let place = [("x", x), ("y", y), ("width", "1"), ("height", "1"), ("overflow", "visible")];
    el("svg", &place, el("path", &[("d", path), ("fill-rule", "evenodd")], text("")))
}

fn legend(series: &[Series]) -> Html {
    let item = |s: &Series| {
        let class = format!("key mark {}", s.look.class());
        let glyph = el("path", &[("d", s.look.shape()), ("fill-rule", "evenodd")], text(""));
        let attributes = [
            ("class", class.as_str()),
            ("viewBox", "-7 -7 14 14"),
            ("width", "14"),
            ("height", "14"),
            ("aria-hidden", "true"),
        ];
        el("li", &[], el("svg", &attributes, glyph).text(&s.name))
    };
    el("ul", &[("class", "legend")], series.iter().map(item).collect())
}

/// A bar.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    /// Of what.
    pub(super) label: String,
    /// The number in words.
    pub(super) readout: String,
    /// The number.
    pub(super) value: f64,
    /// Its colour.
    pub(super) look: Look,
}

/// Bars from zero, one under the other; `None` without a finite number.
pub(super) fn bar_chart(label: &str, bars: &[Bar]) -> Option<Html> {
    let bars: Vec<&Bar> = bars.iter().filter(|b| b.value.is_finite()).collect();
    if bars.is_empty() {
        return None;
    }
    let scale = Scale::holding(bars.iter().map(|b| b.value).chain([0.0]))?;
    let two_lines = needs_two_lines(bars.iter().map(|b| (&b.label, &b.readout)));
    let head = if two_lines { 2 * LINE } else { LINE };
    let height = head + 24;
    let mut inner = Html::default();
    for (i, bar) in bars.iter().enumerate() {
        let top = i * height;
        let (zero, end) = (scale.at(0.0), scale.at(bar.value));
        // A count above zero stays visible.
        let width = (end - zero).abs().max(if bar.value == 0.0 { 0.0 } else { 0.3 });
        let (x, width, y) = (percent(zero.min(end) - 2.0), percent(width), (top + head + 3).to_string());
        let title = el("title", &[], text(format!("{}: {}", bar.label, bar.readout)));
        let rect = [("x", x.as_str()), ("y", y.as_str()), ("width", width.as_str()), ("height", "9"), ("rx", "2")];
        let class = format!("mark bar {}", bar.look.class());
        let drawn = el("g", &[("class", class.as_str())], title.with(el("rect", &rect, text(""))));
        let place = if two_lines { Place::Below } else { Place::Right };
        inner = inner.with(heading(&bar.label, &bar.readout, top, place)).with(drawn);
    }
    Some(frame(label, bars.len() * height, inner))
}

/// A chart with its words above and its numbers as a table below.
pub(super) fn figure_of(caption: &str, chart: Option<Html>, numbers: &Table) -> Option<Html> {
    let chart = chart?;
    let head = p("caption", text(caption));
    Some(el("figure", &[], head.with(chart).with(numbers.folded("The numbers as a table"))))
}
